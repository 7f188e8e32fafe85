"""What of a condition decides about an event."""

import pytest

from auditwire.analysis.trace import because, decisive, trace
from auditwire.rules import Rule
from made_events import event
from rule_texts import document, rule, rule_set_of


def rule_of(condition: str) -> Rule:
    return rule_set_of(document(rule(condition))).alerting[0]


@pytest.mark.parametrize(
    ("condition", "value", "texts", "positions"),
    [
        ('Verb = "get"', True, ['Verb = "get"'], {0}),
        ('Verb = "get" and Stage = "Panic"', False, ['Stage = "Panic"'], {1}),
        ('Verb = "put" and Stage = "Panic"', False, ['Verb = "put"'], set()),
        ('Verb = "get" or Stage = "Panic"', True, ['Verb = "get"'], {0}),
        ('Verb = "get" or User.Username = "ann"', True, ['Verb = "get"'], set()),
        ('not (Verb = "put" or Stage = "Panic")', True, ['Verb = "put"', 'Stage = "Panic"'], {0, 1}),
        ('Verb = "get" and (Stage = "Panic" or Stage = "x")', False, ['Stage = "Panic"', 'Stage = "x"'], {1, 2}),
        ('(Stage = "Panic" or Stage = "x") and Verb = "put"', False, ['Verb = "put"'], set()),
    ],
)
def test_the_fewest_tests_explain_a_value_and_those_that_alone_decide_are_found(
    condition: str, value: bool, texts: list[str], positions: set[int]
) -> None:
    found = trace(rule_of(condition).bound, event())

    assert found.value is value
    assert [test.text for test in because(found)] == texts
    assert decisive(found) == positions


def test_a_trace_has_the_values_of_the_event_also_where_nothing_decides() -> None:
    found = trace(rule_of('Verb = "x" and RequestObject.a[*].b = "1"').bound, event(body={"a": [{"b": 1}, {"c": 2}]}))

    assert [test.actual for test in found.tests()] == ["get", [1, None]]
    assert found.as_json() == {
        "text": 'Verb = "x" and RequestObject.a[*].b = "1"',
        "value": False,
        "actual": None,
        "children": [
            {"text": 'Verb = "x"', "value": False, "actual": "get", "children": []},
            {"text": 'RequestObject.a[*].b = "1"', "value": True, "actual": [1, None], "children": []},
        ],
    }


@pytest.mark.parametrize(
    ("condition", "value", "problem"),
    [
        ('RequestObject.a > 1 and Verb = "x"', None, "'b' is not a number"),
        ('Verb = "x" and RequestObject.a > 1', False, ""),
        ('(not (RequestObject.a > 1)) or Verb = "get"', None, "'b' is not a number"),
    ],
)
def test_a_value_that_cannot_be_judged_counts_where_the_evaluator_meets_it(
    condition: str, value: bool | None, problem: str
) -> None:
    found = trace(rule_of(condition).bound, event(body={"a": "b"}))

    assert (found.value, found.problem) == (value, problem)


def test_what_is_unknown_of_an_event_leaves_only_what_depends_on_it_undecided() -> None:
    cut = event(verb="create", body={"a": 1})
    cut.unknown_paths = frozenset(("requestObject",))

    assert trace(rule_of("RequestObject.a = 1").bound, cut).value is None
    assert trace(rule_of('RequestObject.a = 1 or Verb = "create"').bound, cut).value is True
