"""Texts and numbers of values, as Go's JSON has them."""

from typing import Any

import pytest

from auditwire.condition.errors import EvaluationError
from auditwire.condition.values import number_of, parse_number, text_of, truth_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (True, "true"),
        (5, "5"),
        (5.0, "5"),
        (-0.0, "-0"),
        (1_234_567, "1234567"),
        (1e-5, "0.00001"),
        (1.25e-7, "1.25e-7"),
        (1e21, "1e+21"),
        (123456789012345678901, "123456789012345680000"),
        (58.5, "58.5"),
        ({"b": 1, "a": ["x", None]}, "map[a:[x <nil>] b:1]"),
    ],
)
def test_the_text_of_a_value(value: Any, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("007", 7.0),
        ("+5", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1_000", 1000.0),
        ("0x1p-2", 0.25),
        ("-Infinity", float("-inf")),
        (" 5", None),
        ("5\n", None),
        ("1,000", None),
        ("1__0", None),
        ("0x10", None),
        ("500m", None),
        ("1e999", None),
        ("\u0665", None),
        ("9" * 2_000, None),
    ],
)
def test_a_text_is_a_number_by_the_rules_of_go(text: str, number: float | None) -> None:
    assert parse_number(text) == number


def test_a_huge_integer_is_infinite_not_an_error() -> None:
    assert number_of(10**400) == float("inf")


def test_only_some_words_are_true_or_false() -> None:
    assert truth_of("T")
    assert not truth_of(0)
    with pytest.raises(EvaluationError):
        truth_of("yes")
