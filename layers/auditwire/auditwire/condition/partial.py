"""Conditions on events of which a part is unknown: the reference evaluator with Kleene's three values.

A comparison that looks at an unknown member is unknown, whatever its operator; only one that no value can satisfy is
false. ``and`` and ``or`` are decided where the operands that are known decide them; ``not`` of unknown is unknown. So
an answer holds whatever the unknown part was.
"""

from collections.abc import Set as AbstractSet
from typing import Any, Final

from auditwire.condition.elements import ElementTest
from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import Atom, Leaf
from auditwire.condition.fields import Depends
from auditwire.condition.syntax import And, Not, Operator, Or

_OF_LIST: Final = frozenset((Operator.IN, Operator.WITHIN))

Known = dict[int | Depends, bool | None]
"""What was found about one event: the values of parts of conditions, by their ``id``, and whether fields depend on what
is unknown."""


def evaluate_partial(node: Any, event: Any, unknown: AbstractSet[str], known: Known | None = None) -> bool | None:
    """Whether the bound expression holds for an event whose members ``unknown`` are not known; None if that depends on
    them.

    Raises ``EvaluationError`` where a comparison meets a value it cannot judge, whatever the unknown members were. A
    comparison is unknown too where it cannot judge a value and it depends on them whether it is reached. ``known``
    keeps what was found, for other expressions on the same event that live as long.
    """
    return _value(node, event, unknown, {} if known is None else known)


def of_unknown(leaf: Any) -> bool | None:
    """The value of a test of a field that is not known: false where no value satisfies it, which is so of every list
    that nobody has filled; else None."""
    if isinstance(leaf, Atom):
        comparison = leaf.comparison
        is_never = comparison.operator in _OF_LIST and not comparison.operands and not comparison.negated
        return False if is_never else None
    if isinstance(leaf, ElementTest):
        return of_unknown(leaf.condition)
    operands = [of_unknown(operand) for operand in leaf.operands] if isinstance(leaf, And | Or) else []
    is_false = any if isinstance(leaf, And) else all
    return False if operands and is_false(value is False for value in operands) else None


def _value(node: Any, event: Any, unknown: AbstractSet[str], known: Known) -> bool | None:
    kind = node.__class__
    if kind is Not:
        value = _value(node.operand, event, unknown, known)
        return None if value is None else not value
    if kind is not And and kind is not Or:
        return _value_of_test(node, event, unknown, known)
    decides = kind is Or
    result: bool | None = not decides
    for operand in node.operands:
        # Most operands were judged for another rule before.
        key = id(operand)
        if key in known:
            value = known[key]
        else:
            try:
                value = known[key] = _value(operand, event, unknown, known)
            except EvaluationError:
                if result is not None:
                    raise
                value = None
        if value is decides:
            return decides
        if value is None:
            result = None
    return result


def _value_of_test(leaf: Leaf, event: Any, unknown: AbstractSet[str], known: Known) -> bool | None:
    field, depends = leaf.field, leaf.field.depends
    # What Field.is_unknown says, found out once for all fields that follow from the same members.
    if field.members.isdisjoint(unknown):
        return leaf.judge(field.load(event))
    if depends is not None:
        if depends not in known:
            known[depends] = depends(event, unknown)
        if not known[depends]:
            return leaf.judge(field.load(event))
    return of_unknown(leaf)
