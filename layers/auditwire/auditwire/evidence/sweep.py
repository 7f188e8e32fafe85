"""Looking through the archive for what no seal names: what arrived unseen, because a notification was lost."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from auditwire.archive.keys import events_of
from auditwire.evidence.errors import MalformedError, NotThereError
from auditwire.evidence.seal import lines_in, parse_file
from auditwire.evidence.store import read_whole

if TYPE_CHECKING:
    from auditwire.evidence.store import Listed, Reader

MAX_CANDIDATES: Final = 50_000
"""Objects that are held against the seals at once."""

_DAILY: Final = 7
"""Days whose objects are looked through once a day; older ones once a week."""

_HOURS_A_WEEK: Final = 168
_HOURS_A_DAY: Final = 24


class _Named(msgspec.Struct):
    key: str


_named = msgspec.json.Decoder(_Named)


def prefixes_to_sweep(store: "Reader", cluster: str, to: datetime, *, everything: bool) -> list[str]:
    """The prefixes of a cluster that are due in the hour that ends at ``to``: each day of the last seven once a day,
    each older one once a week, spread over the hours; and whatever is called unlike the archive's own."""
    folders = store.folders(events_of(cluster))
    slot = int(to.timestamp()) // 3600
    due = []
    for prefix in folders.prefixes:
        day = _day(prefix.removeprefix(events_of(cluster)))
        if everything or day is None:
            due.append(prefix)
            continue
        # A number without a factor in common with either, so that neighbours do not fall due together.
        number = day.toordinal() * 5
        every = _HOURS_A_DAY if abs(to.date() - day) <= timedelta(days=_DAILY) else _HOURS_A_WEEK
        if number % every == slot % every:
            due.append(prefix)
    due += [each.key for each in folders.objects]
    return due


def unsealed_below(
    store: "Reader", prefix: str, seals: "Sequence[Listed]", begun: datetime, reached: datetime
) -> "Iterator[list[Listed]]":
    """The objects below a prefix that arrived from ``begun`` on and before ``reached`` and that no seal names, in order
    of arrival within each list.

    ``seals`` are all seals of the cluster by number. Only those are read that can name one of the objects: a seal is
    written behind the arrival of what it names, and nearly always it is the next one.
    """
    waiting: list[Listed] = []
    for each in store.listing(prefix):
        if each.modified is not None and begun <= each.modified < reached:
            waiting.append(each)
        if len(waiting) == MAX_CANDIDATES:
            yield _without_named(store, waiting, seals)
            waiting = []
    if waiting:
        yield _without_named(store, waiting, seals)


def _without_named(store: "Reader", candidates: "list[Listed]", seals: "Sequence[Listed]") -> "list[Listed]":
    left = {each.key: each for each in candidates}
    earliest = min(each.modified for each in candidates if each.modified is not None)
    start = bisect_left(seals, earliest, key=lambda seal: seal.modified or earliest)
    for seal in seals[start:]:
        for key in _keys_named(store, seal):
            left.pop(key, None)
        if not left:
            return []
    return sorted(left.values(), key=lambda each: (each.modified or earliest, each.key))


def _keys_named(store: "Reader", seal: "Listed") -> Iterator[str]:
    """The keys that a seal names. One that is no good, or went since it was listed, names nothing."""
    try:
        objects = parse_file(read_whole(store, seal.key)).objects
        for line in lines_in(objects):
            yield _named.decode(line).key
    except (MalformedError, NotThereError, msgspec.DecodeError):
        return


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name.removeprefix("date=").removesuffix("/")) if name.startswith("date=") else None
    except ValueError:
        return None
