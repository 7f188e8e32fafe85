"""Audit events to test with: as the objects senders write, in the body shapes they use, and generated."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st

from auditwire.events import Event

Item = dict[str, Any]

_GO_NAMES = {"auditID": "AuditID", "requestURI": "RequestURI", "sourceIPs": "SourceIPs"}
_GO_REF_NAMES = {"apiGroup": "APIGroup", "apiVersion": "APIVersion", "uid": "UID"}
_GO_STRINGS = ("RequestURI", "UserAgent", "Workspace", "Cluster", "Message")
_GO_NULLS = ("ImpersonatedUser", "RequestObject", "ResponseObject", "Annotations", "ResponseStatus")
_REF_STRINGS = ("resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource")


def item(**changes: Any) -> Item:
    """An event as kube-apiserver writes it: a pod read by alice."""
    return {
        "level": "Metadata",
        "auditID": "9c1f8a52-0000-4000-8000-000000000001",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/shop/pods/web",
        "verb": "get",
        "user": {"username": "alice", "groups": ["developers", "system:authenticated"]},
        "sourceIPs": ["192.0.2.10"],
        "userAgent": "kubectl/v1.34.1",
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-21T22:05:00.123456Z",
        "stageTimestamp": "2026-11-21T22:05:00.140001Z",
    } | changes


def text_of(value: object) -> bytes:
    """Compact JSON, as Go writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def as_kubesphere(event: Item) -> Item:
    """The same event as ks-apiserver 4.x writes it: Go casing, null and empty instead of absent."""
    go: Item = {_GO_NAMES.get(key, key[0].upper() + key[1:]): value for key, value in event.items()}
    ref = dict.fromkeys(_REF_STRINGS, "") | (event.get("objectRef") or {})
    go["ObjectRef"] = {_GO_REF_NAMES.get(key, key[0].upper() + key[1:]): value for key, value in ref.items()}
    return dict.fromkeys(_GO_STRINGS, "") | dict.fromkeys(_GO_NULLS) | {"HostName": "ks-0", "HostIP": "192.0.2.20"} | go


def event_list(items: list[bytes]) -> bytes:
    """The body of kube-apiserver."""
    return b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[%b]}\n' % b",".join(items)


SHAPES: dict[str, Callable[[list[bytes]], bytes]] = {
    "EventList": event_list,
    "Items": lambda items: b'{"Items":[%b]}' % b",".join(items),
    "odd casing": lambda items: b' {"ITEMS" : [ %b ] , "more": 1} ' % b" ,\n ".join(items),
    "array": lambda items: b"[%b]" % b",".join(items),
    "concatenated": b"".join,
    "lines": b"\n".join,
    "lines of Windows": lambda items: b"\r\n".join(items) + b"\r\n",
    "mixed white space": lambda items: b"\n\n" + b" \t\r\n ".join(items) + b"  ",
    "byte-order mark": lambda items: b"\xef\xbb\xbf" + event_list(items),
    "lists back to back": lambda items: b"".join(event_list([item]) for item in items),
}
"""Every shape of body, as a function from the items' bytes to the body."""


def view(event: Event) -> Item:
    """All an event says, as plain JSON values: for comparing events that came different ways."""
    seen: Item = {}
    for field in msgspec.structs.fields(Event):
        value = getattr(event, field.name)
        if isinstance(value, msgspec.Raw):
            value = json.loads(bytes(value))
        elif isinstance(value, msgspec.Struct):
            value = {name: getattr(value, name) for name in value.__struct_fields__}
        seen[field.name] = value
    return seen


_texts = st.text(st.characters(codec="utf-8"), max_size=12)
_filled = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
_bodies = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)
_users = st.fixed_dictionaries(
    {},
    optional={
        "username": _texts,
        "uid": _texts,
        "groups": st.lists(_texts, max_size=3),
        "extra": st.dictionaries(_texts, st.lists(_texts, max_size=2), max_size=2),
    },
)
_code = st.integers(100, 599)

items = st.fixed_dictionaries(
    {
        "level": st.sampled_from(["Metadata", "Request", "RequestResponse"]),
        "auditID": _filled,
        "stage": st.sampled_from(["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]),
        "verb": _filled,
        "user": _users,
    },
    optional={
        "requestURI": _texts,
        "impersonatedUser": _users,
        "sourceIPs": st.lists(_texts, max_size=3),
        "userAgent": _texts,
        "objectRef": st.fixed_dictionaries({}, optional=dict.fromkeys(_REF_STRINGS, _texts)),
        "responseStatus": st.fixed_dictionaries({}, optional={"code": _code, "status": _texts, "reason": _texts}),
        "requestObject": _bodies,
        "responseObject": _bodies,
        "stageTimestamp": st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds") + "Z"),
        "annotations": st.dictionaries(_texts, _texts, max_size=3),
    },
)
"""Valid events of kube-apiserver."""

json_values = _bodies
