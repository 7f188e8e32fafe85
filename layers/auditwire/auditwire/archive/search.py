"""Searching the archive: what can be asked, and what is found. Both stores answer the same questions."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

from auditwire.archive.errors import ArchiveError
from auditwire.archive.items import object_name
from auditwire.events import BodyError, ObjectRef, inflate
from auditwire.events.timestamps import as_text

# The largest body that ingest inflates, plus what is added to its lines.
_MAX_BYTES: Final = 256 << 20
_HOUR = len("2026-11-21T22")


class _User(msgspec.Struct):
    username: str | None = None


class _Object(msgspec.Struct):
    resource: str | None = None
    apiGroup: str | None = None
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None


class _Status(msgspec.Struct):
    code: int | None = None


class _Provenance(msgspec.Struct):
    flags: tuple[str, ...] = ()


class _Line(msgspec.Struct):
    cluster: str = ""
    auditID: str = ""
    stage: str = ""
    verb: str = ""
    stageTimestamp: str = ""
    user: _User | None = None
    objectRef: _Object | None = None
    responseStatus: _Status | None = None
    provenance: _Provenance = msgspec.field(name="_auditwire", default_factory=_Provenance)


_decoder = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class Found:
    """An archived event: its line as stored, the time under which it is kept, and the fields that people search by.

    ``object`` is its object_name, ``code`` the HTTP status or None, ``flags`` are words of Flag. Missing texts are
    empty.
    """

    line: bytes
    at: str
    cluster: str
    audit_id: str
    stage: str
    verb: str
    user: str
    object: str
    subresource: str
    code: int | None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. All given conditions must hold. ``start`` (inclusive) and ``end`` (exclusive) refer to the
    times under which events are kept; ``object`` is an object_name."""

    cluster: str | None = None
    audit_id: str | None = None
    user: str | None = None
    object: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def first(self) -> str:
        """``start`` as text. If there is none, a text that sorts before every time."""
        return as_text(self.start) if self.start else "0"

    @property
    def last(self) -> str:
        """``end`` as text. If there is none, a text that sorts behind every time."""
        return as_text(self.end) if self.end else ":"

    @property
    def text(self) -> str:
        """The longest text that must be within one value in the line of every match; empty if there is none."""
        # An object_name joins fields with slashes and a dot, and a field may contain both.
        return max((self.audit_id or "", self.user or "", *re.split("[/.]", self.object or "")), key=len)

    def matcher(self) -> Callable[[Found], bool]:
        """A function that tests whether something found matches."""
        first, last = self.first, self.last
        cluster, audit_id, user, thing = self.cluster, self.audit_id, self.user, self.object

        def matches(found: Found) -> bool:
            return (
                first <= found.at < last
                and cluster in (None, found.cluster)
                and audit_id in (None, found.audit_id)
                and user in (None, found.user)
                and thing in (None, found.object)
            )

        return matches


Reading = Callable[[str], None]
"""Called with the hour that is read next, such as ``2026-11-21T22``. The same hour may come several times."""


class ArchiveReader(Protocol):
    """A store that can be searched. All methods raise ArchiveError for what cannot be read."""

    def find(self, search: Search, reading: Reading) -> Iterator[Found]:
        """Yields the matches in order of time, as they are read."""


def found_in(line: bytes, place: str, at: Callable[[str, tuple[str, ...]], str]) -> Found:
    """Reads an archived line.

    ``at`` gives the time under which it is kept, from its stageTimestamp and its flags. Raises ArchiveError, which
    names ``place``, if this is not a line of an archive.
    """
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArchiveError(f"{place}: is damaged: {error}") from error
    ref = event.objectRef or _Object()
    return Found(
        line=line,
        at=at(event.stageTimestamp, event.provenance.flags),
        cluster=event.cluster,
        audit_id=event.auditID,
        stage=event.stage,
        verb=event.verb,
        user=(event.user and event.user.username) or "",
        object=object_name(
            ObjectRef(
                resource=ref.resource or "",
                apiGroup=ref.apiGroup or "",
                namespace=ref.namespace or "",
                name=ref.name or "",
            )
        ),
        subresource=ref.subresource or "",
        code=event.responseStatus.code if event.responseStatus else None,
        flags=event.provenance.flags,
    )


def inflated(packed: bytes, place: str) -> bytes:
    """Inflates gzipped bytes. Raises ArchiveError, which names ``place``, if they are anything else."""
    try:
        return inflate(packed, "gzip", limit=_MAX_BYTES)
    except BodyError as error:
        raise ArchiveError(f"{place}: is damaged: {error}") from error


def hours(start: datetime, end: datetime) -> Iterator[str]:
    """Every hour, such as ``2026-11-21T22``, that lies at least partly between ``start`` (inclusive) and ``end``
    (exclusive)."""
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        yield as_text(hour)[:_HOUR]
        hour += timedelta(hours=1)
