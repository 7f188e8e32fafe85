"""An object of the archive, read once: what its bytes and its lines are, for the seal and for whoever follows it."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from auditwire.archive.keys import kept_at, parse_object_key
from auditwire.events import BodyError, inflate
from auditwire.evidence.merkle import Tree
from auditwire.evidence.seal import Entry
from auditwire.evidence.times import as_second

if TYPE_CHECKING:
    from datetime import datetime

MAX_INFLATED_BYTES: Final = 256 << 20
"""Ingest inflates no body above 64 MiB, and adds little to its lines."""

MAX_PACKED_BYTES: Final = 128 << 20
"""What is larger was not stored by ingest; its bytes are hashed as they come and are never in memory as a whole."""


class _Provenance(msgspec.Struct):
    flags: tuple[str, ...] = ()


class _Times(msgspec.Struct):
    """What says at which time a line is kept."""

    stageTimestamp: str = ""
    provenance: _Provenance = msgspec.field(name="_auditwire", default_factory=_Provenance)


_times = msgspec.json.Decoder(_Times)


class UnreadableError(Exception):
    """An object that is not one of lines. ``fault`` is a stable word for why: ``foreign``, ``too_large``,
    ``bad_gzip``, ``truncated``, ``bad_line``."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class ReadObject:
    """An object that was read: its entry in a seal, its lines as they were inflated, and its bytes as they are stored;
    both empty where it has a fault."""

    entry: Entry
    content: bytes = b""
    stored: bytes = b""


def read_object(key: str, chunks: Iterable[bytes], modified: "datetime") -> ReadObject:
    """Reads an object whose stored bytes come in ``chunks``, whatever they are."""
    digest, size, kept = sha256(), 0, []
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if size <= MAX_PACKED_BYTES:
            kept.append(chunk)
        else:
            kept.clear()
    about = (key, size, digest.hexdigest(), as_second(modified))
    try:
        place = parse_object_key(key)
        if place is None:
            raise UnreadableError("foreign")
        if size > MAX_PACKED_BYTES:
            raise UnreadableError("too_large")
        stored = b"".join(kept)
        content = content_of(stored)
        times, root = _times_and_root(content, place.t)
    except UnreadableError as error:
        return ReadObject(Entry(*about, events=None, first=None, last=None, root=None, fault=error.fault))
    entry = Entry(*about, events=len(times), first=min(times, default=None), last=max(times, default=None), root=root)
    return ReadObject(entry, content, stored)


def content_of(packed: bytes) -> bytes:
    """The lines of an object in one piece. Raises UnreadableError."""
    try:
        # Nothing at all is no gzip either, though inflate passes it.
        return inflate(packed or b"\0", "gzip", limit=MAX_INFLATED_BYTES)
    except BodyError as error:
        raise UnreadableError("too_large" if error.reason == "gzip_bomb" else error.reason) from None


def lines_of(content: bytes) -> Iterator[bytes]:
    """The lines of an object's content, without their line feeds."""
    return (line.removesuffix(b"\n") for line in io.BytesIO(content))


def _times_and_root(content: bytes, t: str) -> tuple[list[str], str]:
    """When each line is kept, and the root of all of them."""
    times, tree = [], Tree()
    for line in lines_of(content):
        try:
            event = _times.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise UnreadableError("bad_line") from None
        times.append(kept_at(event.stageTimestamp, event.provenance.flags, t))
        tree.append(line)
    return times, tree.root().hex()
