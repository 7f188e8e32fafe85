"""A condition as several, of which an event has to match one: each is ruled out by other fields than the next.

No lookup of one field rules out ``(APIGroup = "a" and Verb = "b" or Resource = "c") and d``. But nearly always lookups
rule out both ``APIGroup = "a" and Verb = "b" and d`` and ``Resource = "c" and d``.
"""

from typing import Any, Final

from auditwire.condition.evaluate import Bound
from auditwire.condition.parts import field_of, implied, parts_of
from auditwire.condition.syntax import And, Or

_MAX_ALTERNATIVES: Final = 8


def alternatives_of(condition: Bound) -> list[Bound]:
    """Conditions of which one holds, or raises, wherever this one does; and where none of them raises, one of them
    holds only where this one does."""
    parts: list[tuple[Any, bool]] = list(parts_of(condition))
    for place, (part, may_raise) in enumerate(parts):
        if may_raise:
            break  # behind this nothing is ruled out
        options = _options(part) if isinstance(part, Or) and field_of(part) is None else []
        if 1 < len(options) <= _MAX_ALTERNATIVES:
            before, behind = ([one for one, _ in some] for some in (parts[:place], parts[place + 1 :]))
            return [And((*before, option, *behind)) for option in options]
    return [condition]


def _options(part: Any) -> list[Any]:
    """The operands of an ``or``, those together that are ruled out by the same values; none if one cannot be."""
    by_values: dict[frozenset[Any], list[Any]] = {}
    for operand in part.operands:
        looked_up = frozenset(one for one, _ in parts_of(operand) if field_of(one) is not None)
        needed = frozenset((key, values) for key, (_, values) in implied(operand).items())
        if not looked_up and not needed:
            return []
        by_values.setdefault(looked_up | needed, []).append(operand)
    return [together[0] if len(together) == 1 else Or(tuple(together)) for together in by_values.values()]
