"""What a query can ask of an event's fields: tests, and how they are combined.

Every engine gives them the same meaning. The filters of ``auditwire.archive.filters`` are filters of a query too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from auditwire.search.fields import Kind, field_of

_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER: Final = str.maketrans(_UPPER, _UPPER.lower())


class Filter(Protocol):
    """One question about an event."""

    def matches(self, found: Any) -> bool:
        """Whether the event, a Found, is one of those that are looked for."""


class Match(StrEnum):
    """How a value is compared with what is looked for. Characters such as ``*`` and ``%`` stand for themselves."""

    IS = "is"
    CONTAINS = "contains"
    STARTS = "starts"


@dataclass(frozen=True, slots=True)
class Test:
    """True if a field has any of some values; of a list, if any of its texts has.

    With ``any_case`` the letters A to Z and a to z are the same. Numbers are only compared as a whole. Raises
    ValueError for a field that does not exist, and for values that it cannot have.
    """

    __test__ = False  # not a class of tests for pytest

    field: str
    values: tuple[str | int, ...]
    match: Match = Match.IS
    any_case: bool = False

    def __post_init__(self) -> None:
        field = field_of(self.field)
        if field.kind is Kind.TIME:
            raise ValueError(f"{self.field} is a time, which start and end of a query limit")
        if field.kind is Kind.NUMBER and (self.match is not Match.IS or self.any_case):
            raise ValueError(f"{self.field} is a number, which is only compared as a whole")
        wanted = int if field.kind is Kind.NUMBER else str
        for value in self.values:
            if not isinstance(value, wanted):
                raise ValueError(f"{self.field} is a {field.kind}, so it is never {value!r}")

    def matches(self, found: Any) -> bool:
        """See Filter."""
        field = field_of(self.field)
        value = field.get(found)
        if field.kind is Kind.LIST:
            return any(map(self._holds, value))
        return bool(self._holds(value))

    def _holds(self, value: Any) -> bool:
        if self.match is Match.IS and not self.any_case:
            return value in self.values
        text = lowered(value) if self.any_case else value
        return any(_TESTS[self.match](text, lowered(each) if self.any_case else each) for each in self.values)


@dataclass(frozen=True, slots=True)
class AllOf:
    """True if all parts are; without parts it is always true."""

    parts: tuple[Filter, ...] = ()

    def matches(self, found: Any) -> bool:
        """See Filter."""
        return all(part.matches(found) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True if any part is; without parts it is never true."""

    parts: tuple[Filter, ...] = ()

    def matches(self, found: Any) -> bool:
        """See Filter."""
        return any(part.matches(found) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """True if the part is not."""

    part: Filter

    def matches(self, found: Any) -> bool:
        """See Filter."""
        return not self.part.matches(found)


def lowered(text: Any) -> str:
    """A text with the letters A to Z in lower case, and no others: engines disagree about the rest."""
    return str(text).translate(_TO_LOWER)


_TESTS: Final[dict[Match, Callable[[str, Any], bool]]] = {
    Match.IS: lambda text, wanted: text == wanted,
    Match.CONTAINS: lambda text, wanted: wanted in text,
    Match.STARTS: str.startswith,
}
