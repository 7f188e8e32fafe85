"""What a search finds: an archived line, and the fields of its event that people search by."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auditwire.archive.errors import UnreadableError
from auditwire.archive.items import object_name
from auditwire.events import ObjectRef


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
    archiving: tuple[str, ...] = ()
    alerting: tuple[str, ...] = ()


class _Line(msgspec.Struct):
    cluster: str = ""
    auditID: str = ""
    stage: str = ""
    verb: str = ""
    stageTimestamp: str = ""
    user: _User | None = None
    sourceIPs: tuple[str, ...] | None = None
    objectRef: _Object | None = None
    responseStatus: _Status | None = None
    provenance: _Provenance = msgspec.field(name="_auditwire", default_factory=_Provenance)


_decoder = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class Found:
    """An archived event: its line as stored, the time under which it is kept, and the fields that people search by.

    ``ref`` is the event's objectRef and ``object`` its object_name; ``rules`` are the rules that matched when it was
    archived; ``code`` is the HTTP status or None; ``flags`` are words of Flag. Missing texts are empty.
    """

    line: bytes
    at: str
    cluster: str
    audit_id: str
    stage: str
    verb: str
    user: str
    sources: tuple[str, ...]
    ref: ObjectRef
    object: str
    code: int | None
    rules: tuple[str, ...]
    flags: tuple[str, ...] = ()


def found_in(line: bytes, place: str, at: Callable[[str, tuple[str, ...]], str]) -> Found:
    """Reads an archived line.

    ``at`` gives the time under which it is kept, from its stageTimestamp and its flags. Raises UnreadableError, which
    names ``place``, if this is not a line of an archive.
    """
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{place}: is damaged: {error}") from error
    named = event.objectRef or _Object()
    ref = ObjectRef(
        resource=named.resource or "",
        apiGroup=named.apiGroup or "",
        namespace=named.namespace or "",
        name=named.name or "",
        subresource=named.subresource or "",
    )
    return Found(
        line=line,
        at=at(event.stageTimestamp, event.provenance.flags),
        cluster=event.cluster,
        audit_id=event.auditID,
        stage=event.stage,
        verb=event.verb,
        user=(event.user and event.user.username) or "",
        sources=event.sourceIPs or (),
        ref=ref,
        object=object_name(ref),
        code=event.responseStatus.code if event.responseStatus else None,
        rules=event.provenance.archiving + event.provenance.alerting,
        flags=event.provenance.flags,
    )
