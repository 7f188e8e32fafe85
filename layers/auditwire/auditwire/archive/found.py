"""What a search finds: an archived line, and the fields of its event that people search by."""

from collections.abc import Callable

import msgspec

from auditwire.archive.errors import UnreadableError
from auditwire.archive.items import object_name
from auditwire.events import ObjectRef
from auditwire.events.timestamps import is_normal


class _User(msgspec.Struct):
    username: str | None = None
    groups: tuple[str, ...] | None = None


class _Object(msgspec.Struct):
    resource: str | None = None
    apiGroup: str | None = None
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None


class _Status(msgspec.Struct):
    code: int | None = None
    status: str | None = None
    reason: str | None = None


class _Annotations(msgspec.Struct):
    decision: str | None = msgspec.field(name="authorization.k8s.io/decision", default=None)


class _Provenance(msgspec.Struct):
    flags: tuple[str, ...] = ()
    archiving: tuple[str, ...] = ()
    alerting: tuple[str, ...] = ()


class _Line(msgspec.Struct):
    cluster: str = ""
    auditID: str = ""
    stage: str = ""
    verb: str = ""
    level: str = ""
    requestURI: str | None = None
    userAgent: str | None = None
    workspace: str | None = None
    requestReceivedTimestamp: str | None = None
    stageTimestamp: str = ""
    user: _User | None = None
    impersonatedUser: _User | None = None
    annotations: _Annotations | None = None
    sourceIPs: tuple[str, ...] | None = None
    objectRef: _Object | None = None
    responseStatus: _Status | None = None
    provenance: _Provenance = msgspec.field(name="_auditwire", default_factory=_Provenance)


_decoder = msgspec.json.Decoder(_Line)
_NOTHING = _Object()
_NO_STATUS = _Status()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An archived event: its line as stored, the time under which it is kept, and the fields that people search by.

    ``ref`` is the event's objectRef and ``object`` its object_name; ``code`` is the HTTP status or None. ``rules``
    matched when it was archived, ``alerts`` are those of them that were alerting rules; ``flags`` are words of Flag.
    Missing texts are empty; so is ``received``, the requestReceivedTimestamp, if it is not in normal form. ``repeats``
    is how many more lines with the same event this one stands for.
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
    level: str = ""
    received: str = ""
    groups: tuple[str, ...] = ()
    impersonated: str = ""
    agent: str = ""
    uri: str = ""
    status: str = ""
    reason: str = ""
    decision: str = ""
    workspace: str = ""
    alerts: tuple[str, ...] = ()
    repeats: int = 0


def found_in(line: bytes, place: str, at: Callable[[str, tuple[str, ...]], str], cluster: str = "") -> Found:
    """Reads an archived line.

    ``at`` gives the time under which it is kept, from its stageTimestamp and its flags; ``cluster`` is the one under
    which it is archived, if that is known. Raises UnreadableError, which names ``place``, if this is not a line of an
    archive.
    """
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{place}: is damaged: {error}") from error
    named, status, about = event.objectRef or _NOTHING, event.responseStatus or _NO_STATUS, event.provenance
    ref = ObjectRef(
        resource=named.resource or "",
        apiGroup=named.apiGroup or "",
        namespace=named.namespace or "",
        name=named.name or "",
        subresource=named.subresource or "",
    )
    received = event.requestReceivedTimestamp or ""
    return Found(
        line=line,
        at=at(event.stageTimestamp, about.flags),
        cluster=cluster or event.cluster,
        audit_id=event.auditID,
        stage=event.stage,
        verb=event.verb,
        user=(event.user and event.user.username) or "",
        sources=event.sourceIPs or (),
        ref=ref,
        object=object_name(ref),
        code=status.code,
        rules=about.archiving + about.alerting,
        flags=about.flags,
        level=event.level,
        received=received if is_normal(received) else "",
        groups=(event.user and event.user.groups) or (),
        impersonated=(event.impersonatedUser and event.impersonatedUser.username) or "",
        agent=event.userAgent or "",
        uri=event.requestURI or "",
        status=status.status or "",
        reason=status.reason or "",
        decision=(event.annotations and event.annotations.decision) or "",
        workspace=event.workspace or "",
        alerts=about.alerting,
    )
