"""A condition as several, of which an event has to match one: each is ruled out by other fields than the next.

No lookup of one field rules out ``(APIGroup = "a" and Verb = "b" or Resource = "c") and d``. But nearly always lookups
rule out both ``APIGroup = "a" and Verb = "b" and d`` and ``Resource = "c" and d``.
"""

from typing import Any, Final

from auditwire.condition.evaluate import Bound
from auditwire.condition.parts import field_of, parts_of
from auditwire.condition.syntax import And, Or

_MAX_ALTERNATIVES: Final = 8


def alternatives_of(condition: Bound) -> list[Bound]:
    """Conditions of which one holds, or raises, wherever this one does; and where none of them raises, one of them
    holds only where this one does."""
    parts: list[Any] = list(dict(parts_of(condition)))
    for place, (part, may_raise) in enumerate(parts_of(condition)):
        if may_raise:
            break  # behind this nothing is ruled out
        if isinstance(part, Or) and _is_worth_splitting(part):
            return [And((*parts[:place], option, *parts[place + 1 :])) for option in part.operands]
    return [condition]


def _is_worth_splitting(part: Any) -> bool:
    """Whether each of the operands can be ruled out by a lookup, and not all of them by the same one."""
    if field_of(part) is not None or len(part.operands) > _MAX_ALTERNATIVES:
        return False
    return all(any(field_of(one) is not None for one, _ in parts_of(option)) for option in part.operands)
