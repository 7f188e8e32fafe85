"""Counting what is found, event by event or many at once, until it is a Summary."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import product
from typing import Any, Final

from auditwire.search.answer import Bucket, Count, Group, Summary
from auditwire.search.fields import Kind, field_of
from auditwire.search.query import MAX_GROUPS, Wanted

Value = str | int | None
Values = tuple[Value, ...]

_LENGTH_OF_A_TIME: Final = len("2026-11-21T22:05:00.100000Z")


class Sums:
    """The counts so far. ``distinct`` holds the values of each such field that were seen one by one."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.events = 0
        self._groups: Counter[Values] = Counter()
        self._facets: dict[str, Counter[Values]] = {facet.field: Counter() for facet in wanted.facets}
        self._buckets: Counter[datetime] = Counter()
        self.distinct: dict[str, set[str]] = {name: set() for name in wanted.distinct}
        self._more_distinct: Counter[str] = Counter()

    def add(self, found: Any) -> None:
        """Counts one event, a Found. Raises ValueError for more groups than fit into memory."""
        self.events += 1
        wanted = self._wanted
        if wanted.groups:
            self.add_groups((values, 1) for values in values_of(found, wanted.groups.fields))
        for facet in wanted.facets:
            self.add_values(facet.field, ((values, 1) for values in values_of(found, (facet.field,))))
        if wanted.histogram:
            text = field_of(wanted.histogram.by).get(found)
            if text:
                self.add_bucket(wanted.histogram.interval.start(moment_of(text)), 1)
        for name in wanted.distinct:
            self.distinct[name].add(field_of(name).get(found))

    def add_groups(self, counts: Iterable[tuple[Values, int]]) -> None:
        """Adds to the counts of groups."""
        _add(self._groups, counts)

    def add_values(self, field: str, counts: Iterable[tuple[Values, int]]) -> None:
        """Adds to the counts of a facet."""
        _add(self._facets[field], counts)

    def add_bucket(self, start: datetime, count: int) -> None:
        """Adds to the count of a bucket."""
        self._buckets[start] += count

    def add_distinct(self, field: str, count: int) -> None:
        """Adds values that are none of those in ``distinct``."""
        self._more_distinct[field] += count

    def summary(self) -> Summary:
        """All that was wanted."""
        wanted = self._wanted
        groups = _most_frequent(self._groups, wanted.groups.limit) if wanted.groups else ()
        return Summary(
            events=self.events,
            groups=tuple(Group(values, count) for values, count in groups),
            histogram=tuple(Bucket(start, count) for start, count in sorted(self._buckets.items())),
            facets={
                facet.field: tuple(
                    Count(values[0], count) for values, count in _most_frequent(self._facets[facet.field], facet.limit)
                )
                for facet in wanted.facets
            },
            distinct={name: len(seen) + self._more_distinct[name] for name, seen in self.distinct.items()},
        )


def values_of(found: Any, fields: tuple[str, ...]) -> Iterator[Values]:
    """The groups that an event is in: one, unless it has several texts in a list."""
    several: list[Iterable[Value]] = []
    for name in fields:
        field = field_of(name)
        value = field.get(found)
        several.append((dict.fromkeys(value) or ("",)) if field.kind is Kind.LIST else (value,))
    return product(*several)


def moment_of(text: str) -> datetime:
    """The moment of a time as events have it, in normal form."""
    return datetime.fromisoformat(text)


def _add(counter: Counter[Values], counts: Iterable[tuple[Values, int]]) -> None:
    for values, count in counts:
        counter[values] += count
    if len(counter) > MAX_GROUPS:
        raise ValueError(f"there are more than {MAX_GROUPS:,} groups; count by fewer fields, or narrow the search")


def _most_frequent(counts: Counter[Values], limit: int | None) -> list[tuple[Values, int]]:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], [_order(value) for value in one[0]]))
    return ordered[:limit]


def _order(value: Value) -> tuple[bool, bool, str | int]:
    return (value is not None, isinstance(value, str), "" if value is None else value)
