"""Finding an event in the archive, and the seal that names its object: what a receipt is made of."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.archive.keys import events_of
from auditwire.archive.needle import Needle, Text
from auditwire.evidence.errors import MalformedError
from auditwire.evidence.reading import UnreadableError, content_of, lines_of
from auditwire.evidence.seal import SealFile, lines_in, parse_entry, parse_file, seals_of
from auditwire.evidence.store import read_whole
from auditwire.evidence.windows import DAY, HOUR, hour_in

if TYPE_CHECKING:
    from auditwire.evidence.store import Listed, Reader


@dataclass(frozen=True, slots=True)
class Hit:
    """An event that was found: the object it lies in, all lines of that, and which of them it is, from 0."""

    listed: "Listed"
    lines: list[bytes]
    number: int


class _Line(msgspec.Struct):
    auditID: str = ""


def find_event(
    reader: "Reader",
    cluster: str,
    audit_id: str,
    *,
    start: datetime | None,
    end: datetime | None,
    reading: Callable[[str], None],
) -> Iterator[Hit]:
    """Every event of a cluster with this auditID, among those kept from ``start`` on and before ``end``, by hours.

    ``reading`` is called with the key of each object that is read. What is no object of lines is passed over. Raises
    EvidenceError.
    """
    needle = Needle(Text(audit_id))
    objects = (each for each in _objects(reader, cluster, start, end) if _is_asked_for(each.key, start, end))
    with ThreadPoolExecutor(MAX_AHEAD) as pool:
        for listed, packed in read_ahead(pool, objects, lambda one: read_whole(reader, one.key), lambda one: one.size):
            reading(listed.key)
            try:
                content = content_of(packed)
            except UnreadableError:
                continue
            if any(_audit_id(line) == audit_id for line in needle.lines(content)):
                lines = list(lines_of(content))
                yield from (Hit(listed, lines, at) for at, line in enumerate(lines) if _audit_id(line) == audit_id)


def find_entry(reader: "Reader", cluster: str, listed: "Listed") -> tuple[SealFile, str] | None:
    """The first seal that names an object, and the line in which it does; None where none does. Nothing is proven by
    that. Raises EvidenceError."""
    seals = [*reader.listing(seals_of(cluster))]
    # A seal is written behind the arrival of what it names.
    arrived = listed.modified
    start = 0 if arrived is None else bisect_left(seals, arrived, key=lambda seal: seal.modified or arrived)
    for seal in seals[start:]:
        try:
            file = parse_file(read_whole(reader, seal.key))
            for line in lines_in(file.objects):
                if parse_entry(line).key == listed.key:
                    return file, line
        except MalformedError:
            continue
    return None


def _objects(reader: "Reader", cluster: str, start: datetime | None, end: datetime | None) -> "Iterator[Listed]":
    if start is None or end is None:
        yield from reader.listing(events_of(cluster))
        return
    for number in range((end.date() - start.date()).days + 1):
        yield from reader.listing(f"{events_of(cluster)}date={start.date() + number * DAY}/")


def _is_asked_for(key: str, start: datetime | None, end: datetime | None) -> bool:
    hour = hour_in(key)
    return hour is not None and (start is None or hour + HOUR > start) and (end is None or hour < end)


def _audit_id(line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=_Line).auditID
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
