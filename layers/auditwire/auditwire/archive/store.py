"""The archive as the rest of the system sees it, and one in memory."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from auditwire.archive.keys import HourGroup, kept_at, object_key
from auditwire.events import Event, inflate
from auditwire.events.gzipping import gzip_bytes, gzip_lines

PutResult = Literal["stored", "exists"]
"""``exists`` means that the same key was there already and was left alone. That is success."""

_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class QuarantineNote:
    """Why bytes were quarantined: a stable reason word, body or item, the cluster, and the time of receipt.

    ``salvaged`` is set where an event was made of what could be read of the bytes: its digest, or how many there were.
    Such bytes lie here as evidence, and are not counted as quarantined.
    """

    reason: str
    kind: Literal["body", "item"]
    cluster: str
    received: datetime
    salvaged: str = ""

    def as_metadata(self) -> dict[str, str]:
        """The note as object metadata: printable ASCII, because metadata travels in HTTP headers."""
        reason = _NOT_PRINTABLE_ASCII.sub("?", self.reason)[:256]
        metadata = {"reason": reason, "kind": self.kind, "cluster": self.cluster, "received": self.received.isoformat()}
        return {**metadata, "salvaged": self.salvaged} if self.salvaged else metadata

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "QuarantineNote":
        """Reads a note that as_metadata wrote. Raises KeyError and ValueError for anything else."""
        kind = metadata["kind"]
        if kind not in ("body", "item"):
            message = f"{kind[:80]!r} is neither body nor item"
            raise ValueError(message)
        received = datetime.fromisoformat(metadata["received"])
        if received.tzinfo is None:
            message = "the time of receipt has no time zone"
            raise ValueError(message)
        return cls(
            metadata["reason"],
            "body" if kind == "body" else "item",
            metadata["cluster"],
            received,
            metadata.get("salvaged", ""),
        )


class Record(msgspec.Struct, frozen=True):
    """An event as it is stored: its line (without a line end), and the ``t`` of its HourGroup."""

    event: Event
    line: bytes
    t: str

    @property
    def at(self) -> str:
        """The time under which it is kept; see kept_at."""
        return kept_at(self.event.stageTimestamp or "", self.event.flags, self.t)


class Archive(Protocol):
    """Stores evidence. What has been stored is never rewritten."""

    def place(self, cluster: str, group: HourGroup, digest: str) -> str:
        """The place of a batch's events of one hour. It is passed to put_events, and alerts and logs name it.

        ``digest`` is the batch_digest. Raises ValueError if ``cluster`` is not a cluster name.
        """

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        """Stores the events of one place, taking each record once. Raises ArchiveError.

        A store that retries by itself begins no retry after ``deadline``, in seconds since the epoch.
        """

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        """Quarantines the bytes of a body or an item as they were received, with the note. Raises ArchiveError."""


@dataclass(slots=True)
class MemoryArchive:
    """An archive in memory, for tests and experiments. It has the same keys and contents as one in S3."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def place(self, cluster: str, group: HourGroup, digest: str) -> str:
        """The key of an object."""
        return object_key(cluster, group.hour, group.t, digest)

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        """Keeps the lines gzipped, whatever the deadline."""
        del deadline
        return self._put(place, gzip_lines(record.line for record in records))

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        """Keeps the bytes gzipped, with their metadata."""
        return self._put(key, gzip_bytes(raw), note.as_metadata())

    def lines(self, key: str) -> list[bytes]:
        """The lines of an object that put_events stored."""
        return inflate(self.objects[key], "gzip").splitlines()

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> PutResult:
        if key in self.objects:
            return "exists"
        self.objects[key] = body
        self.metadata[key] = metadata or {}
        return "stored"
