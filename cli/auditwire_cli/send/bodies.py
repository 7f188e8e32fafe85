"""Request bodies: events in each of the shapes that senders use."""

from collections.abc import Mapping, Sequence

import msgspec

from auditwire_cli.send.shape import Shape

Members = dict[str, msgspec.Raw]

_EMPTY = msgspec.Raw(b'""')
_NULL = msgspec.Raw(b"null")

# What ks-apiserver writes, in its order. The wrapper's keys depend on its version; the rest is the internal audit.Event
# of k8s.io/apiserver, which has no JSON tags. Strings are always there, and everything else may be null.
_WRAPPER_3: Mapping[str, msgspec.Raw] = dict.fromkeys(("Devops", "Workspace", "Cluster", "Message"), _EMPTY)
_WRAPPER_4: Mapping[str, msgspec.Raw] = dict.fromkeys(("Workspace", "Cluster", "Message", "HostName", "HostIP"), _EMPTY)
_EVENT: Mapping[str, msgspec.Raw] = {
    "Level": _EMPTY,
    "AuditID": _EMPTY,
    "Stage": _EMPTY,
    "RequestURI": _EMPTY,
    "Verb": _EMPTY,
    "User": msgspec.Raw(b"{}"),
    "ImpersonatedUser": _NULL,
    "SourceIPs": _NULL,
    "UserAgent": _EMPTY,
    "ObjectRef": _NULL,
    "ResponseStatus": _NULL,
    "RequestObject": _NULL,
    "ResponseObject": _NULL,
    "RequestReceivedTimestamp": _NULL,
    "StageTimestamp": _NULL,
    "Annotations": _NULL,
}
_OBJECT_REF: Mapping[str, msgspec.Raw] = dict.fromkeys(
    ("Resource", "Namespace", "Name", "UID", "APIGroup", "APIVersion", "ResourceVersion", "Subresource"),
    _EMPTY,
)
_NOT_OF_KUBESPHERE = frozenset({"kind", "apiversion"})
_members = msgspec.json.Decoder(Members)


def body(items: Sequence[bytes], shape: Shape) -> bytes:
    """One request body with these events, each given as JSON; ``single`` takes exactly one.

    kube-apiserver sends event-list; ks-apiserver 3.1 to 3.4 sends ks3 and 4.x sends ks4, both with Go-cased keys; log
    shippers send jsonl and array. The bytes of items are not changed, except in ks3 and ks4, where keys change and
    values keep their exact text.
    """
    match shape:
        case Shape.EVENT_LIST:
            listed = b",".join(items)
            return b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[' + listed + b"]}\n"
        case Shape.KS3:
            return b'{"Items":[' + b",".join(as_kubesphere(item, 3) for item in items) + b"]}"
        case Shape.KS4:
            return b"".join(as_kubesphere(item, 4) for item in items)
        case Shape.ARRAY:
            return b"[" + b",".join(items) + b"]"
        case Shape.JSONL:
            return b"".join(_on_one_line(item) + b"\n" for item in items)
        case Shape.SINGLE:
            (item,) = items
            return item


def as_kubesphere(item: bytes, generation: int) -> bytes:
    """An event as ks-apiserver 3 or 4 (``generation``) writes it.

    Keys are Go-cased at the top and in ObjectRef, and lower case inside User and ResponseStatus. There is ``""`` or
    ``null`` where Kubernetes leaves a key out, and neither kind nor apiVersion. Unknown keys stay as they are, and so
    does what is not an object.
    """
    try:
        given = _members.decode(item)
    except msgspec.DecodeError:
        return item
    wrapper = _WRAPPER_3 if generation == 3 else _WRAPPER_4
    event = _go_cased(given, {**wrapper, **_EVENT}, without=_NOT_OF_KUBESPHERE)
    reference = bytes(event["ObjectRef"])
    if reference == b"null":
        event["ObjectRef"] = msgspec.Raw(msgspec.json.encode(_OBJECT_REF))
    elif reference.startswith(b"{"):
        event["ObjectRef"] = msgspec.Raw(msgspec.json.encode(_go_cased(_members.decode(reference), _OBJECT_REF)))
    return msgspec.json.encode(event)


def _go_cased(given: Members, form: Mapping[str, msgspec.Raw], without: frozenset[str] = frozenset()) -> Members:
    known = {name.lower(): name for name in form}
    members = dict(form)
    for key, value in given.items():
        folded = key.lower()
        if folded in known:
            members[known[folded]] = value if bytes(value) != b"null" else form[known[folded]]
        elif folded not in without:
            members[key] = value
    return members


def _on_one_line(item: bytes) -> bytes:
    return bytes(msgspec.json.format(item, indent=-1)) if b"\n" in item else item
