"""Whether a condition certainly holds: like the reference evaluator, but what is missing is unknown.

Exceptions are judged so. ``not (User.Username = "ann")`` holds for an event without a user; an exception must not rest
on that. ``exists`` and ``not exists`` ask just this, so they are decided.
"""

from collections.abc import Set as AbstractSet
from typing import Any

from auditwire.condition.elements import ElementTest
from auditwire.condition.evaluate import Atom, Leaf
from auditwire.condition.operators import elements_of
from auditwire.condition.paths import reached
from auditwire.condition.syntax import Not, Operator, Or

_NOTHING: AbstractSet[str] = frozenset()


def holds_certainly(node: Any, event: Any, unknown: AbstractSet[str] = _NOTHING) -> bool | None:
    """Whether the bound expression holds for an event; None if that depends on a field that is missing, or on one of
    the event's members that are ``unknown``.

    Raises ``EvaluationError`` where a comparison meets a value it cannot judge.
    """
    if isinstance(node, Leaf):
        return None if node.field.is_unknown(event, unknown) else _leaf(node, node.field.load(event))
    if isinstance(node, Not):
        value = holds_certainly(node.operand, event, unknown)
        return None if value is None else not value
    decides = isinstance(node, Or)
    result: bool | None = not decides
    for operand in node.operands:
        value = holds_certainly(operand, event, unknown)
        if value is decides:
            return decides
        if value is None:
            result = None
    return result


def _leaf(leaf: Leaf, value: Any) -> bool | None:
    if isinstance(leaf, Atom) and leaf.comparison.operator is Operator.EXISTS:
        return leaf.judge(value)
    # Of an array its elements are looked at, of which there may be none.
    found = list(elements_of([reached(value, leaf.steps)]))
    if not found:
        return None
    if isinstance(leaf, ElementTest):
        values = [holds_certainly(leaf.condition, one) for one in found if isinstance(one, dict)]
        return True if True in values else None if None in values else False
    return leaf.judge(value)
