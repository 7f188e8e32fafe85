"""What to look for in an archive, and what is found there: the same questions to both stores."""

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

# The largest body that ingest inflates, and what is added to its lines.
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
    """An archived event: its line as it is kept, the time it is kept at, and what people ask for.

    ``object`` is its object_name, ``code`` the HTTP status or None. Absent texts are empty.
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


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: everything given must hold. Times are those at which events are kept, from ``start`` on and
    before ``end``; ``object`` is an object_name."""

    cluster: str | None = None
    audit_id: str | None = None
    user: str | None = None
    object: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def first(self) -> str:
        """The earliest time as text; sorts before every time where there is none."""
        return as_text(self.start) if self.start else "0"

    @property
    def last(self) -> str:
        """The time before which events are, as text; sorts behind every time where there is none."""
        return as_text(self.end) if self.end else ":"

    @property
    def text(self) -> str:
        """A text that stands, within one value, in the line of everything that is looked for; the longest there is,
        empty where there is none."""
        # An object_name joins fields by slashes and a dot, and a field may hold either.
        return max((self.audit_id or "", self.user or "", *re.split("[/.]", self.object or "")), key=len)

    def matcher(self) -> Callable[[Found], bool]:
        """A test whether something is what is looked for."""
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
"""Called with the hour, ``2026-11-21T22``, that is read next; the same one may come several times."""


class ArchiveReader(Protocol):
    """Where to look. Everything raises ArchiveError for what cannot be read."""

    def find(self, search: Search, reading: Reading) -> Iterator[Found]:
        """What is found, in order of time, as it is read."""


def found_in(line: bytes, place: str, at: Callable[[str, tuple[str, ...]], str]) -> Found:
    """What there is to say about an archived line.

    ``at`` gives the time it is kept at from its stageTimestamp and its flags. Raises ArchiveError, which names
    ``place``, for what is no line of an archive.
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
    )


def inflated(packed: bytes, place: str) -> bytes:
    """What was gzipped. Raises ArchiveError, which names ``place``, for anything else."""
    try:
        return inflate(packed, "gzip", limit=_MAX_BYTES)
    except BodyError as error:
        raise ArchiveError(f"{place}: is damaged: {error}") from error


def hours(start: datetime, end: datetime) -> Iterator[str]:
    """Every hour, ``2026-11-21T22``, that has a moment from ``start`` on and before ``end``."""
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        yield as_text(hour)[:_HOUR]
        hour += timedelta(hours=1)
