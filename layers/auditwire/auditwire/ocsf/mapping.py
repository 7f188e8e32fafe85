"""The mapping: which attribute of OCSF's class API Activity (6003) comes from what of an archived event.

The table is what docs/ocsf.md shows. Schema: https://schema.ocsf.io/1.5.0/classes/api_activity. It follows the mapping
that AWS publishes for the audit log of EKS:
https://github.com/ocsf/examples/tree/main/mappings/markdown/AWS/v1.5.0/EKS%20Audit%20Logs
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditwire.events.timestamps import is_normal
from auditwire.ocsf.archived_line import is_null

if TYPE_CHECKING:
    from auditwire.ocsf.archived_line import ArchivedLine

VERSION: Final = "1.5.0"
CLASS_UID: Final = 6003
CLASS_NAME: Final = "API Activity"

_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES: Final = {
    "create": _CREATE,
    "get": _READ,
    "list": _READ,
    "watch": _READ,
    "head": _READ,
    "update": _UPDATE,
    "patch": _UPDATE,
    "put": _UPDATE,
    "delete": _DELETE,
    "deletecollection": _DELETE,
    "": 0,
}
_ACTIVITY_NAMES: Final = {0: "Unknown", _CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete"}
_STATUSES: Final = ("Unknown", "Success", "Failure")
_ACTIONS: Final = {"allow": (1, "Allowed"), "forbid": (2, "Denied")}
_UNKNOWN_ACTION: Final = (0, "Unknown")
_USER_NAME, _IP_ADDRESS, _URL = 4, 2, 6
_OBSERVABLES: Final = {_USER_NAME: "User Name", _IP_ADDRESS: "IP Address", _URL: "URL String"}
_LAST_CODE: Final = 999
_SOURCES: Final = ("src_endpoint.ip", "src_endpoint.intermediate_ips")
_FIRST_ERROR: Final = 400
_FIRST_CODE: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

Read = Callable[["ArchivedLine"], Any]
"""The value of an attribute. None, and an empty text or list, leave it out."""


class Row(NamedTuple):
    """An attribute: its path, its type in SQL, what it comes from, and how. ``constant`` is what it always is, if
    anything; ``is_required`` is whether it is there also where it is empty.

    In a path ``[]`` stands for a list with an object for each value that ``read`` gives, ``[0]`` for a list of one
    object.
    """

    path: str
    type: str
    source: str
    read: Read
    constant: Any = None
    is_required: bool = False

    @property
    def may_be_empty(self) -> bool:
        """Whether an empty or false value is one."""
        return self.is_required or not self.type.startswith(("VARCHAR", "STRUCT"))


# Where an ArchivedLine has the parts of an event.
_PARTS: Final = {"user": "user", "objectRef": "ref", "responseStatus": "status"}


def _member(source: str) -> Read:
    part, _, name = source.rpartition(".")
    return attrgetter(f"{_PARTS[part]}.{name}" if part else f"event.{name}")


def _always(path: str, kind: str, value: Any) -> Row:
    return Row(path, kind, f"always `{value}`", lambda line: value, value)


def _text(path: str, source: str) -> Row:
    """A text that is left out if there is none."""
    return Row(path, "VARCHAR", f"`{source}`", _member(source))


def _required(path: str, source: str) -> Row:
    """A text that is there, and empty if the event has none."""
    read = _member(source)
    return Row(path, "VARCHAR", f"`{source}`, or empty", lambda line: read(line) or "", is_required=True)


def _json(path: str, source: str) -> Row:
    read = _member(source)

    def text(line: "ArchivedLine") -> str | None:
        raw = read(line)
        return None if is_null(raw) else bytes(raw).decode(errors="replace")

    return Row(path, "VARCHAR", f"`{source}`, as JSON text", text)


def _of_eks(path: str, name: str) -> Row:
    return Row(path, "VARCHAR", f"`user.extra.{name}[0]`, of EKS", lambda line: line.extra_of(name))


def activity_of(verb: str) -> int:
    """The activity of a verb: 0 for none, 99 for one that is none of the four."""
    return _ACTIVITIES.get(verb, _OTHER)


def _activity(line: "ArchivedLine") -> int:
    return activity_of(line.event.verb or "")


def _activity_name(line: "ArchivedLine") -> str:
    verb = line.event.verb or ""
    return _ACTIVITY_NAMES.get(activity_of(verb), verb)


def _type_name(line: "ArchivedLine") -> str:
    return f"{CLASS_NAME}: {_ACTIVITY_NAMES.get(_activity(line), 'Other')}"


def _status(line: "ArchivedLine") -> int:
    """1 for success, 2 for failure, 0 where there is no code, or none of HTTP."""
    code = line.code
    if code is None or not _FIRST_CODE <= code <= _LAST_CODE:
        return 0
    return 1 if code < _FIRST_ERROR else 2


def _action(line: "ArchivedLine") -> tuple[int, str]:
    return _ACTIONS.get(line.annotations.decision or "", _UNKNOWN_ACTION)


def _reason(line: "ArchivedLine") -> str | None:
    return line.annotations.reason or None


def _place(line: "ArchivedLine") -> str:
    return line.place


def _other_addresses(line: "ArchivedLine") -> list[str]:
    return line.addresses[1:]


def _no_address(line: "ArchivedLine") -> str | None:
    return None if line.addresses else "Unknown"


def _millis(text: str) -> int | None:
    """Milliseconds since 1970 of a time in normal form; None for any other text."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND if is_normal(text) else None


def _resource_name(line: "ArchivedLine") -> str | None:
    # A resource needs a name; a list, or an object that is just made, has none.
    ref = line.ref
    return (ref.name or "") if ref.name or ref.resource or ref.namespace else None


def _resource_type(line: "ArchivedLine") -> str | None:
    resource, subresource = line.ref.resource or "", line.ref.subresource
    return f"{resource}/{subresource}" if subresource else resource or None


def _profiles(line: "ArchivedLine") -> list[str]:
    return ["datetime", "security_control", "cloud"] if line.extra_of("arn") else ["datetime", "security_control"]


def _observables(line: "ArchivedLine") -> list[dict[str, Any]]:
    user, uri = line.user.username, line.event.requestURI
    found = [_observable("actor.user.name", _USER_NAME, user)] if user else []
    for number, address in enumerate(line.addresses):
        found.append(_observable(_SOURCES[min(number, 1)], _IP_ADDRESS, address))
    if uri:
        found.append(_observable("http_request.url.path", _URL, uri))
    return found


def _observable(name: str, kind: int, value: str) -> dict[str, Any]:
    return {"name": name, "type": _OBSERVABLES[kind], "type_id": kind, "value": value}


# Rows of one object stand together: docs/ocsf.md shows them in this order.
TABLE: Final[tuple[Row, ...]] = (
    _always("class_uid", "INTEGER", CLASS_UID),
    _always("class_name", "VARCHAR", CLASS_NAME),
    _always("category_uid", "INTEGER", 6),
    _always("category_name", "VARCHAR", "Application Activity"),
    Row("activity_id", "INTEGER", "`verb`", _activity),
    Row("activity_name", "VARCHAR", "`verb`", _activity_name),
    Row("type_uid", "BIGINT", "`verb`", lambda line: CLASS_UID * 100 + _activity(line)),
    Row("type_name", "VARCHAR", "`verb`", _type_name),
    _always("severity_id", "INTEGER", 1),
    _always("severity", "VARCHAR", "Informational"),
    Row("status_id", "INTEGER", "`responseStatus.code`", _status),
    Row("status", "VARCHAR", "`responseStatus.code`", lambda line: _STATUSES[_status(line)]),
    Row("status_code", "VARCHAR", "`responseStatus.code`", lambda line: str(line.code) if line.code else None),
    Row("time", "BIGINT", "when it is kept, in milliseconds", lambda line: _millis(line.at)),
    Row("time_dt", "TIMESTAMP", "when it is kept", lambda line: line.at),
    Row("start_time", "BIGINT", "`requestReceivedTimestamp`", lambda line: _millis(line.received)),
    Row("start_time_dt", "TIMESTAMP", "`requestReceivedTimestamp`", lambda line: line.received or None),
    _text("message", "stage"),
    Row("action_id", "INTEGER", "annotation `authorization.k8s.io/decision`", lambda line: _action(line)[0]),
    Row("action", "VARCHAR", "annotation `authorization.k8s.io/decision`", lambda line: _action(line)[1]),
    Row("policy.name", "VARCHAR", "annotation `authorization.k8s.io/reason`", _reason),
    Row("is_alert", "BOOLEAN", "whether an alerting rule matched", lambda line: bool(line.provenance.alerted())),
    _always("metadata.version", "VARCHAR", VERSION),
    Row("metadata.profiles", "VARCHAR[]", "`datetime`, `security_control`; `cloud` with an `arn`", _profiles),
    _always("metadata.product.name", "VARCHAR", "Kubernetes"),
    _always("metadata.product.vendor_name", "VARCHAR", "Kubernetes"),
    _text("metadata.product.version", "apiVersion"),
    _always("metadata.log_provider", "VARCHAR", "auditwire"),
    _text("metadata.log_name", "kind"),
    _text("metadata.log_level", "level"),
    Row("metadata.uid", "VARCHAR", "key of the archived object, `#`, number of the line from 0", _place),
    _text("metadata.correlation_uid", "auditID"),
    Row("metadata.original_time", "VARCHAR", "`stageTimestamp`", lambda line: line.event.stageTimestamp or None),
    Row("metadata.logged_time", "BIGINT", "`_auditwire.received`", lambda line: _millis(line.provenance.received)),
    _required("actor.user.name", "user.username"),
    _text("actor.user.uid", "user.uid"),
    _of_eks("actor.user.uid_alt", "principalId"),
    _always("actor.user.type_id", "INTEGER", 0),
    Row("actor.user.groups[].name", "VARCHAR", "`user.groups`", lambda line: line.user.groups or ()),
    _of_eks("actor.session.uid", "sessionName"),
    _of_eks("actor.session.credential_uid", "accessKeyId"),
    _of_eks("actor.session.issuer", "canonicalArn"),
    Row("cloud.provider", "VARCHAR", "`AWS` with an `arn`", lambda line: "AWS" if line.extra_of("arn") else None),
    _of_eks("cloud.account.uid", "arn"),
    Row("src_endpoint.ip", "VARCHAR", "`sourceIPs[0]`", lambda line: line.addresses[0] if line.addresses else None),
    Row("src_endpoint.intermediate_ips", "VARCHAR[]", "the rest of `sourceIPs`, 19 at most", _other_addresses),
    Row("src_endpoint.name", "VARCHAR", "`Unknown` without an address", _no_address),
    Row("dst_endpoint.name", "VARCHAR", "`cluster`", lambda line: line.cluster or None),
    _text("http_request.user_agent", "userAgent"),
    _text("http_request.url.path", "requestURI"),
    _required("api.operation", "verb"),
    _text("api.version", "objectRef.apiVersion"),
    _text("api.group.name", "objectRef.apiGroup"),
    _required("api.request.uid", "auditID"),
    _json("api.request.data", "requestObject"),
    Row("api.response.code", "INTEGER", "`responseStatus.code`", lambda line: line.code),
    _text("api.response.message", "responseStatus.message"),
    _text("api.response.error", "responseStatus.reason"),
    _text("api.response.error_message", "responseStatus.status"),
    _json("api.response.data", "responseObject"),
    Row("resources[0].name", "VARCHAR", "`objectRef.name`, or empty", _resource_name, is_required=True),
    _text("resources[0].namespace", "objectRef.namespace"),
    Row("resources[0].type", "VARCHAR", "`objectRef.resource` and, behind a `/`, `.subresource`", _resource_type),
    _text("resources[0].uid", "objectRef.uid"),
    _text("resources[0].version", "objectRef.resourceVersion"),
    Row(
        "observables",
        "STRUCT(name VARCHAR, type VARCHAR, type_id INTEGER, value VARCHAR)[]",
        "user name (4), addresses (2), URL (6)",
        _observables,
    ),
)  # fmt: skip
