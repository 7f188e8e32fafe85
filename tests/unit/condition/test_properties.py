"""What holds for every condition and every event."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditwire.condition import ConditionError, EvaluationError, compile_condition
from auditwire.condition.assemble import Binder
from auditwire.condition.codegen import generate
from auditwire.condition.evaluate import evaluate
from auditwire.condition.fields import FreeFields
from auditwire.condition.matcher import generate_matcher
from auditwire.condition.parse import parse
from auditwire.condition.precedence import Precedence, read, spell
from auditwire.condition.syntax import Expression
from auditwire.events import Event
from auditwire.rules.fields import EventFields
from strategies import audit_events, events, expressions, field_expressions


@given(expressions)
@settings(max_examples=200)
def test_a_spelled_expression_reads_back_as_itself_under_every_precedence(expression: Expression) -> None:
    text = spell(expression)

    for precedence in Precedence:
        assert read(parse(text), precedence) == expression


@given(expressions, st.lists(events, min_size=1, max_size=5))
@settings(max_examples=300)
def test_generated_code_and_the_reference_evaluator_agree(expression: Expression, some: list[dict[str, Any]]) -> None:
    bound = Binder(FreeFields()).bind(expression)
    condition = generate(bound)

    for event in some:
        assert _outcome(condition, event) == _outcome(lambda one: evaluate(bound, one), event)


@given(st.lists(field_expressions, min_size=1, max_size=12), st.lists(audit_events, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_matcher_of_many_conditions_agrees_with_each_of_them(some: list[Expression], seen: list[Event]) -> None:
    binder = Binder(EventFields())
    bound = [binder.bind(expression) for expression in some]
    match = generate_matcher(bound)

    for event in seen:
        singly = [_outcome(lambda one, node=node: evaluate(node, one), event) for node in bound]
        if all(isinstance(outcome, bool) for outcome in singly):
            assert match(event) == [position for position, outcome in enumerate(singly) if outcome]
        else:
            # It may raise, or not get as far as the comparison that would: then it is right about all the others.
            with suppress(EvaluationError):
                expected = [position for position, outcome in enumerate(singly) if outcome is True]
                assert match(event) == expected


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_compiles_or_is_refused_with_a_place(text: str) -> None:
    try:
        compile_condition(text)
    except ConditionError as error:
        assert error.diagnostics
        assert all(
            found.code.startswith("AW1") and found.line >= 1 and found.column >= 1 for found in error.diagnostics
        )


@given(st.text(alphabet='ab.[*]()"\\ !=<>,0123456789-_${}\n', max_size=40))
@settings(max_examples=300)
def test_text_that_looks_like_conditions_compiles_or_is_refused(text: str) -> None:
    with suppress(ConditionError):
        compile_condition(text)


@given(st.lists(st.sampled_from(["a", "b", "and", "or", "not", "(", ")", "!"]), max_size=12))
@settings(max_examples=300)
def test_an_accepted_condition_means_the_same_to_every_reader(words: list[str]) -> None:
    text = " ".join(words)
    try:
        strict = compile_condition(text)
    except ConditionError:
        return

    for precedence in ("kubesphere", "standard"):
        assert compile_condition(text, precedence=precedence).expression == strict.expression


def _outcome(condition: Any, event: dict[str, Any]) -> Any:
    try:
        return condition(event)
    except EvaluationError as error:
        return str(error)


@pytest.mark.parametrize("depth", [10, 149, 5_000])
def test_deep_nesting_is_compiled_or_refused_but_never_overflows(depth: int) -> None:
    for text in (
        "(" * depth + "a" + ")" * depth,
        "(a and b or " * depth + "a" + ")" * depth,
        "!" * depth + "a",
        "a and b or " * depth + "a",
    ):
        for precedence in ("kubesphere", "standard", "strict"):
            try:
                compile_condition(text, precedence=precedence).evaluate({"a": True})
            except ConditionError as error:
                assert error.diagnostics[0].code in ("AW103", "AW110")
