"""Conditions on events of which a part is unknown: the reference evaluator with Kleene's three values.

A comparison that looks at an unknown member is unknown, whatever its operator. ``and`` and ``or`` are decided where the
operands that are known decide them; ``not`` of unknown is unknown. So an answer holds whatever the unknown part was.
"""

from collections.abc import Set as AbstractSet
from typing import Any

from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import Leaf
from auditwire.condition.syntax import Not, Or


def evaluate_partial(node: Any, event: Any, unknown: AbstractSet[str]) -> bool | None:
    """Whether the bound expression holds for an event whose members ``unknown`` are not known; None if that depends on
    them.

    Raises ``EvaluationError`` where a comparison meets a value it cannot judge, whatever the unknown members were. A
    comparison is unknown too where it cannot judge a value and it depends on them whether it is reached.
    """
    if isinstance(node, Leaf):
        return None if node.field.is_unknown(event, unknown) else node.judge(node.field.load(event))
    if isinstance(node, Not):
        value = evaluate_partial(node.operand, event, unknown)
        return None if value is None else not value
    decides = isinstance(node, Or)
    result: bool | None = not decides
    for operand in node.operands:
        try:
            value = evaluate_partial(operand, event, unknown)
        except EvaluationError:
            if result is not None:
                raise
            value = None
        if value is decides:
            return decides
        if value is None:
            result = None
    return result
