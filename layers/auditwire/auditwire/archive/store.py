"""The archive as the rest of the system sees it, and one in memory."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from isal import isal_zlib

Stored = Literal["stored", "exists"]
"""``exists``: the very same key was there before and was left alone, which is success."""

# Level 1 is both quicker and smaller on audit events than zlib's; 31 asks zlib's interface for a gzip header.
_LEVEL = 1
_GZIP = 31

_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class QuarantineNote:
    """Why bytes were put aside: a stable reason word, body or item, whose they are, when they came."""

    reason: str
    kind: Literal["body", "item"]
    cluster: str
    received: datetime

    def as_metadata(self) -> dict[str, str]:
        """The note as object metadata: printable ASCII, as it travels in HTTP headers."""
        reason = _NOT_PRINTABLE_ASCII.sub("?", self.reason)[:256]
        received = self.received.isoformat()
        return {"reason": reason, "kind": self.kind, "cluster": self.cluster, "received": received}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "QuarantineNote":
        """The note that as_metadata wrote. Raises KeyError and ValueError for anything else."""
        kind = metadata["kind"]
        if kind not in ("body", "item"):
            message = f"{kind[:80]!r} is neither body nor item"
            raise ValueError(message)
        received = datetime.fromisoformat(metadata["received"])
        if received.tzinfo is None:
            message = "the time of receipt has no time zone"
            raise ValueError(message)
        return cls(metadata["reason"], "body" if kind == "body" else "item", metadata["cluster"], received)


class Archive(Protocol):
    """Where evidence goes. What is once stored under a key is never rewritten."""

    def put_events(self, key: str, lines: Sequence[bytes]) -> Stored:
        """Stores JSON lines (each without its line end) as one object. Raises ArchiveError."""

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> Stored:
        """Puts aside the bytes of a body or an item as they came, with why. Raises ArchiveError."""


@dataclass(slots=True)
class MemoryArchive:
    """An archive in memory, for tests and for trying things: what S3 would hold, under the same keys."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def put_events(self, key: str, lines: Sequence[bytes]) -> Stored:
        """Keeps the lines gzipped."""
        return self._put(key, gzip_lines(lines))

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> Stored:
        """Keeps the bytes gzipped, with their metadata."""
        return self._put(key, gzip_bytes(raw), note.as_metadata())

    def lines(self, key: str) -> list[bytes]:
        """The lines of an object that put_events stored."""
        return isal_zlib.decompress(self.objects[key], wbits=_GZIP).splitlines()

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> Stored:
        if key in self.objects:
            return "exists"
        self.objects[key] = body
        self.metadata[key] = metadata or {}
        return "stored"


def gzip_bytes(data: bytes) -> bytes:
    """Gzip without a time or a name in its header: the same bytes in give the same bytes out."""
    return isal_zlib.compress(data, _LEVEL, wbits=_GZIP)


def gzip_lines(lines: Sequence[bytes]) -> bytes:
    """JSON lines, each ended by a line feed, gzipped."""
    return gzip_bytes(b"".join([part for line in lines for part in (line, b"\n")]))
