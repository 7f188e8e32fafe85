"""Literals that no event has in the field they are compared with, whatever cluster it comes from."""

import re
from collections.abc import Iterator
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field
from auditwire.condition.remarks import cut, cut_hint, warning
from auditwire.condition.syntax import ORDERS, Comparison, Operator, Text

_TIMESTAMPS: Final = ("RequestReceivedTimestamp", "StageTimestamp")
_CANONICAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
# What sorts as one expects in an order: the canonical form cut off between two of its parts.
_PREFIX: Final = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d{1,6})?)?)?)?)?)?", re.ASCII)

_WORDS: Final = {
    "Stage": ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"),
    "Level": ("Metadata", "Request", "RequestResponse"),
    "Outcome": ("allowed", "denied", "failed", "dry-run"),
}


def unheard_of(comparison: Comparison, field: Field) -> Iterator[Finding]:
    """A literal that no event has in this field."""
    if comparison.lowered:
        return
    exact = comparison.operator in (Operator.EQUAL, Operator.IN)
    for literal in comparison.operands:
        if not isinstance(literal, Text):
            continue
        if field.name in _TIMESTAMPS:
            is_order = comparison.operator in ORDERS
            if (exact or is_order) and not _CANONICAL.fullmatch(literal.value):
                if is_order and _PREFIX.fullmatch(literal.value):
                    continue
                yield warning(
                    "AW118",
                    comparison,
                    f'"{cut(literal.value)}" does not have the form timestamps are compared in',
                    f"write 2026-11-21T22:05:00.000000Z: UTC, six digits, Z{_in_order(is_order=is_order)}",
                )
        elif exact:
            yield from _one(comparison, field, literal.value)


def _in_order(*, is_order: bool) -> str:
    return "; in an order also its beginning, as in 2026-11-21" if is_order else ""


def _one(comparison: Comparison, field: Field, value: str) -> Iterator[Finding]:
    hint = ""
    if field.name in _WORDS and value not in _WORDS[field.name]:
        meant = next((word for word in _WORDS[field.name] if word.lower() == value.lower()), "")
        hint = f'write "{meant}"' if meant else f"it is one of {', '.join(_WORDS[field.name])}"
    if hint:
        yield warning("AW121", comparison, f'no event has the {field.name} "{cut(value)}"', cut_hint(hint))
