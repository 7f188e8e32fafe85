"""Hostile documents: refused with a reason, however large what they ask for is. Each of these once cost too much."""

import pytest

from auditwire.rules import Loaded, Source, load_sources
from rule_texts import document, rule


def load(entries: str) -> Loaded:
    return load_sources([Source("d.yaml", document(entries))])


def macros(numbers: range) -> str:
    return "".join(f"- {{name: m{n}, type: macro, macro: 'not ${{m{n - 1}}}'}}\n" for n in numbers)


def lists(numbers: range) -> str:
    return "".join(f"- {{name: m{n}, type: list, list: ['${{m{n - 1}}}']}}\n" for n in numbers)


FIRST_MACRO = "- {name: m0, type: macro, macro: 'Verb exists'}\n"
FIRST_LIST = "- {name: m0, type: list, list: [get]}\n"
LONG_LIST = f"- {{name: m0, type: list, list: [{', '.join(f'x{n}' for n in range(5_000))}]}}\n"
LONG_PATTERNS = " or ".join(f'Verb regex "a{i}.{{1000}}"' for i in range(60))
OWN = f"labels: {{{', '.join(f'a{n}: b' for n in range(33))}}}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entries", "code", "reason"),
    [
        pytest.param(
            FIRST_MACRO + macros(range(1, 2_000)) + rule("${m1999}"), "AW110", "nested too deeply",
            id="a chain of macros, innermost first",
        ),
        pytest.param(
            macros(range(1_999, 0, -1)) + FIRST_MACRO + rule("${m1999}"), "AW110", "nested too deeply",
            id="a chain of macros, outermost first",
        ),
        pytest.param(
            lists(range(1_999, 0, -1)) + FIRST_LIST + rule("Verb in ${m1999}"), "AW110", "nested too deeply",
            id="a chain of lists",
        ),
        pytest.param(
            LONG_LIST + "".join(rule(f'Verb in ${{m0}} and ObjectRef.Name = "{n}"', name=f"r{n}") for n in range(51)),
            "AW110", "expanded with their macros and lists, the rules up to here have more than 250,000 tests",
            id="a long list used often",
        ),
        pytest.param(
            "".join(rule(LONG_PATTERNS, name=f"r{n}") for n in range(5)),
            "AW110", "the regular expressions up to here take more memory",
            id="regular expressions of megabytes",
        ),
        pytest.param(
            f"- {{name: m0, type: list, list: [{', '.join(['x'] * 10_001)}]}}\n" + rule("Verb in ${m0}"),
            "AW214", "the list has 10,001 items, the limit is 10,000",
            id="a list of too many items",
        ),
        pytest.param(
            rule("Verb exists", more=f", {OWN}"), "AW214", "the rule has 33 labels, the limit is 32", id="many labels"
        ),
        pytest.param(
            rule("Verb exists", more=f", labels: {{a: {'b' * 257}}}"), "AW214", "labels.a is longer than 256",
            id="a long label",
        ),
        pytest.param(
            rule("Verb exists", more=f", annotations: {{a: {'b' * 1_025}}}"),
            "AW214", "annotations.a is longer than 1,024",
            id="a long annotation",
        ),
        pytest.param(
            "".join(rule("Verb exists", name=f"r{n}") for n in range(2_001)),
            "AW214", "there are 2,001 enabled rules, the limit is 2,000",
            id="many rules",
        ),
        pytest.param(
            "".join(f"- {{name: l{n}, type: list, list: [a]}}\n" for n in range(5_001)),
            "AW214", "the document has 5,001 entries, the limit is 5,000",
            id="many entries",
        ),
        pytest.param(
            rule(" and ".join(["Verb exists"] * 5_000)), "AW110", "characters long, the limit is 65,536",
            id="a long condition",
        ),
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused_with_the_reason(entries: str, code: str, reason: str) -> None:
    loaded = load(entries)

    assert loaded.rule_set is None
    assert any(found.code == code and reason in found.message for found in loaded.diagnostics)


@pytest.mark.slow
@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("(" * 30_000 + "Verb exists" + ")" * 30_000, id="parentheses"),
        pytest.param("not (" * 10_000 + "Verb exists" + ")" * 10_000, id="negations"),
        pytest.param(" or ".join(f'Verb = "a{n}"' for n in range(3_000)), id="alternatives"),
        pytest.param(" and ".join(f'User.Username != "a{n}"' for n in range(2_000)), id="tests of one field"),
    ],
)
def test_what_is_large_but_harmless_loads(condition: str) -> None:
    assert load(rule(condition)).rule_set is not None


def test_a_text_with_hundreds_of_mistakes_gets_twenty_findings() -> None:
    found = load(rule(" and ".join(f"Vreb{n} exists" for n in range(500)))).diagnostics

    assert [one.code for one in found] == ["AW102"] * 20


@pytest.mark.slow
def test_thousands_of_misspelt_names_are_reported_without_comparing_each_with_all() -> None:
    names = "".join(
        f"- {{name: quite-a-long-name-{n}, type: macro, macro: '${{quite-a-long-nmae-{n}}}'}}\n" for n in range(1_000)
    )

    assert [one.code for one in load(names).diagnostics] == ["AW105"] * 1_000
