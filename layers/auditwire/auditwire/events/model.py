"""The model of an audit event: the names of audit.k8s.io/v1, whoever sent it.

Source of the fields: kubernetes/apiserver, pkg/apis/audit/v1/types.go; the four of KubeSphere (``cluster``,
``workspace``, ``devops``, ``message``): kubesphere/kubesphere, pkg/apiserver/auditing/v1alpha1/event.go.
"""

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import orjson

from auditwire.events.outcome import outcome_of, reason_of
from auditwire.events.pod_spec import (
    containers_in,
    is_worth_decoding,
    location_of,
    may_have_directives,
    pod_spec_in,
)
from auditwire.senders.kind import SenderKind

if TYPE_CHECKING:
    from datetime import datetime

    _Body = msgspec.Raw | None
else:
    # msgspec supports Raw only by itself, not in a union. The default None is used without being decoded.
    _Body = msgspec.Raw

_Filled = Annotated[str, msgspec.Meta(min_length=1)]
_Code = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Flag(StrEnum):
    """What was done to an event, or found in it, on its way into the archive. The words are stable: they are
    counted."""

    CLUSTER_DIFFERS = "cluster_differs"
    LEVEL_UNKNOWN = "level_unknown"
    STAGE_TIME_MISSING = "stage_time_missing"
    STAGE_TIME_UNREADABLE = "stage_time_unreadable"
    RECEIVED_TIME_UNREADABLE = "received_time_unreadable"
    OTHER_HOUR = "other_hour"
    REDACTED = "redacted"
    RESERVED_KEY = "reserved_key"
    CONVERTED = "converted"
    CUT_OFF = "cut_off"
    BODIES_SKIPPED = "bodies_skipped"
    UNFINISHED = "unfinished"
    BACKFILL = "backfill"
    TIME_IMPLAUSIBLE = "time_implausible"


class User(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who made the request. Every part may be missing: an unauthenticated request has an empty user."""

    username: str | None = None
    uid: str | None = None
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class ObjectRef(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """What the request was about. Absent parts are empty strings: KubeSphere sends ``""`` where Kubernetes sends
    nothing."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    apiGroup: str = ""
    apiVersion: str = ""
    resourceVersion: str = ""
    subresource: str = ""


class ResponseStatus(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the request ended: a metav1.Status. KubeSphere only fills in the code."""

    metadata: dict[str, Any] | None = None
    status: str | None = None
    message: str | None = None
    reason: str | None = None
    details: dict[str, Any] | None = None
    code: _Code | None = None


class AuthenticationMetadata(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the user was established (Kubernetes 1.35 and later)."""

    impersonationConstraint: str | None = None


class Event(msgspec.Struct, dict=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, eq=True):
    """One audit event. Bodies stay undecoded until ``requestBody`` or ``responseBody`` is used.

    ``null`` and absent mean the same: None, or ``""`` for the strings that KubeSphere always sends. ``verb`` must be
    there and may be empty: kube-apiserver knows no verb for OPTIONS and for methods nobody defined. What is not JSON
    (``raw``, ``flags`` and the like) lives beside the fields, where no key of a body can reach it.
    """

    kind: str = ""
    apiVersion: str = ""
    level: _Filled
    auditID: _Filled
    stage: _Filled
    requestURI: str = ""
    verb: str
    user: User = User()
    impersonatedUser: User | None = None
    authenticationMetadata: AuthenticationMetadata | None = None
    sourceIPs: list[str] | None = None
    userAgent: str = ""
    objectRef: ObjectRef = ObjectRef()
    responseStatus: ResponseStatus | None = None
    requestObject: _Body = None
    responseObject: _Body = None
    requestReceivedTimestamp: str | None = None
    stageTimestamp: str | None = None
    annotations: dict[str, str] | None = None
    cluster: str = ""
    workspace: str = ""
    devops: str = ""
    message: str = ""

    # Stored beside the fields. Without annotations msgspec does not take these for fields, so no key of a body can set
    # them.
    sender = SenderKind.KUBERNETES
    """The kind of sender that the event comes from, by the casing of its keys. Never ``ANY``."""
    canonical = True
    """Whether the item was received with exactly the keys of this model."""
    receipt = cast("datetime | None", None)
    """When it was received, by our own clock; None for an event that was not settled."""
    reportedCluster = ""
    """The cluster that the body or an envelope around it named, where the credential says another."""
    edited = frozenset[str]()
    """The fields whose value is no longer as received."""
    flags = tuple[str, ...]()
    """What was done to this event or found in it: words of Flag, each once."""
    unknown_paths = frozenset[str]()
    """Fields of this model whose value the sender had and left out or cut off: nobody here can say what it was. Such a
    field is None or empty, which does not mean that it was absent."""
    cut_text = b""
    """Of an event that was cut off (Flag.CUT_OFF) the text as it came; ``received`` is what could be read of it."""

    @cached_property
    def received(self) -> "msgspec.Raw | memoryview | bytes":
        """The item as received, a view into the body. An event built by hand encodes itself."""
        return msgspec.json.encode(self)

    @property
    def raw(self) -> bytes:
        """A copy of the item as received."""
        return bytes(self.received)

    @cached_property
    def digest(self) -> str:
        """The event's identity: the SHA-256 of the item as received, in hex. The auditID would not do, because clients
        choose it."""
        return hashlib.sha256(self.received).hexdigest()

    @cached_property
    def unknown(self) -> dict[str, msgspec.Raw]:
        """The top-level keys that the model does not have, as received."""
        if self.canonical:
            return {}
        fields = _FIELDS.decode(self.received)
        return {key: value for key, value in fields.items() if key.lower() not in _NAMES_IN_ANY_CASING}

    @cached_property
    def requestBody(self) -> Any:  # noqa: N802 - named after the field
        """The request's object as JSON values, or None; decoded once."""
        return json_value(self.requestObject)

    @cached_property
    def responseBody(self) -> Any:  # noqa: N802
        """The response's object as JSON values, or None; decoded once."""
        return json_value(self.responseObject)

    @property
    def sourceIP(self) -> str | None:  # noqa: N802
        """The last of the source addresses, the only one that the client cannot choose: who connected to the API
        server. The others are what headers such as X-Forwarded-For say."""
        return self.sourceIPs[-1] if self.sourceIPs else None

    @property
    def outcome(self) -> str | None:
        """How the request ended: allowed, denied, failed or dry-run; None while it has no answer yet."""
        return outcome_of(self)

    @property
    def outcomeReason(self) -> str | None:  # noqa: N802
        """Why it ended so: what the authorizer says, else what the answer says."""
        return reason_of(self)

    @cached_property
    def podSpec(self) -> dict[str, Any] | None:  # noqa: N802
        """The pod specification that the request asks for, in whatever workload and form; None for none."""
        ref = self.objectRef
        location = location_of(self.verb, ref.resource, ref.apiGroup, ref.subresource)
        body = self.requestObject
        if location is None or body is None or not is_worth_decoding(location, memoryview(body)):
            return None
        is_patch = self.verb == "patch"
        has_directives = is_patch and may_have_directives(memoryview(body))
        return pod_spec_in(self.requestBody, location, is_patch=is_patch, has_directives=has_directives)

    @cached_property
    def containers(self) -> list[Any] | None:
        """The containers of ``podSpec``, of all three lists, each with its ``kind``; None if it says nothing about
        them."""
        return containers_in(self.podSpec)

    def forget_bodies(self) -> None:
        """Frees the decoded bodies, which take several times the memory of their text. They can be decoded again."""
        for name in _FROM_BODIES:
            self.__dict__.pop(name, None)

    def flag(self, flag: Flag) -> None:
        """Adds a flag to this event, once."""
        if flag not in self.flags:
            self.flags = (*self.flags, str(flag))

    def with_changes(self, **changes: Any) -> "Event":
        """A copy with other field values that still has the item as received. Unchanged bodies stay decoded."""
        copy = msgspec.structs.replace(self, **changes)
        beside = dict(self.__dict__)
        for name, members in _FROM_BODIES.items():
            if members & changes.keys():
                beside.pop(name, None)
        beside["edited"] = self.edited | changes.keys()
        # Nothing else is stored beside the fields. ``received`` has to be evaluated first, or an event built by hand
        # would encode the new values.
        beside["received"] = self.received
        copy.__dict__.update(beside)
        return copy


def json_value(text: msgspec.Raw | None) -> Any:
    """JSON text as Python values; None for none. Depth and encoding were checked when the item was decoded."""
    if text is None:
        return None
    try:
        return orjson.loads(memoryview(text))
    except orjson.JSONDecodeError:
        # The only possible failure is a number beyond a double, like 1e999. It becomes infinite, so that comparisons
        # with it still mean something. The stored text does not change.
        return json.loads(bytes(text), parse_int=_whole_number)


def _whole_number(digits: str) -> float:
    return float(digits) if len(digits) > 300 else int(digits)


_OF_WORKLOADS = frozenset(("requestObject", "objectRef", "verb"))
_FROM_BODIES = {
    "requestBody": frozenset(("requestObject",)),
    "responseBody": frozenset(("responseObject",)),
    "podSpec": _OF_WORKLOADS,
    "containers": _OF_WORKLOADS,
}
"""What is made of bodies when it is asked for, and the members that each is made of."""

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAMES_IN_ANY_CASING = frozenset(field.name.lower() for field in msgspec.structs.fields(Event))
