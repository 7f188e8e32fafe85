"""Histograms: how events are spread over time, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

TimeField = Literal["time", "received"]
"""Which time of an event is meant: when it is kept, or its requestReceivedTimestamp."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
_WRITTEN: Final = re.compile(r"([0-9]{1,6})([smhdwMqy])")
_LAST_YEAR: Final = 9999


class Unit(StrEnum):
    """The units of an interval. Weeks begin on Monday; a month, quarter or year is one of the calendar."""

    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "d"
    WEEK = "w"
    MONTH = "M"
    QUARTER = "q"
    YEAR = "y"


_FIXED: Final = {
    Unit.SECOND: timedelta(seconds=1),
    Unit.MINUTE: timedelta(minutes=1),
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(days=1),
    Unit.WEEK: timedelta(weeks=1),
}
_MONTHS: Final = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bucket is: a number of units. Raises ValueError where it is not positive, and for several months,
    quarters or years, which have no fixed beginning."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.count < 1 or (self.unit in _MONTHS and self.count > 1):
            raise ValueError(f"{self} is no interval")

    @staticmethod
    def parse(text: str) -> "Interval":
        """Reads ``30s``, ``10m``, ``1h``, ``1d``, ``1w``, ``1M``, ``1q`` or ``1y``. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is no interval; write it like 10m, 1h, 1d or 1M")
        return Interval(int(found[1]), Unit(found[2]))

    @property
    def length(self) -> timedelta | None:
        """How long it is; None for a month, quarter or year."""
        fixed = _FIXED.get(self.unit)
        return None if fixed is None else self.count * fixed

    @property
    def origin(self) -> datetime:
        """Where buckets of a fixed length begin to be counted."""
        return _MONDAY if self.unit is Unit.WEEK else _EPOCH

    def start(self, moment: datetime) -> datetime:
        """The beginning of the bucket that a moment is in."""
        length = self.length
        if length is not None:
            return moment - (moment - self.origin) % length
        month = moment.month - 1
        return datetime(moment.year, month - month % _MONTHS[self.unit] + 1, 1, tzinfo=UTC)

    def after(self, start: datetime) -> datetime | None:
        """The beginning of the bucket behind the one that begins at ``start``; None where time ends."""
        length = self.length
        if length is not None:
            try:
                return start + length
            except OverflowError:
                return None
        months = start.month - 1 + _MONTHS[self.unit]
        year = start.year + months // 12
        return None if year > _LAST_YEAR else datetime(year, months % 12 + 1, 1, tzinfo=UTC)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts events by time. Those that do not have the time are not counted."""

    interval: Interval
    by: TimeField = "time"
