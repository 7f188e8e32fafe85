"""Macros are operands here and text in KubeSphere: a condition that reads differently is reported."""

import pytest

from auditwire.condition.compile import Dialect
from auditwire.documents.diagnostics import Diagnostic
from auditwire.rules import Source, load_sources
from rule_texts import document, rule

A, B, X = 'Verb = "create"', 'Verb = "update"', 'ObjectRef.Resource = "pods"'


def macro(text: str, name: str = "m") -> str:
    return f"- {{name: {name}, type: macro, macro: '{text}'}}\n"


def found(condition: str, *macros: str, precedence: str = "", dialect: Dialect = "auditwire") -> list[Diagnostic]:
    text = document("".join(macros) + rule(condition))
    if precedence:
        text = text.replace("metadata: {", f"metadata: {{annotations: {{auditwire.io/precedence: {precedence}}}, ")
    loaded = load_sources([Source("mine.yaml", text)], dialect=dialect)
    return [one for one in loaded.diagnostics if one.code == "AW127"]


@pytest.mark.parametrize(
    ("condition", "macros", "there", "here"),
    [
        (f"{X} and ${{m}}", [macro(f"{A} or {B}")], f"({X} and {A}) or {B}", f"{X} and ({A} or {B})"),
        (f"{X} or ${{m}}", [macro(f"{A} and {B}")], f"({X} or {A}) and {B}", f"{X} or ({A} and {B})"),
        (f"({X} and ${{m}})", [macro(f"{A} or {B}")], f"({X} and {A}) or {B}", f"{X} and ({A} or {B})"),
        (f"{X} and ${{n}}", [macro(f"{A} or {B}"), macro("${m}", "n")], f"({X} and {A}) or {B}",
         f"{X} and ({A} or {B})"),
        (f"${{m}} and {X}", [macro(f"not ({A})")], f"not ({A} and {X})", f"(not ({A})) and {X}"),
    ],
)  # fmt: skip
def test_a_condition_that_reads_differently_is_told_with_both_readings(
    condition: str, macros: list[str], there: str, here: str
) -> None:
    (one,) = found(condition, *macros)

    assert (str(one.severity), one.rule, one.column > 1) == ("warning", "mine.r", True)
    assert one.hint.startswith("put parentheses around the text of the macro. KubeSphere reads: ")
    assert one.hint.endswith(f"KubeSphere reads: {there}   Here it is: {here}")


@pytest.mark.parametrize(
    ("condition", "macros"),
    [
        (f"{X} and ${{m}}", [macro(f"({A} or {B})")]),
        (f"{X} and ${{m}}", [macro(f"{A} and {B}")]),
        (f"{X} or ${{m}}", [macro(f"{A} or {B}")]),
        (f"{X} and (${{m}})", [macro(f"{A} or {B}")]),
        ("${m}", [macro(f"{A} or {B}")]),
        (f"${{m}} or {X}", [macro(f"{A} and {B}")]),
        ("not (${m})", [macro(f"{A} or {B}")]),
        ("not ${m}", [macro(f"{A} or {B}")]),
        ("not ${m}", [macro(f"not ({A})")]),
        (f"{X} and ${{m}}", [macro(A)]),
        (f"{X} and ${{n}}", [macro(f"({A} or {B})"), macro("${m}", "n")]),
    ],
)
def test_a_condition_that_reads_the_same_is_left_alone(condition: str, macros: list[str]) -> None:
    assert found(condition, *macros) == []


def test_a_document_that_is_read_as_kubesphere_does_is_refused() -> None:
    different = (f"{X} and ${{m}}", macro(f"{A} or {B}"))

    assert [one.is_error for one in found(*different, precedence="kubesphere")] == [True]
    assert [one.is_error for one in found(*different, dialect="kubesphere")] == [True]
    assert [one.is_error for one in found(*different)] == [False]
    assert found(*different, precedence="standard") == []


def test_a_macro_of_another_document_means_its_own_names() -> None:
    other = document(macro("${x} or ${y}") + macro(A, "x") + macro(B, "y"), name="other")
    own = document(macro(B, "x") + rule(f"{X} and ${{other.m}}"), name="own")

    loaded = load_sources([Source("other.yaml", other), Source("own.yaml", own)])

    (one,) = [each for each in loaded.diagnostics if each.code == "AW127"]
    assert one.hint.endswith(f"Here it is: {X} and ({A} or {B})")


def test_aliases_and_lists_are_no_macros() -> None:
    others = "- {name: v, type: alias, alias: Verb}\n- {name: l, type: list, list: [create]}\n"

    assert found('${v} in ${l} and (ObjectRef.Name = "a" or ObjectRef.Name = "b")', others) == []


def test_many_nested_macros_cost_no_more_than_expanding_them() -> None:
    macros = [macro(A, "m0")]
    macros += [macro(f"${{m{number}}} or ${{m{number}}}", f"m{number + 1}") for number in range(10)]

    assert len(found(f"{X} and ${{m10}}", *macros)) == 1
