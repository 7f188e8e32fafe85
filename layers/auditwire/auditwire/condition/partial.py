"""Conditions on events of which a part is unknown: the reference evaluator with Kleene's three values.

A comparison that looks at an unknown member is unknown, whatever its operator. ``and`` and ``or`` are decided where the
operands that are known decide them; ``not`` of unknown is unknown. So an answer holds whatever the unknown part was.
"""

from collections.abc import Set as AbstractSet
from typing import Any, Final

from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import Leaf
from auditwire.condition.syntax import And, Not, Or

_COMPOUND: Final = frozenset((And, Or, Not))


def evaluate_partial(
    node: Any, event: Any, unknown: AbstractSet[str], known: dict[Leaf, bool | None] | None = None
) -> bool | None:
    """Whether the bound expression holds for an event whose members ``unknown`` are not known; None if that depends on
    them.

    Raises ``EvaluationError`` where a comparison meets a value it cannot judge, whatever the unknown members were. A
    comparison is unknown too where it cannot judge a value and it depends on them whether it is reached. ``known``
    keeps what was found about comparisons, for other expressions on the same event that share them.
    """
    return _value(node, event, unknown, {} if known is None else known)


def _value(node: Any, event: Any, unknown: AbstractSet[str], known: dict[Leaf, bool | None]) -> bool | None:
    kind = node.__class__
    if kind is Not:
        value = _value(node.operand, event, unknown, known)
        return None if value is None else not value
    if kind is not And and kind is not Or:
        if node not in known:
            known[node] = None if node.field.is_unknown(event, unknown) else node.judge(node.field.load(event))
        return known[node]
    decides = kind is Or
    result: bool | None = not decides
    for operand in node.operands:
        # Most operands were judged for another rule before.
        is_leaf = operand.__class__ not in _COMPOUND
        if is_leaf and operand in known:
            value = known[operand]
        else:
            try:
                value = _value(operand, event, unknown, known)
            except EvaluationError:
                if result is not None:
                    raise
                value = None
        if value is decides:
            return decides
        if value is None:
            result = None
    return result
