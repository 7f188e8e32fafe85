"""The table of operators is the one place of their words: what reads, prints, refuses and describes them follows it."""

import re
from pathlib import Path

import pytest

from auditwire.condition import ConditionError, compile_condition
from auditwire.condition.grammar import RESERVED
from auditwire.condition.precedence import spell
from auditwire.condition.syntax import SPELLINGS, Comparison, Operands, Operator

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"

BEHIND = {
    '"1"': "text",
    "1": "number",
    "true": "boolean",
    '("1", 1)': "list",
    '("192.0.2.1", "10.0.0.0/8")': "texts",
    "": "nothing",
}
TAKES = {
    Operands.NONE: {"nothing"},
    Operands.VALUE: {"text", "number", "boolean"},
    Operands.QUANTITY: {"text", "number"},
    Operands.WORDING: {"text", "number"},
    Operands.TEXT: {"text"},
    Operands.ITEMS: {"list", "texts"},
    Operands.NETWORKS: {"texts"},
}

each_spelling = pytest.mark.parametrize("word", SPELLINGS)


def is_accepted(condition: str, dialect: str = "auditwire") -> bool:
    try:
        compile_condition(condition, dialect=dialect)  # type: ignore[arg-type]
    except ConditionError:
        return False
    return True


@each_spelling
def test_an_operator_takes_the_operands_of_its_row_and_no_others(word: str) -> None:
    operator, negated = SPELLINGS[word]

    taken = {kind for operand, kind in BEHIND.items() if is_accepted(f"field {word} {operand}")}

    assert taken == TAKES[operator.operands]
    for operand in (one for one, kind in BEHIND.items() if kind in taken):
        expression = compile_condition(f"field {word} {operand}").expression
        assert isinstance(expression, Comparison)
        assert (expression.operator, expression.negated) == (operator, negated)
        assert compile_condition(spell(expression)).expression == expression


@each_spelling
def test_the_kubesphere_dialect_knows_what_the_table_says_it_knows(word: str) -> None:
    operator, _ = SPELLINGS[word]
    operand = next(one for one, kind in BEHIND.items() if kind in TAKES[operator.operands])

    assert is_accepted(f"field {word} {operand}", dialect="kubesphere") is operator.in_kubesphere


def test_the_negative_form_of_a_word_is_the_word_behind_not() -> None:
    assert [one for one in Operator if one.is_word and one.negative != f"not {one}"] == []


def test_a_word_kubesphere_does_not_know_takes_no_name_from_a_field() -> None:
    for operator in (one for one in Operator if one.is_word):
        assert is_accepted(f'{operator} = "x"') is not operator.in_kubesphere
        assert is_accepted(f'{operator}.a = "x" and a.{operator} = "x"')
    assert set(RESERVED) == {
        "and", "or", "not", "in", "contains", "like", "regex", "exists",
        "true", "True", "TRUE", "false", "False", "FALSE",
    }  # fmt: skip


def test_the_page_has_the_words_of_the_table_and_says_which_are_ours() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| operator | holds when |\n| --- | --- |\n")[2].split("\n\n")[0]
    rows = [row.strip("|").split(" | ") for row in table.splitlines()]
    words = {
        word.removesuffix(" (…)"): "*(auditwire only)*" not in meaning
        for operators, meaning in rows
        for word in re.findall(r"`([^`]+)`", operators)
    }

    assert words == {word: operator.in_kubesphere for word, (operator, _) in SPELLINGS.items()}
