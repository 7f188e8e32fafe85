"""One object held against the entry that a seal has of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from auditwire.evidence.errors import DeniedError, NotThereError
from auditwire.evidence.merkle import root_of
from auditwire.evidence.reading import MAX_PACKED_BYTES, UnreadableError, content_of, lines_of
from auditwire.evidence.states import ObjectReport, ObjectState
from auditwire.evidence.store import read_whole
from auditwire.evidence.times import parse_second

if TYPE_CHECKING:
    from auditwire.evidence.seal import Entry, Retention
    from auditwire.evidence.store import Listed, Reader

_SECONDS: Final = len("2026-11-21T22:00:00")

Hash = Callable[[str], str]
"""The SHA-256 in hex of an object's bytes. Raises NotThereError."""


class _Provenance(msgspec.Struct):
    received: str = ""


class _Line(msgspec.Struct):
    provenance: _Provenance = msgspec.field(name="_auditwire", default_factory=_Provenance)


def hash_by_reading(reader: "Reader") -> Hash:
    """Reads every byte."""

    def hashed(key: str) -> str:
        digest = sha256()
        for chunk in reader.read(key):
            digest.update(chunk)
        return digest.hexdigest()

    return hashed


def hash_by_checksum(reader: "Reader") -> Hash:
    """Takes the checksum that the store worked out when the bytes came; reads what has none."""
    read = hash_by_reading(reader)
    return lambda key: reader.checksum(key) or read(key)


def check_object(reader: "Reader", entry: "Entry", retention: "Retention", hashed: Hash, now: datetime) -> ObjectReport:
    """What there is to say of an object that a seal names. Raises EvidenceError where it cannot be read."""
    try:
        found = hashed(entry.key)
    except NotThereError:
        if now >= parse_second(entry.modified) + timedelta(days=retention.days):
            return ObjectReport(entry.key, "expired", f"its retention of {retention.days} days is over", held(entry))
        return ObjectReport(entry.key, "missing", "it is gone before its retention is over", held(entry))
    except DeniedError:
        if entry.sha256:
            raise
        found = ""
    if not entry.sha256:
        return ObjectReport(entry.key, "unsealed", "it could not be read when it was sealed", held(entry))
    if found == entry.sha256:
        return ObjectReport(entry.key, "valid", held=held(entry))
    return ObjectReport(entry.key, "changed", _what_changed(reader, entry), held(entry))


def check_unnamed(reader: "Reader", listed: "Listed", reached: str, twin: str | None) -> ObjectReport:
    """What there is to say of an object that no good seal names.

    ``reached`` is until when its cluster is sealed, empty where it is not at all; ``twin`` is the key of an object
    that is sealed and has the same bytes.
    """
    if twin is not None:
        return ObjectReport(listed.key, "duplicate", f"it has the bytes of {twin}")
    arrived = _received(reader, listed.key) if listed.modified is None else listed.modified.isoformat()
    is_young = arrived[:_SECONDS] >= reached[:_SECONDS] and (reached or listed.modified)
    state: ObjectState = "pending" if is_young else "unsealed"
    detail = "the next seal may name it" if state == "pending" else "no good seal names it"
    return ObjectReport(listed.key, state, detail)


def held(entry: "Entry") -> str:
    """What a seal says was in an object."""
    if entry.events is None:
        return f"{entry.size:,} bytes that are no events ({entry.fault})"
    times = f", from {entry.first} to {entry.last}" if entry.first else ""
    return f"{entry.events:,} {'event' if entry.events == 1 else 'events'}{times}"


def _what_changed(reader: "Reader", entry: "Entry") -> str:
    try:
        size = sum(map(len, reader.read(entry.key)))
        if size > MAX_PACKED_BYTES:
            return f"it has {size:,} bytes, and had {entry.size:,}"
        lines = list(lines_of(content_of(read_whole(reader, entry.key))))
    except UnreadableError as error:
        return f"it can no longer be read ({error.fault})"
    if root_of(lines).hex() == entry.root:
        return "its events are the same, packed anew"
    return f"it holds {len(lines):,} lines that are not those that were sealed"


def _received(reader: "Reader", key: str) -> str:
    """When the first event of an object says that it was received: a hint where nobody knows when the object came."""
    try:
        line = next(lines_of(content_of(read_whole(reader, key))), b"")
        return msgspec.json.decode(line, type=_Line).provenance.received
    except (UnreadableError, msgspec.DecodeError, UnicodeDecodeError):
        return ""
