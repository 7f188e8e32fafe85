"""Which time a seal is about, where what arrived in it may lie, and how much goes into one seal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from auditwire.archive.keys import events_of, parse_object_key
from auditwire.evidence.errors import MalformedError
from auditwire.evidence.times import parse_second

if TYPE_CHECKING:
    from auditwire.evidence.store import Listed

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hour_in(key: str) -> datetime | None:
    """The hour under which an object is filed; None where its key is none of the archive's, or names no hour."""
    place = parse_object_key(key)
    try:
        return parse_second(f"{place.hour}:00:00Z") if place else None
    except MalformedError:
        return None


def window_end(start: datetime, to: datetime) -> datetime:
    """The end of the seal that begins at ``start``: that of its hour, and not behind ``to``."""
    return min(to, hour_of(start) + HOUR)


def hours_ended(start: datetime, end: datetime) -> Iterator[datetime]:
    """The hours that end behind ``start`` and not behind ``end``, by their beginning."""
    hour = hour_of(start)
    while hour + HOUR <= end:
        yield hour
        hour += HOUR


def usual_prefixes(cluster: str, start: datetime, end: datetime) -> list[str]:
    """Where nearly everything lies that arrived from ``start`` on and before ``end``: events are filed under their own
    hour, most are sent within a day, and no clock is ahead by more than one."""
    own = events_of(cluster)
    return [f"{own}date={date}/" for date in _dates(start, end)]


def is_usual(hour: str, start: datetime, end: datetime) -> bool:
    """Whether ``usual_prefixes`` cover an hour, ``2026-11-21T22``."""
    return hour[:10] in _dates(start, end)


def unusual_prefixes(cluster: str, start: datetime, end: datetime, hours: Iterable[str]) -> list[str]:
    """Those of ``hours``, each as ``2026-11-21T22``, that lie elsewhere."""
    dates, own = set(_dates(start, end)), events_of(cluster)
    beyond = sorted({hour for hour in hours if hour[:10] not in dates})
    return [f"{own}date={hour[:10]}/hour={hour[11:]}/" for hour in beyond]


def cut(members: "Sequence[Listed]", max_objects: int, max_bytes: int) -> int:
    """How many of the members, which are in order of arrival, go into one seal: all of a second, or none of it.

    What arrived in one second goes into one seal, however much that is; so a seal can say from when to when it is.
    """
    size = end = 0
    for number, member in enumerate(members):
        if number and member.modified != members[number - 1].modified:
            end = number
        size += member.size
        if end and (number >= max_objects or size > max_bytes):
            return end
    return len(members)


def whole_seconds(members: "Sequence[Listed]", count: int) -> int:
    """How many of the first ``count`` members, which are in order of arrival, make up whole seconds."""
    while 0 < count < len(members) and members[count - 1].modified == members[count].modified:
        count -= 1
    return count


def _dates(start: datetime, end: datetime) -> list[str]:
    first, last = start.date() - DAY, end.date() + DAY
    return [(first + number * DAY).isoformat() for number in range((last - first).days + 1)]
