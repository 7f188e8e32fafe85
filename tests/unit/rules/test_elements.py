"""``any`` and patterns of keys in documents: macros, aliases, outputs, bundles, parentheses, findings."""

import pytest

from auditwire.condition.precedence import Precedence
from auditwire.documents.diagnostics import Diagnostic
from auditwire.rules import RuleSet, Source, load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.fix import fix_source
from made_events import event
from rule_texts import document, rule, rule_set_of

ROLE = {"rules": [{"verbs": ["get"], "resources": ["pods/exec"]}, {"verbs": ["create"], "resources": ["pods"]}]}
MACROS = """\
- {name: writes, type: macro, macro: 'verbs in ${verbs}'}
- {name: verbs, type: list, list: [create, update]}
- {name: role, type: macro, macro: 'any RequestObject.rules[*] (${writes} and resources = "pods")'}
- {name: rules, type: alias, alias: 'RequestObject.rules[*]'}
"""


def findings(*entries: str, dialect: str = "auditwire") -> list[Diagnostic]:
    source = Source("mine.yaml", document("".join(entries)))
    return load_sources([source], dialect=dialect).diagnostics  # type: ignore[arg-type]


def matches(rules: RuleSet, body: object) -> bool:
    return bool(rules.decide(event(verb="create", body=body)).alerting)


@pytest.mark.parametrize("condition", ["${role}", 'any ${rules} (${writes} and resources = "pods")'])
def test_a_macro_inside_of_any_is_about_the_element(condition: str) -> None:
    used = MACROS if "${rules}" in condition else MACROS.rpartition("- {name: rules")[0]
    source = Source("mine.yaml", document(rule(condition) + used))
    loaded = load_sources([source])
    assert {found.code for found in loaded.diagnostics} <= {"AW215"}
    assert loaded.rule_set is not None

    assert matches(loaded.rule_set, ROLE)
    assert not matches(loaded.rule_set, {"rules": ROLE["rules"][:1]})
    assert not matches(loaded.rule_set, {"verbs": ["create"], "resources": ["pods"]})


def test_a_macro_may_be_used_inside_and_outside_and_means_what_it_says_in_each_place() -> None:
    shared = "- {name: made, type: macro, macro: 'Verb = \"create\"'}\n"
    outside = rule_set_of(document(rule("${made}") + shared))
    inside = rule_set_of(document(rule("${made} and any RequestObject.rules[*] (${made})") + shared))

    assert matches(outside, ROLE)
    assert not matches(inside, ROLE)
    assert matches(inside, {"rules": [{"Verb": "create"}]})


def test_a_macro_about_elements_that_stands_outside_is_an_error_and_an_error_is_reported_once() -> None:
    (found,) = [one for one in findings(rule("${writes}"), *MACROS.splitlines(keepends=True)[:2]) if one.is_error]
    assert (found.code, found.rule) == ("AW102", "mine.writes")

    broken = "- {name: bad, type: macro, macro: 'Verb regex \"(\"'}\n"
    found_in_both = findings(rule("${bad} or any RequestObject.rules[*] (${bad})"), broken)
    assert [one.code for one in found_in_both if one.is_error].count("AW104") == 1


@pytest.mark.parametrize(
    "condition",
    [
        'any RequestObject.rules[*] (${user} = "ann")',
        "any RequestObject.rules[*] (${user})",
        "any RequestObject.rules[*] (any verbs[*] (not ${user} exists))",
    ],
)
def test_an_alias_cannot_be_reached_inside(condition: str) -> None:
    alias = "- {name: user, type: alias, alias: User.Username}\n"

    (found,) = [one for one in findings(rule(condition), alias) if one.is_error]

    assert (found.code, found.column) == ("AW106", 58 + condition.index("${user}"))
    assert "cannot be reached inside" in found.message


def test_errors_of_a_macro_stay_errors_when_only_a_disabled_rule_uses_it() -> None:
    found = findings(
        rule("${bad} and Vreb exists", more=", enable: false"), "- {name: bad, type: macro, macro: 'a b'}\n"
    )

    assert {(one.rule, one.severity) for one in found} == {("mine.bad", "error"), ("mine.r", "warning")}


@pytest.mark.parametrize(
    ("condition", "codes"),
    [
        ('any User.Groups[*] (x = "a")', {"AW124"}),
        ('any Verb[*] (x = "a")', {"AW112"}),
        ('any Vreb[*] (x = "a")', {"AW102"}),
        ('any RequestObject.a[3:1].b[*] (x = "a")', {"AW108"}),
        ('any RequestObject.a[*] (x[3:1] = "a" and y regex "(")', {"AW104", "AW108"}),
        ('RequestObject.a.* not contains "x"', {"AW116"}),
        ('RequestObject["a*"] != "x"', {"AW116"}),
        ('any RequestObject.a[*] (x.* not like "y*")', {"AW116"}),
        ('not (RequestObject.a.* contains "x")', set()),
        ("RequestObject.a.* not exists", set()),
        ('RequestObject.a.* exists and RequestObject.a.* not exists and Verb = "get"', set()),
    ],
)
def test_what_is_said_of_them(condition: str, codes: set[str]) -> None:
    assert {found.code for found in findings(rule(condition))} == codes


def test_kubesphere_knows_neither() -> None:
    for condition, message in (
        ('any RequestObject.rules[*] (x = "a")', "KubeSphere knows no any"),
        ('RequestObject.a.* = "x"', "KubeSphere cannot read the field 'RequestObject.a.*'"),
        ('RequestObject["a*"] = "x"', "KubeSphere cannot read the field 'RequestObject[\"a*\"]'"),
        ('lower(Verb) = "get"', "KubeSphere knows no lower()"),
    ):
        assert message in [found.message for found in findings(rule(condition), dialect="kubesphere")]


def test_they_travel_in_a_bundle_and_outputs_show_what_is_selected() -> None:
    condition = (
        'any RequestObject.rules[*] (resources["p*"] exists or lower(verbs[0]) = "get") and RequestObject.* exists'
    )
    output = ", output: 'by ${RequestObject[\"ru*\"][*].verbs} ${RequestObject.labels.*}'"
    text = document(rule(condition, more=output))
    rules = decode_bundle(encode_bundle(rule_set_of(text), [Source("0.yaml", text)])).rule_set

    assert rules.alerting[0].text.expression == rule_set_of(text).alerting[0].text.expression
    seen = event(body={**ROLE, "labels": {"a": "x", "b": None, "c": ["y"]}})
    assert rules.decide(seen).alerting == ("mine.r",)
    assert rules.alerting[0].message(seen) == "by get, create x, y"


def test_parentheses_are_put_inside() -> None:
    ambiguous = (
        'any RequestObject.rules[*] (verbs = "get" or verbs = "list" and resources = "pods") and Verb = "create"'
    )
    source = Source("mine.yaml", document(rule(ambiguous)))
    assert [found.code for found in load_sources([source]).diagnostics] == ["AW103"]

    fixed = fix_source(source, Precedence.STANDARD)

    assert '(verbs = "get" or (verbs = "list" and resources = "pods")) and Verb' in fixed.source.text
    assert load_sources([fixed.source]).diagnostics == []
