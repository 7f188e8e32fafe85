"""The state of the rules in the bucket: active.json and status.json."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
import orjson

from auditwire.documents.diagnostics import Diagnostic

SCHEMA: Final = 1
MAX_DIAGNOSTICS: Final = 500
"""How many findings status.json lists. Its counts include all."""

UploadVerdict = Literal["accepted", "refused"]


class StateError(Exception):
    """The bytes are not what this version of auditwire writes there."""


@dataclass(frozen=True, slots=True)
class Active:
    """active.json: which bundle is in force.

    ``digest`` names the documents, and so the bundle's key. ``sha256`` is that of the bundle's bytes, so that half a
    bundle is never taken for a whole one. ``compiled`` is when it came into force. ``previous`` was in force before. A
    function uses it if it starts while the bundle itself is damaged. ``previous`` has no predecessor of its own.
    """

    digest: str
    sha256: str
    compiled: datetime
    previous: "Active | None" = None

    def encode(self) -> bytes:
        """The JSON of active.json."""
        value = {"schema": SCHEMA, **_bundle_json(self)}
        if self.previous is not None:
            value["previous"] = _bundle_json(self.previous)
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def followed_by(self, digest: str, sha256: str, compiled: datetime) -> "Active":
        """The state after another bundle, or a bundle of the same documents with other bytes, came into force."""
        # Another digest has another key, so the bundle before it still exists.
        before = self.previous if self.digest == digest else replace(self, previous=None)
        return Active(digest, sha256, compiled, before)

    @classmethod
    def decode(cls, data: bytes) -> "Active":
        """Reads active.json. Raises StateError, whatever the bytes are."""
        read = _decode(data, _ActiveJson)
        if read.schema != SCHEMA:
            raise StateError(f"it has schema {read.schema}, this version reads {SCHEMA}")
        before = read.previous
        previous = None if before is None else cls(before.digest, before.sha256, before.compiled)
        return cls(read.digest, read.sha256, read.compiled, previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """One document that was read: its key, and the SHA-256 of its bytes."""

    key: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """status.json: what the last run found in the documents.

    ``digest`` names the documents that were read (``digest_of`` their paths and texts), ``active`` those in force, None
    for the default pack. ``diagnostics`` are findings as ``Diagnostic.as_json`` returns them; if there are too many,
    errors come first. ``alerted`` says that an alert about this refusal was published.
    """

    verdict: UploadVerdict
    digest: str
    active: str | None
    sources: tuple[SourceState, ...]
    time: datetime
    errors: int
    warnings: int
    diagnostics: tuple[dict[str, Any], ...]
    alerted: bool = False

    def encode(self) -> bytes:
        """The JSON of status.json."""
        value = {name: getattr(self, name) for name in self.__slots__}
        return orjson.dumps(
            {"schema": SCHEMA, **value, "time": _as_text(self.time)},
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )

    @classmethod
    def decode(cls, data: bytes) -> "Status":
        """Reads status.json. Raises StateError, whatever the bytes are."""
        read = _decode(data, _StatusJson)
        if read.schema != SCHEMA:
            raise StateError(f"it has schema {read.schema}, this version reads {SCHEMA}")
        return cls(**{name: getattr(read, name) for name in cls.__slots__})

    def as_alerted(self) -> "Status":
        """The same status, with its alert published."""
        return replace(self, alerted=True)


def listed_diagnostics(diagnostics: Sequence[Diagnostic]) -> tuple[dict[str, Any], ...]:
    """The findings for status.json. If there are too many, errors come first."""
    kept = diagnostics
    if len(kept) > MAX_DIAGNOSTICS:
        kept = sorted(kept, key=lambda found: not found.is_error)[:MAX_DIAGNOSTICS]
    return tuple(found.as_json() for found in kept)


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _BundleJson(msgspec.Struct):
    digest: str
    sha256: str
    compiled: _Moment


class _ActiveJson(_BundleJson):
    schema: int
    previous: _BundleJson | None = None


class _StatusJson(msgspec.Struct):
    verdict: UploadVerdict
    digest: str
    active: str | None
    sources: tuple[SourceState, ...]
    time: _Moment
    errors: int
    warnings: int
    diagnostics: tuple[dict[str, Any], ...]
    schema: int
    alerted: bool = False


def _decode(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"it cannot be read: {error}") from error


def _bundle_json(active: Active) -> dict[str, object]:
    return {"digest": active.digest, "sha256": active.sha256, "compiled": _as_text(active.compiled)}


def _as_text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
