"""What holds for every condition and every event."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreement import assert_a_condition_agrees, assert_a_matcher_agrees, batches, rule_sets
from auditwire.condition import ConditionError, compile_condition
from auditwire.condition.parse import parse
from auditwire.condition.precedence import Precedence, read, spell
from auditwire.condition.syntax import Expression
from auditwire.events import Event
from examples import examples
from strategies import events, expressions


@given(expressions)
@examples(200)
def test_a_spelled_expression_reads_back_as_itself_under_every_precedence(expression: Expression) -> None:
    text = spell(expression)

    for precedence in Precedence:
        assert read(parse(text), precedence) == expression


@given(expressions, st.lists(events, min_size=1, max_size=5))
def test_generated_code_and_the_reference_evaluator_agree(expression: Expression, some: list[dict[str, Any]]) -> None:
    assert_a_condition_agrees(expression, some)


@given(rule_sets, batches)
def test_a_matcher_cold_and_hot_agrees_with_the_reference_evaluator(
    conditions: list[Expression], some: list[Event]
) -> None:
    assert_a_matcher_agrees(conditions, some)


@given(st.text(max_size=60))
@examples(300)
def test_any_text_compiles_or_is_refused_with_a_place(text: str) -> None:
    try:
        compile_condition(text)
    except ConditionError as error:
        assert error.diagnostics
        assert all(
            found.code.startswith("AW1") and found.line >= 1 and found.column >= 1 for found in error.diagnostics
        )


@given(st.text(alphabet='ab.[*]()"\\ !=<>,0123456789-_${}\n', max_size=40))
@examples(300)
def test_text_that_looks_like_conditions_compiles_or_is_refused(text: str) -> None:
    with suppress(ConditionError):
        compile_condition(text)


@given(st.lists(st.sampled_from(["a", "b", "and", "or", "not", "(", ")", "!"]), max_size=12))
@examples(300)
def test_an_accepted_condition_means_the_same_to_every_reader(words: list[str]) -> None:
    text = " ".join(words)
    try:
        strict = compile_condition(text)
    except ConditionError:
        return

    for precedence in ("kubesphere", "standard"):
        assert compile_condition(text, precedence=precedence).expression == strict.expression


@pytest.mark.parametrize("depth", [10, 149, pytest.param(5_000, marks=pytest.mark.slow)])
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
