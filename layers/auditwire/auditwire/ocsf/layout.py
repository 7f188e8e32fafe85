"""Where files of records lie, and which objects go into which of them.

All of that follows from what a seal says of its objects, so whoever exports a seal again writes the same files in the
place of the first ones.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

MAX_EVENTS: Final = 50_000
MAX_STORED_BYTES: Final = 8 << 20
"""A file has the events of so much at most, so that writing one takes a bounded amount of memory. A single object may
have more."""

_DATE: Final = re.compile(r"/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/")
_NO_DATE: Final = "19700101"


class Exported(NamedTuple):
    """An object whose events are exported: its key, its stored bytes, and how many events it has."""

    key: str
    size: int
    events: int


class Part(NamedTuple):
    """The objects of one file. ``day`` is that of their events, ``20261121``."""

    day: str
    objects: tuple[Exported, ...]

    @property
    def events(self) -> int:
        """How many events the file has."""
        return sum(each.events for each in self.objects)


class Place(NamedTuple):
    """Where files go: below which prefix, of which region and account."""

    prefix: str
    region: str
    account: str

    def key(self, part: Part, cluster: str, seal: int, sha256: str, number: int, piece: int = 0) -> str:
        """The key of a file: the same for the same part of the same seal, of which ``sha256`` is the hash. A part that
        is too large for one file has several pieces."""
        name = f"{cluster}-{seal:010}-{sha256[:12]}-{number:04}" + (f"-{piece}" if piece else "")
        return f"{self.prefix}region={self.region}/accountId={self.account}/eventDay={part.day}/{name}.parquet"


def parts_of(objects: Iterable[Exported]) -> list[Part]:
    """The files of a seal, ordered by day. An object has events of one hour, so all of one day."""
    by_day = sorted((day_of(each.key), each) for each in objects if each.events)
    return [
        Part(day, tuple(several))
        for day, of_day in groupby(by_day, key=lambda one: one[0])
        for several in _cut([each for _, each in of_day])
    ]


def day_of(key: str) -> str:
    """The day under which an object lies, ``20261121``; 1970-01-01 for a name that no ingest gives."""
    found = _DATE.search(key)
    try:
        return date.fromisoformat(found[1]).strftime("%Y%m%d") if found else _NO_DATE
    except ValueError:
        return _NO_DATE


def _cut(objects: Sequence[Exported]) -> Iterator[list[Exported]]:
    part: list[Exported] = []
    events = size = 0
    for each in objects:
        if part and (events + each.events > MAX_EVENTS or size + each.size > MAX_STORED_BYTES):
            yield part
            part, events, size = [], 0, 0
        part.append(each)
        events, size = events + each.events, size + each.size
    if part:
        yield part
