"""An archived line, member by member: what cannot be read as what it should be is left as it is, and told.

Of a key that stands twice the last value counts, as everywhere in auditwire.
"""

from functools import cache, lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditwire.archive.keys import extended, kept_at
from auditwire.events.archived import Provenance
from auditwire.events.line import PROVENANCE
from auditwire.events.timestamps import is_normal

MAX_CODE: Final = (1 << 31) - 1
"""OCSF's integers have 32 bits."""

MAX_ADDRESSES: Final = 20
"""Clients can send any number of them."""

if TYPE_CHECKING:
    _Raw = msgspec.Raw | None
else:
    # msgspec supports Raw only by itself, not in a union. The default None is used without being decoded.
    _Raw = msgspec.Raw


class _User(msgspec.Struct, forbid_unknown_fields=True):
    username: str | None = None
    uid: str | None = None
    groups: list[str] | None = None
    extra: _Raw = None


class _Object(msgspec.Struct, forbid_unknown_fields=True):
    resource: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    apiGroup: str | None = None
    apiVersion: str | None = None
    resourceVersion: str | None = None
    subresource: str | None = None


class _Status(msgspec.Struct, forbid_unknown_fields=True):
    metadata: _Raw = None
    status: str | None = None
    message: str | None = None
    reason: str | None = None
    details: _Raw = None
    code: int | None = None


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    kind: str | None = None
    apiVersion: str | None = None
    level: str | None = None
    auditID: str | None = None
    stage: str | None = None
    requestURI: str | None = None
    verb: str | None = None
    user: _User | None = None
    impersonatedUser: _Raw = None
    authenticationMetadata: _Raw = None
    sourceIPs: list[str] | None = None
    userAgent: str | None = None
    objectRef: _Object | None = None
    responseStatus: _Status | None = None
    requestObject: _Raw = None
    responseObject: _Raw = None
    requestReceivedTimestamp: str | None = None
    stageTimestamp: str | None = None
    annotations: _Raw = None
    cluster: _Raw = None
    workspace: _Raw = None
    devops: _Raw = None
    message: _Raw = None
    provenance: _Raw = msgspec.field(name=PROVENANCE, default=None)


class _Annotations(msgspec.Struct):
    decision: str | None = msgspec.field(name="authorization.k8s.io/decision", default=None)
    reason: str | None = msgspec.field(name="authorization.k8s.io/reason", default=None)


# Members that no attribute stands for, by the parts of a line that have them.
_UNMAPPED: Final = (
    "cluster",
    "workspace",
    "devops",
    "message",
    "impersonatedUser",
    "authenticationMetadata",
    "annotations",
)
_PARTS: Final[dict[str, Any]] = {"user": _User, "objectRef": _Object, "responseStatus": _Status}
_UNMAPPED_OF_PARTS: Final = {"user": ("extra",), "responseStatus": ("metadata", "details")}

_LINE: Final = msgspec.json.Decoder(_Line)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANNOTATIONS: Final = msgspec.json.Decoder(_Annotations)
_EXTRA: Final = msgspec.json.Decoder(dict[str, list[str]])
_TEXT: Final = msgspec.json.Decoder(str)
_PROVENANCE: Final = msgspec.json.Decoder(Provenance)

_NO_USER, _NO_OBJECT, _NO_STATUS = _User(), _Object(), _Status()
_NO_ANNOTATIONS: Final = _Annotations()
_NO_PROVENANCE: Final = Provenance()
_NO_EXTRA: Final[dict[str, list[str]]] = {}
_EPOCH: Final = "1970-01-01T00:00:00.000000Z"
_NULL: Final = b"null"
_MAX_REMEMBERED: Final = 1_024
_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# Events of a batch that the same rules matched have the same note.
_known: dict[bytes, Provenance] = {}


class NoEventError(Exception):
    """A line that is no JSON object."""


class ArchivedLine:
    """What a line says.

    ``place`` says where it lies, ``at`` is the time under which it is kept, ``provenance`` what was noted when it was
    stored; ``addresses`` are those of the sourceIPs that are some, MAX_ADDRESSES at most; ``received`` is the
    requestReceivedTimestamp, empty if it cannot be right.
    """

    __slots__ = (
        "_unread",
        "addresses",
        "annotations",
        "at",
        "cluster",
        "event",
        "extra",
        "place",
        "provenance",
        "received",
        "ref",
        "status",
        "user",
    )

    def __init__(self, line: bytes, place: str, t: str, max_member_bytes: int | None = None) -> None:
        """``t`` is that of the object's key. Members larger than ``max_member_bytes`` are passed over. Raises
        NoEventError."""
        self._unread: dict[str, Any] = {}
        self.event = event = self._read(line, max_member_bytes)
        self.user = event.user or _NO_USER
        self.ref = event.objectRef or _NO_OBJECT
        self.status = event.responseStatus or _NO_STATUS
        self.annotations = _or(_ANNOTATIONS, event.annotations, _NO_ANNOTATIONS)
        self.extra = _or(_EXTRA, self.user.extra, _NO_EXTRA)
        self.cluster = _or(_TEXT, event.cluster, "")
        self.provenance = _provenance(event.provenance)
        addresses = [one for one in event.sourceIPs or () if is_address(one)]
        # The last one is who has connected.
        self.addresses = (
            addresses if len(addresses) <= MAX_ADDRESSES else [*addresses[: MAX_ADDRESSES - 1], addresses[-1]]
        )
        received = event.requestReceivedTimestamp or ""
        self.received = received if is_normal(received) else ""
        self.place = place
        at = kept_at(event.stageTimestamp or "", self.provenance.flags, t)
        if not is_normal(at):
            # Only who may write to the bucket can name an object after a time that does not exist.
            at = extended(t) if is_normal(extended(t)) else _EPOCH
        self.at = at

    @property
    def code(self) -> int | None:
        """The code of the answer, if OCSF can hold it."""
        code = self.status.code
        return code if code is not None and -MAX_CODE <= code <= MAX_CODE else None

    def extra_of(self, name: str) -> str | None:
        """The first value of a member of ``user.extra``."""
        values = self.extra.get(name)
        return values[0] if values else None

    def rest(self) -> dict[str, Any]:
        """What no attribute stands for, as it is archived."""
        event, rest = self.event, dict(self._unread)
        for name in _UNMAPPED:
            raw = getattr(event, name)
            if not is_null(raw):
                rest.setdefault(name, raw)
        for name, inner in _UNMAPPED_OF_PARTS.items():
            self._add_part(rest, name, inner)
        if self.code != self.status.code:
            rest.setdefault("responseStatus", {})["code"] = self.status.code
        if len(self.addresses) != len(event.sourceIPs or ()):
            rest["sourceIPs"] = event.sourceIPs
        if event.requestReceivedTimestamp and not self.received:
            rest["requestReceivedTimestamp"] = event.requestReceivedTimestamp
        if not is_null(event.provenance):
            rest[PROVENANCE] = event.provenance
        return rest

    def _add_part(self, rest: dict[str, Any], name: str, members: tuple[str, ...]) -> None:
        part = getattr(self.event, name)
        if part is None:
            return
        left = {inner: raw for inner in members if not is_null(raw := getattr(part, inner))}
        if left:
            rest[name] = {**rest.get(name, {}), **left}

    def _read(self, line: bytes, most: int | None) -> _Line:
        if most is None:
            try:
                return _LINE.decode(line)
            except _ERRORS:
                pass
        try:
            members = _MEMBERS.decode(line)
        except _ERRORS:
            raise NoEventError from None
        if most is not None:
            members = {name: raw for name, raw in members.items() if len(memoryview(raw)) <= most}
        made: _Line = _each(_Line, members, self._unread)
        return made


def is_null(raw: _Raw) -> bool:
    """Whether a member is absent or null, which means the same."""
    # A body is not copied for that.
    return raw is None or (len(memoryview(raw)) == len(_NULL) and bytes(raw) == _NULL)


@lru_cache(maxsize=4_096)
def is_address(text: str) -> bool:
    """Whether a text is an address of IPv4 or IPv6."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _each(kind: Any, members: dict[str, msgspec.Raw], unread: dict[str, Any]) -> Any:
    """A structure of those members that are of the type they should be; all others go to ``unread``."""
    made, decoders = kind(), _decoders(kind)
    for name, raw in members.items():
        if name not in decoders:
            unread[name] = raw
            continue
        own_name, decoder = decoders[name]
        try:
            value = decoder.decode(raw)
        except _ERRORS:
            value, left = _part(name, raw) if kind is _Line else (None, raw)
            if left:
                unread[name] = left
        setattr(made, own_name, value)
    return made


@cache
def _decoders(kind: Any) -> "dict[str, tuple[str, msgspec.json.Decoder[Any]]]":
    """What decodes each member of a structure, by its name in JSON; with its own name."""
    fields = msgspec.structs.fields(kind)
    return {field.encode_name: (field.name, msgspec.json.Decoder(field.type)) for field in fields}


def _part(name: str, raw: msgspec.Raw) -> tuple[Any, Any]:
    """A part of a line in which something is not as it should be, and what that is."""
    left: dict[str, Any] = {}
    try:
        return _each(_PARTS[name], _MEMBERS.decode(raw), left), left
    except (KeyError, *_ERRORS):
        return None, raw


def _or(decoder: "msgspec.json.Decoder[Any]", raw: _Raw, nothing: Any) -> Any:
    if raw is None or is_null(raw):
        return nothing
    try:
        return decoder.decode(raw)
    except _ERRORS:
        return nothing


def _provenance(raw: _Raw) -> Provenance:
    if raw is None:
        return _NO_PROVENANCE
    text = bytes(raw)
    noted = _known.get(text)
    if noted is None:
        noted = _or(_PROVENANCE, raw, _NO_PROVENANCE)
        if len(_known) >= _MAX_REMEMBERED:
            _known.clear()
        _known[text] = noted
    return noted
