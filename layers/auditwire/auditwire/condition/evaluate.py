"""The reference evaluator: walks the tree of a condition. Generated code (``codegen.py``) must always agree with it.

``bind`` resolves a tree once, so that walking it looks nothing up; ``evaluate`` walks it for one event.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from auditwire.condition.errors import EvaluationError, Finding
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.memory import remembered
from auditwire.condition.operators import PatternError, Test, exists_in_array, holds, positive_test
from auditwire.condition.paths import Step, exists_below, find, matches, steps_of
from auditwire.condition.syntax import And, Comparison, Expression, Not, Operator, Or, Path, Reference, Text


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """A comparison ready to run: the field it loads, the steps below it, the test, and both as one function.

    Each is one of its kind: conditions bound by one ``Binder`` share the atoms of equal comparisons.
    """

    comparison: Comparison
    field: Field
    steps: tuple[Step, ...]
    test: Test
    run: Callable[[Any], bool]


Bound = Atom | Not | And | Or


def bind_comparison(comparison: Comparison, fields: FieldTable) -> Atom | Finding:
    """The comparison ready to run, or the finding that refuses it (AW102, AW104, AW105, AW112)."""
    path = comparison.field
    if isinstance(path, Reference):
        return Finding("AW105", f"${{{path.name}}} is not defined", "define it as an alias", path.offset)
    field = fields.resolve(path)
    if isinstance(field, Finding):
        return field
    try:
        test = positive_test(comparison)
        if _is_costly(comparison):
            test = remembered(test)
    except PatternError as error:
        return Finding(
            "AW104", f"RE2 refuses the regular expression: {error}",
            "RE2 has no look-around and no back-references; repeats go up to 1000", comparison.offset,
        )  # fmt: skip
    steps = steps_of(field.rest, root_index_of(path, field))
    return Atom(comparison, field, steps, test, _runner(comparison, field, steps, test))


def _is_costly(comparison: Comparison) -> bool:
    """Whether the test searches with RE2 instead of comparing."""
    if comparison.operator is Operator.LIKE and isinstance(comparison.operands[0], Text):
        inner = comparison.operands[0].value.strip("*")
        return "*" in inner or "?" in inner
    return comparison.operator is Operator.REGEX


def root_index_of(path: Path, field: Field) -> Any:
    """The index on the field itself, as in ``SourceIPs[0]``: on the last segment the field took."""
    consumed = len(path.segments) - len(field.rest)
    return path.segments[consumed - 1].index if consumed else None


def evaluate(node: Any, event: Any) -> bool:
    """Whether the bound expression holds for an event, from left to right, no further than needed.

    Raises ``EvaluationError`` where a comparison meets a value it cannot judge.
    """
    if isinstance(node, Atom):
        return node.run(event)
    if isinstance(node, Not):
        return not evaluate(node.operand, event)
    if isinstance(node, And):
        return all(evaluate(operand, event) for operand in node.operands)
    return any(evaluate(operand, event) for operand in node.operands)


def comparisons(node: Expression) -> list[Comparison]:
    """Every comparison of an expression, in the order of its text."""
    found: list[Comparison] = []
    pending: list[Expression] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, And | Or):
            pending.extend(reversed(current.operands))
        elif isinstance(current, Not):
            pending.append(current.operand)
        elif isinstance(current, Comparison):
            found.append(current)
    return found


def _runner(comparison: Comparison, field: Field, steps: tuple[Step, ...], test: Test) -> Callable[[Any], bool]:
    load, negated = field.load, comparison.negated
    if field.kind is Kind.TEXT and comparison.operator is Operator.EXISTS and not _indexed(steps):
        # A text that is never missing still does not exist while it is empty.
        return lambda event: (load(event) != "") is not negated
    if not _indexed(steps):
        keys = steps[0].keys
        if comparison.operator is Operator.EXISTS:
            return lambda event: exists_below(load(event), keys) is not negated
        return lambda event: holds(test, find(load(event), keys), negated=negated)
    if comparison.operator is Operator.EXISTS:
        return lambda event: matches(load(event), steps, partial(exists_in_array, negated=negated))
    return lambda event: matches(load(event), steps, partial(holds, test, negated=negated, inside_array=True))


def _indexed(steps: tuple[Step, ...]) -> bool:
    return len(steps) > 1 or steps[0].index is not None


__all__ = ["Atom", "EvaluationError", "bind_comparison", "comparisons", "evaluate"]
