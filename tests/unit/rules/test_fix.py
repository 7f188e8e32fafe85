from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditwire.condition.parse import parse
from auditwire.condition.precedence import Precedence, read
from auditwire.documents.source import Source
from auditwire.rules import load_sources
from auditwire.rules.fix import fix_source
from examples import examples

KUBESPHERE, STANDARD = Precedence.KUBESPHERE, Precedence.STANDARD

HEAD = """\
# Our own rules.
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: own     # a comment
  labels: {type: alerting}
spec:
  rules:
"""
EVERY_STYLE = (
    HEAD
    + """\
    - name: Plain # first
      type: rule
      priority: INFO
      condition: Verb = "get" or Stage = "Panic" and User.Username exists   # plain

    - name: PlainFolded
      type: rule
      priority: INFO
      condition: Verb = "get"
        or Stage = "Panic"
          and User.Username exists
      enable: true
    - {name: Flow, type: rule, priority: INFO, condition: 'not Verb = "get" and Stage = "it''s"'}
    - name: double
      type: macro
      macro: "Verb = \\"get\\" or Stage = \\x22Panic\\u0022 and \\
        User.Username exists"
    - name: literal
      type: macro
      macro: |  # a comment that stays
        Verb = "get"

          or Stage = "Panic"
        and User.Username exists
    - name: folded
      type: macro
      macro: >-
        Verb = "get" or

        Stage = "Panic" and
        User.Username exists
    - name: tagged
      type: macro
      macro: !!str &anchor "Verb exists or Stage exists and Level exists"
    - name: AlsoFine
      type: rule
      condition: ${folded} and ${literal} and ${double} and ${tagged}
      output: "or and or"
      priority: INFO   # Verb = "get" or Stage = "Panic" and User.Username exists
"""
)
PARENTHESES = [
    ('condition: Verb = "get" or Stage = "Panic" and', 'condition: (Verb = "get" or Stage = "Panic") and'),
    ('condition: Verb = "get"\n        or Stage = "Panic"', 'condition: (Verb = "get"\n        or Stage = "Panic")'),
    ("""'not Verb = "get" and Stage = "it''s"'""", """'not (Verb = "get" and Stage = "it''s")'"""),
    ('"Verb = \\"get\\" or Stage = \\x22Panic\\u0022 and', '"(Verb = \\"get\\" or Stage = \\x22Panic\\u0022) and'),
    (' Verb = "get"\n\n          or Stage = "Panic"\n', ' (Verb = "get"\n\n          or Stage = "Panic")\n'),
    (' Verb = "get" or\n\n        Stage = "Panic" and\n', ' (Verb = "get" or\n\n        Stage = "Panic") and\n'),
    ('"Verb exists or Stage exists and', '"(Verb exists or Stage exists) and'),
]
FIXED = EVERY_STYLE
for _before, _after in PARENTHESES:
    assert FIXED.count(_before) == 1
    FIXED = FIXED.replace(_before, _after)


def fixed(text: str, precedence: Precedence | None = KUBESPHERE) -> Any:
    return fix_source(Source("own.yaml", text), precedence)


def rule(condition: str, **entry: Any) -> str:
    return HEAD + "".join(
        f"  {line}\n"
        for line in yaml.safe_dump(
            [{"name": "R", "type": "rule", "priority": "INFO", "condition": condition} | entry]
        ).splitlines()
    )


def test_every_style_of_yaml_keeps_its_comments_quotes_and_layout() -> None:
    result = fixed(EVERY_STYLE)

    assert result.source.text == FIXED
    assert [mended.rule for mended in result.mended] == [
        "own.Plain", "own.PlainFolded", "own.Flow", "own.double", "own.literal", "own.folded", "own.tagged"
    ]  # fmt: skip
    assert not result.undecided
    assert not result.failed
    first = result.mended[0]
    assert (first.line, first.column, first.precedence) == (12, 18, KUBESPHERE)
    assert first.before == 'Verb = "get" or Stage = "Panic" and User.Username exists'
    assert first.after == '(Verb = "get" or Stage = "Panic") and User.Username exists'


def test_what_is_fixed_loads_and_needs_no_fix() -> None:
    assert [found.code for found in load_sources([Source("own.yaml", EVERY_STYLE)]).diagnostics].count("AW103") == 7
    assert load_sources([Source("own.yaml", FIXED)]).rule_set is not None
    again = fixed(FIXED)
    assert again.source.text == FIXED
    assert not again.mended


def test_line_ends_of_windows_stay() -> None:
    assert fixed(EVERY_STYLE.replace("\n", "\r\n")).source.text == FIXED.replace("\n", "\r\n")


def test_common_practice_is_the_other_choice() -> None:
    text = rule("Verb exists or Stage exists and Level exists")

    assert "condition: Verb exists or (Stage exists and Level exists)\n" in fixed(text, STANDARD).source.text


def test_nobody_said_what_it_means() -> None:
    text = rule("Verb exists or Stage exists and Level exists")

    result = fixed(text, None)

    assert result.source.text == text
    assert not result.mended
    (found,) = result.undecided
    assert (found.code, found.line, found.column, found.rule) == ("AW103", 9, 16, "own.R")
    assert "(Verb exists or Stage exists) and Level exists" in found.hint


def test_the_annotation_of_a_document_says_what_it_means_and_stays() -> None:
    text = rule("Verb exists or Stage exists and Level exists").replace(
        "  labels:", "  annotations:\n    auditwire.io/precedence: standard\n  labels:"
    )

    for precedence in (None, KUBESPHERE):
        result = fixed(text, precedence)
        assert result.source.text == text.replace("Stage exists and Level exists", "(Stage exists and Level exists)")
        assert not result.undecided


def test_several_documents_of_a_file_are_each_read_their_own_way() -> None:
    one = rule("Verb exists or Stage exists and Level exists")
    other = one.replace("name: own", "name: other").replace(
        "  labels:", "  annotations: {auditwire.io/precedence: standard}\n  labels:"
    )
    webhook = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nmetadata: {name: w}\n"

    result = fixed(f"{one}---\n{webhook}---\n{other}")

    assert [mended.precedence for mended in result.mended] == [KUBESPHERE, STANDARD]
    assert result.source.text.count("(") == 2


def test_a_text_that_other_fields_share_is_left_alone() -> None:
    text = HEAD + (
        "    - {name: A, type: rule, priority: INFO, condition: &c Verb exists or Stage exists and Level exists, "
        "output: *c}\n"
    )

    result = fixed(text)

    assert result.source.text == text
    assert not result.mended
    (found,) = result.failed
    assert found.message == "parentheses cannot be added to this file without changing something else"
    assert (found.line, found.column, found.rule) == (9, 56, "own.A")


def test_a_text_that_two_conditions_share_is_edited_once() -> None:
    text = HEAD + (
        "    - {name: A, type: rule, priority: INFO, condition: &c Verb exists or Stage exists and Level exists}\n"
        "    - {name: B, type: rule, priority: INFO, condition: *c}\n"
    )

    result = fixed(text)

    assert [mended.rule for mended in result.mended] == ["own.A", "own.B"]
    assert "condition: &c (Verb exists or Stage exists) and Level exists}" in result.source.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "- 1",
        "kind: Rule\nspec: {rules: 5}",
        rule("Verb = "),
        rule("Verb exists or not exists"),
        "\ufeff" + HEAD,
        "kind: Policy\nrules: [{level: None}]",
    ],
)
def test_what_has_other_faults_stays_as_it_is(text: str) -> None:
    result = fixed(text)

    assert (result.source.text, result.mended, result.undecided, result.failed) == (text, (), (), ())


def test_a_condition_that_would_nest_too_deep_is_named() -> None:
    text = rule("Verb exists and " + " and ".join(["!Level exists"] * 200))

    (found,) = fixed(text).failed

    assert found.code == "AW110"
    assert fixed(text, STANDARD).mended


TERMS = ["Verb exists", 'Stage = "it\'s and"', 'Verb in ("get", "é")', "not Verb exists", "! Level exists", "${m}",
         'User.Groups[*] contains "a\\\\b"', "(Verb exists or Stage exists)"]  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TERMS))
    for _ in range(draw(st.integers(0, 6))):
        gap = st.sampled_from([" ", "  ", "\n", "\n  "])
        text += f"{draw(gap)}{draw(st.sampled_from(['and', 'or']))}{draw(gap)}{draw(st.sampled_from(TERMS))}"
    return text + draw(st.sampled_from(["", "\n"]))


@given(
    st.lists(conditions(), min_size=1, max_size=3),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.sampled_from([20, 40, 1000]),
    st.booleans(),
    st.sampled_from([KUBESPHERE, STANDARD]),
)
@examples(150)
def test_every_condition_means_afterwards_what_was_chosen_and_nothing_else_changes(
    texts: list[str], style: Any, width: int, ascii_only: bool, precedence: Precedence
) -> None:
    entries = [{"name": f"M{n}", "type": "macro", "macro": text} for n, text in enumerate(texts)]
    document = {"kind": "Rule", "metadata": {"name": "own"}, "spec": {"rules": entries}}
    text = "# comment ( (\n" + yaml.safe_dump(document, default_style=style, width=width, allow_unicode=not ascii_only)

    # Not the document itself: folded, an indented line does not come back from PyYAML as it went.
    before = yaml.safe_load(text)

    result = fixed(text, precedence)

    assert not result.failed
    after = yaml.safe_load(result.source.text)
    for entry, old in zip(after["spec"]["rules"], before["spec"]["rules"], strict=True):
        assert read(parse(entry["macro"]), Precedence.STRICT) == read(parse(old["macro"]), precedence)
        entry["macro"] = old["macro"]
    assert after == before
    assert _without_parentheses(result.source.text) == _without_parentheses(text)
    assert fixed(result.source.text, precedence).source.text == result.source.text


def _without_parentheses(text: str) -> str:
    return text.replace("(", "").replace(")", "")
