"""A condition with the value of each of its parts for one event, and which of them decide it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import Bound, Leaf
from auditwire.condition.partial import of_unknown
from auditwire.condition.paths import reached
from auditwire.condition.precedence import spell
from auditwire.condition.syntax import And, Not, Or
from auditwire.condition.syntax import children as children_of
from auditwire.events.model import Event

Kind = Literal["test", "not", "and", "or"]

_KINDS: Final[dict[type, Kind]] = {Not: "not", And: "and", Or: "or"}


@dataclass(frozen=True, slots=True)
class Trace:
    """A part of a condition and its value. ``children`` are its operands.

    A part without children is a test: ``actual`` is what the event has in its field (None: missing). A part has no
    value (None) if it meets a value that it cannot judge, which ``problem`` says, or if it depends on a part of the
    event that is missing.
    """

    kind: Kind
    text: str
    value: bool | None
    actual: Any = None
    problem: str = ""
    children: tuple["Trace", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The trace for ``--format json``."""
        problem = {"problem": self.problem} if self.problem else {}
        children = [child.as_json() for child in self.children]
        return {"text": self.text, "value": self.value, "actual": self.actual, **problem, "children": children}

    def tests(self) -> Iterator["Trace"]:
        """Its tests, in the order of the text."""
        if self.kind == "test":
            yield self
        for child in self.children:
            yield from child.tests()


def trace(node: Bound, event: Event) -> Trace:
    """The trace of a bound condition. Unlike the evaluator, it looks at every test, whether it decides or not."""
    if isinstance(node, Not | And | Or):
        kind, operands = _KINDS[type(node)], cast("tuple[Bound, ...]", children_of(node))
        children = tuple(trace(operand, event) for operand in operands)
        value, problem = _combined(kind, children)
        return Trace(kind, spell(_unbound(node)), value, problem=problem, children=children)
    return _test(node, event)


def because(found: Trace) -> tuple[Trace, ...]:
    """The fewest tests from which the value of a trace follows."""
    if found.kind == "test":
        return (found,)
    if found.kind == "not":
        return because(found.children[0])
    if found.value is (found.kind == "and"):
        return tuple(test for child in found.children for test in because(child))
    deciding = [because(child) for child in found.children if child.value is found.value]
    return min(deciding, key=len)


def decisive(found: Trace) -> frozenset[int]:
    """The tests, by position, of which each alone decides: were its value the other one, the whole would be too."""
    return frozenset(_decisive(found, 0)[0])


def _decisive(found: Trace, first: int) -> tuple[list[int], int]:
    """The decisive tests of a part, and how many tests the part has. ``first`` is the position of its first one."""
    if found.kind == "test":
        return [first] if found.value is not None else [], 1
    decides = found.kind == "or"
    positions: list[int] = []
    count = 0
    for child in found.children:
        below, tests = _decisive(child, first + count)
        count += tests
        others = (other.value for other in found.children if other is not child)
        if found.kind == "not" or all(value is (not decides) for value in others):
            positions += below
    return positions, count


def _test(atom: Leaf, event: Event) -> Trace:
    text = spell(atom.expression)
    if atom.field.is_unknown(event, event.unknown_paths):
        return Trace("test", text, of_unknown(atom))
    held = atom.field.load(event)
    actual = reached(held, atom.steps)
    try:
        return Trace("test", text, atom.judge(held), actual)
    except EvaluationError as error:
        return Trace("test", text, None, actual, problem=str(error))


def _combined(kind: Kind, children: tuple[Trace, ...]) -> tuple[bool | None, str]:
    """The value that the evaluator gives to a part, and why it gives none."""
    if kind == "not":
        value = children[0].value
        return None if value is None else not value, children[0].problem
    decides = kind == "or"
    result: bool | None = not decides
    for child in children:
        if child.value is decides:
            return decides, ""
        if child.value is None:
            if child.problem and result is not None:
                return None, child.problem
            result = None
    return result, ""


def _unbound(node: Any) -> Any:
    """A bound tree as an expression: its leaves know what they were made of."""
    if isinstance(node, Not):
        return Not(_unbound(node.operand))
    if isinstance(node, And | Or):
        return type(node)(tuple(_unbound(operand) for operand in node.operands))
    return node.expression
