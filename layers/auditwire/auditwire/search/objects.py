"""Which objects a query is about, hour by hour in the order in which they are searched."""

import heapq
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from auditwire.archive.keys import EVENTS, events_of, extended, parse_object_key
from auditwire.events.timestamps import as_text

if TYPE_CHECKING:
    from auditwire.search.place import Objects
    from auditwire.search.query import Query

LONGEST_REQUEST: Final = timedelta(hours=1)
"""An event is kept under the time of its stage, which may be so much later than when its request was received."""

_CLUSTER: Final = re.compile(r"events/cluster=([a-z0-9-]{1,63})/")
_DATE: Final = re.compile(r".*/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/")
_HOUR: Final = re.compile(r".*/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/hour=([0-9]{2})/")
_HOUR_LENGTH: Final = len("2026-11-21T22")


@dataclass(frozen=True, slots=True)
class Archived:
    """An object with events, as it is listed: the cluster and hour under which it lies, the time of its earliest event,
    and what shows whether it is still the same object."""

    key: str
    cluster: str
    hour: str
    t: str
    size: int
    modified: datetime | None

    @property
    def start(self) -> str:
        """The time of its earliest event: none of its events is kept under an earlier one."""
        return extended(self.t)


@dataclass(frozen=True, slots=True)
class Span:
    """The hours that may hold what a query looks for, from the first to the last, as ``2026-11-21T22``."""

    first: str
    last: str

    @staticmethod
    def of(query: "Query") -> "Span":
        """The hours of a query; open ends sort before and behind every hour."""
        end = query.end
        if end is not None:
            end -= timedelta(microseconds=1)
            if query.by == "received":
                end += LONGEST_REQUEST
        return Span(
            as_text(query.start)[:_HOUR_LENGTH] if query.start else "0",
            as_text(end)[:_HOUR_LENGTH] if end else ":",
        )

    def has(self, hour: str) -> bool:
        """Whether an hour is one of them."""
        return self.first <= hour <= self.last

    def has_date(self, date: str) -> bool:
        """Whether some hour of a day is one of them."""
        return self.first[:10] <= date <= self.last[:10]


def clusters_of(place: "Objects", query: "Query") -> list[str]:
    """The clusters in which a query looks, by their names."""
    found = (_CLUSTER.fullmatch(prefix) for prefix in place.folders(EVENTS).prefixes)
    return sorted(one[1] for one in found if one and (query.clusters is None or one[1] in query.clusters))


def hours_of(place: "Objects", query: "Query", *, newest: bool = False) -> Iterator[tuple[str, list[Archived]]]:
    """Each hour with its objects, of all clusters of a query; the earliest hour first, or the newest.

    Within an hour the objects are in order of their earliest events. Files whose keys are none of the archive's are
    passed over.
    """
    span = Span.of(query)
    streams = [_of_cluster(place, cluster, span, newest=newest) for cluster in clusters_of(place, query)]
    merged = heapq.merge(*streams, key=lambda one: one.hour, reverse=newest)
    for hour, objects in groupby(merged, key=lambda one: one.hour):
        yield hour, sorted(objects, key=lambda one: (one.t, one.key))


def _of_cluster(place: "Objects", cluster: str, span: Span, *, newest: bool) -> Iterator[Archived]:
    dates = sorted(_below(place, events_of(cluster), _DATE, lambda found: span.has_date(found[1])), reverse=newest)
    for prefix in dates:
        # One listing for a whole day, unless its hours are wanted in the other order.
        hours = sorted(_below(place, prefix, _HOUR, lambda found: span.has(f"{found[1]}T{found[2]}")), reverse=True)
        for part in hours if newest else [prefix]:
            for each in place.listing(part):
                found = parse_object_key(each.key)
                if found and span.has(found.hour):
                    yield Archived(each.key, cluster, found.hour, found.t, each.size, each.modified)


def _below(place: "Objects", prefix: str, shape: re.Pattern[str], keep: Callable[[re.Match[str]], bool]) -> list[str]:
    found = (shape.fullmatch(each) for each in place.folders(prefix).prefixes)
    return [one[0] for one in found if one and keep(one)]
