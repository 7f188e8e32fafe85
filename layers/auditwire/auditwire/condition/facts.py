"""Single tests as facts about a field, and when facts about one field exclude each other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import islice
from typing import Final

from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import root_index_of
from auditwire.condition.fields import Field, Kind
from auditwire.condition.operators import PatternError, Test, holds, positive_test
from auditwire.condition.syntax import Boolean, Comparison, Number, Operator, Path, Segment, Text, spell_path
from auditwire.condition.values import parse_number

Value = str | int | None
"""A value a scalar field may have; None is missing."""

_SCALARS: Final = (Kind.TEXT, Kind.OPTIONAL_TEXT, Kind.NUMBER)
_MAX_PATTERNS: Final = 64
_WILDCARDS: Final = re.compile(r"[*?]")
_MAX_INTEGER_LENGTH: Final = 20


class Presence(Enum):
    """What a test says about whether its field is there."""

    REQUIRED = "it holds only where the field is there"
    EXCLUDED = "it holds only where the field is missing"
    OPEN = "it may hold either way"


@dataclass(frozen=True)
class Fact:
    """A comparison that has to hold, or, ``denied``, that must not."""

    comparison: Comparison
    field: Field
    denied: bool
    offset: int
    is_own: bool
    """Whether it stands in the text itself, not in a macro."""

    @property
    def name(self) -> str:
        """The field as it is documented, with the keys below it."""
        keys = (replace(segment, index=None) for segment in self.field.rest)
        return spell_path((Segment(self.field.name), *keys))

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for tests of the same part of an event."""
        return (self.field.name, self._root_index, self.field.rest, self.comparison.lowered)

    @cached_property
    def is_indexed(self) -> bool:
        """Whether an index or a pattern stands on the path, so that each test may speak of another value."""
        return self._root_index is not None or any(segment.selects for segment in self.field.rest)

    @property
    def is_scalar(self) -> bool:
        """Whether the field has one value at most."""
        return self.field.kind in _SCALARS and not self.field.rest and not self.is_indexed

    @cached_property
    def presence(self) -> Presence:
        """What the test says about whether its field is there; of a text that is never missing, nothing."""
        if self.field.kind is Kind.TEXT:
            return Presence.OPEN
        if self.comparison.operator is Operator.EXISTS:
            if any(segment.is_pattern for segment in self.field.rest):
                return Presence.REQUIRED if self.comparison.negated is self.denied else Presence.OPEN
            if self.is_indexed:
                return Presence.OPEN if self.denied else Presence.REQUIRED
            return Presence.EXCLUDED if self.comparison.negated is not self.denied else Presence.REQUIRED
        return Presence.OPEN if self.denied else Presence.REQUIRED

    def holds_for(self, value: Value) -> bool:
        """Whether the fact holds for a value of a scalar field; a value that cannot be judged makes it false."""
        if self.comparison.operator is Operator.EXISTS:
            is_there = value != "" if self.field.kind is Kind.TEXT else value is not None
            return is_there is (self.comparison.negated is self.denied)
        try:
            return holds(self._test, value, negated=self.comparison.negated) is not self.denied
        except EvaluationError:
            return False

    @cached_property
    def values(self) -> frozenset[Value] | None:
        """The values of a scalar field it can hold for, where they can be counted; otherwise None."""
        comparison = self.comparison
        if comparison.operator is Operator.EXISTS:
            if comparison.negated is self.denied:
                return None
            return frozenset(("",)) if self.field.kind is Kind.TEXT else frozenset((None,))
        if comparison.negated is not self.denied or comparison.operator not in (Operator.EQUAL, Operator.IN):
            return None
        if self.field.kind is Kind.NUMBER:
            found = _integers(comparison)
        elif comparison.operator is Operator.EQUAL and not isinstance(comparison.operands[0], Text):
            return None  # 5, 5.0 and 5e0 are one number and three texts
        elif not comparison.operands:
            return None  # an empty list is one that a site fills later, no contradiction
        else:
            found = frozenset(_spelling(operand) for operand in comparison.operands)
        return None if found is None else found | {None} if self.denied else found

    @cached_property
    def _test(self) -> Test:
        try:
            return positive_test(self.comparison)
        except PatternError:  # pragma: no cover - such a comparison is refused before anything is said about it
            return lambda value: True

    @cached_property
    def _root_index(self) -> object:
        path = self.comparison.field
        return root_index_of(path, self.field) if isinstance(path, Path) else None


def work_of(facts: list[Fact]) -> int:
    """How many tests ``contradict`` runs at most."""
    counted = min((len(fact.values) for fact in facts if fact.is_scalar and fact.values is not None), default=1)
    return len(facts) * max(1, counted)


def contradict(facts: list[Fact]) -> bool:
    """Whether no event satisfies all of these facts about one part of it."""
    said = {(fact.comparison.operator, fact.comparison.operands, fact.comparison.negated, fact.denied): fact
            for fact in facts}  # fmt: skip
    if any((operator, operands, negated, not denied) in said for operator, operands, negated, denied in said):
        return True
    if facts[0].is_indexed:
        return False
    present = {fact.presence for fact in facts}
    if Presence.REQUIRED in present and Presence.EXCLUDED in present:
        return True
    if any(
        not denied and operator is not Operator.EXISTS and (operator, operands, not negated, False) in said
        for operator, operands, negated, denied in said
    ):
        return True
    return facts[0].is_scalar and _no_value(facts)


def _no_value(facts: list[Fact]) -> bool:
    """Whether a scalar field has no value that satisfies all of the facts."""
    counted = min((fact.values for fact in facts if fact.values is not None), key=len, default=None)
    if counted is not None:
        return not any(all(fact.holds_for(value) for fact in facts) for value in counted)
    return _empty_range(facts) or _exclusive_patterns(facts)


def _empty_range(facts: Iterable[Fact]) -> bool:
    """Whether orders leave nothing between them: of texts for a text, of integers for a number."""
    lower: list[tuple[str | float, bool]] = []
    upper: list[tuple[str | float, bool]] = []
    for fact in facts:
        operator = fact.comparison.operator
        if operator not in _BOUNDS or fact.denied:
            continue
        bound = _bound(fact)
        if bound is None:
            continue
        is_upper, is_strict = _BOUNDS[operator]
        if fact.comparison.negated:
            is_upper, is_strict = not is_upper, not is_strict
        (upper if is_upper else lower).append((bound, is_strict))
    return any(_apart(low, high) for low in lower for high in upper)


_BOUNDS: Final = {
    Operator.LESS: (True, True),
    Operator.LESS_OR_EQUAL: (True, False),
    Operator.GREATER: (False, True),
    Operator.GREATER_OR_EQUAL: (False, False),
}


def _bound(fact: Fact) -> str | float | None:
    literal = fact.comparison.operands[0]
    if fact.field.kind is Kind.NUMBER:
        return parse_number(literal.spelling) if isinstance(literal, Number) else None
    return literal.value if isinstance(literal, Text) else None


def _apart(low: tuple[str | float, bool], high: tuple[str | float, bool]) -> bool:
    """Whether no value lies above one bound and below the other."""
    if isinstance(low[0], str) and isinstance(high[0], str):
        return low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1]))
    if isinstance(low[0], str) or isinstance(high[0], str):
        return False
    if low[0] == high[0]:
        return low[1] or high[1]
    # Between two neighbouring integers there is no third one.
    return low[0] > high[0] or (low[1] and high[1] and low[0].is_integer() and high[0] == low[0] + 1)


def _exclusive_patterns(facts: list[Fact]) -> bool:
    """Whether two tests ask for different beginnings or different ends of a text."""
    positive = (fact.comparison for fact in facts if not fact.comparison.negated and not fact.denied)
    asked = [_beginning_and_end(comparison) for comparison in islice(positive, _MAX_PATTERNS)]
    beginnings = [beginning for beginning, _ in asked]
    ends = [end[::-1] for _, end in asked]
    return any(
        not one.startswith(other) and not other.startswith(one)
        for found in (beginnings, ends)
        for one in found
        for other in found
    )


def _beginning_and_end(comparison: Comparison) -> tuple[str, str]:
    """How a text has to begin, and how it has to end."""
    text = _spelling(comparison.operands[0]) if comparison.operands else ""
    if comparison.operator is Operator.STARTSWITH:
        return text, ""
    if comparison.operator is Operator.ENDSWITH:
        return "", text
    if comparison.operator is Operator.LIKE:
        parts = _WILDCARDS.split(text)
        return parts[0], parts[-1]
    return "", ""


def _integers(comparison: Comparison) -> frozenset[Value] | None:
    """The integers that are equal to one of the operands; the items of ``in`` are compared as they are spelled."""
    found: set[Value] = set()
    for operand in comparison.operands:
        if isinstance(operand, Boolean):
            return None
        if isinstance(operand, Number) and comparison.operator is Operator.EQUAL:
            number = parse_number(operand.spelling)
            if number is not None and number.is_integer():
                found.add(int(number))
            continue
        spelling = _spelling(operand)
        digits = spelling.removeprefix("-")
        is_integer = len(digits) <= _MAX_INTEGER_LENGTH and digits.isascii() and digits.isdigit()
        if is_integer and str(int(spelling)) == spelling:
            found.add(int(spelling))
    return frozenset(found)


def _spelling(operand: object) -> str:
    return operand.spelling if isinstance(operand, Number) else str(getattr(operand, "value", ""))
