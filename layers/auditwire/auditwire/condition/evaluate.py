"""The reference evaluator: walks the tree of a condition. Generated code (``codegen.py``) must always agree with it.

``bind`` resolves a tree once, so that walking it looks nothing up; ``evaluate`` walks it for one event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.operands import unfit_operand
from auditwire.condition.operators import PatternError, Test, exists_in_array, holds, positive_test
from auditwire.condition.paths import Judge, KeyPattern, Step, exists_below, judge_of, steps_of
from auditwire.condition.syntax import And, AnyOf, Comparison, Not, Operator, Or, Path, Reference, walk
from auditwire.condition.values import is_present


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Leaf:
    """A test of one field ready to run: what it was made of, the field it loads, the steps below it, and ``judge``,
    which says for what the field holds whether the test is true.

    Each is one of its kind: conditions bound by one ``Binder`` share the leaves of equal tests.
    """

    expression: Comparison | AnyOf
    field: Field
    steps: tuple[Step, ...]
    judge: Judge

    @property
    def is_plain(self) -> bool:
        """Whether it looks at what the field holds, not at something inside of it."""
        return len(self.steps) == 1 and self.steps[0].index is None and not self.steps[0].keys


@dataclass(frozen=True, slots=True, eq=False)
class Atom(Leaf):
    """A comparison ready to run, with the test of one value."""

    comparison: Comparison
    test: Test


Bound = Leaf | Not | And | Or


def bind_comparison(comparison: Comparison, fields: FieldTable) -> Atom | Finding:
    """The comparison ready to run, or the finding that refuses it (AW102, AW104, AW105, AW112, AW122, AW123)."""
    path = comparison.field
    if isinstance(path, Reference):
        return Finding("AW105", f"${{{path.name}}} is not defined", "define it as an alias", path.offset)
    field = fields.resolve(path)
    if isinstance(field, Finding):
        return field
    unfit = unfit_operand(comparison)
    if unfit is not None:
        return unfit
    try:
        test = positive_test(comparison)
    except PatternError as error:
        return Finding(
            "AW104", f"RE2 refuses the regular expression: {error}",
            "RE2 has no look-around and no back-references; repeats go up to 1000", comparison.offset,
        )  # fmt: skip
    steps = steps_of(field.rest, root_index_of(path, field))
    return Atom(comparison, field, steps, _judge(comparison, field, steps, test), comparison, test)


def root_index_of(path: Path, field: Field) -> Any:
    """The index on the field itself, as in ``SourceIPs[0]``: on the last segment the field took."""
    consumed = len(path.segments) - len(field.rest)
    return path.segments[consumed - 1].index if consumed else None


def evaluate(node: Any, event: Any) -> bool:
    """Whether the bound expression holds for an event, from left to right, no further than needed.

    Raises ``EvaluationError`` where a comparison meets a value it cannot judge.
    """
    if isinstance(node, Leaf):
        return node.judge(node.field.load(event))
    if isinstance(node, Not):
        return not evaluate(node.operand, event)
    if isinstance(node, And):
        return all(evaluate(operand, event) for operand in node.operands)
    return any(evaluate(operand, event) for operand in node.operands)


def is_false_of_nothing(leaf: Leaf) -> bool:
    """Whether a test is false, and raises nothing, where its field is missing: all but ``not exists``."""
    if not isinstance(leaf, Atom) or leaf.comparison.operator is not Operator.EXISTS:
        return True
    return not leaf.comparison.negated


def leaves_of(node: Bound) -> Iterator[Leaf]:
    """Every test of a bound expression, in the order of its text."""
    return (part for part in walk(node) if isinstance(part, Leaf))


def _judge(comparison: Comparison, field: Field, steps: tuple[Step, ...], test: Test) -> Judge:
    negated, keys = comparison.negated, steps[0].keys
    exists = comparison.operator is Operator.EXISTS
    if any(isinstance(step.index, KeyPattern) for step in steps):
        if exists:
            # No value at all is what `not exists` asks for, not some value that is none.
            some = judge_of(steps, is_present)
            return lambda value: some(value) is not negated
        return judge_of(steps, partial(holds, test, negated=negated))
    if _indexed(steps):
        if exists:
            return judge_of(steps, partial(exists_in_array, negated=negated))
        return judge_of(steps, partial(holds, test, negated=negated, inside_array=True))
    if exists and field.kind is Kind.TEXT:
        # A text that is never missing still does not exist while it is empty.
        return lambda value: (value != "") is not negated
    if exists:
        return lambda value: exists_below(value, keys) is not negated
    return judge_of(steps, partial(holds, test, negated=negated))


def _indexed(steps: tuple[Step, ...]) -> bool:
    return len(steps) > 1 or steps[0].index is not None
