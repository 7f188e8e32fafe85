"""The casing of keys: one canonical form for the keys of Kubernetes, of KubeSphere, and any mixture.

ks-apiserver sends the internal Go type, which has no JSON names: ``AuditID`` and ``ObjectRef.APIGroup``, but lower case
inside ``User`` and ``ResponseStatus``, and ``null`` or ``""`` where Kubernetes leaves a key out. Keys are mapped at the
levels of the model and nowhere below, because clients choose the keys in bodies, annotations and extra.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_type_hints

import msgspec

from auditwire.events.model import AuthenticationMetadata, Event, ObjectRef, ResponseStatus, User
from auditwire.senders.kind import SenderKind

Fields = dict[str, msgspec.Raw]
_Model = TypeVar("_Model", bound=msgspec.Struct)

NULL = msgspec.Raw(b"null")

_FIELDS = msgspec.json.Decoder(Fields)
_GO_NAMES = {
    "auditID": "AuditID",
    "requestURI": "RequestURI",
    "sourceIPs": "SourceIPs",
    "apiGroup": "APIGroup",
    "apiVersion": "APIVersion",
    "uid": "UID",
}
# The 4.x wrapper adds two keys that the model does not have. They stay unknown keys of the item.
_WRAPPER_KEYS = ("HostName", "HostIP")


def go_name(name: str) -> str:
    """A key of the model as Go spells it."""
    return _GO_NAMES.get(name, name[0].upper() + name[1:])


def _in_go_casing(
    model: type[_Model],
    parts: Mapping[str, type[msgspec.Struct]],
    beside: Mapping[str, Any],
    ignored: tuple[str, ...] = (),
) -> type[_Model]:
    """A subclass of the model that decodes keys as Go spells them. ``parts`` are its nested models."""
    types = get_type_hints(model, include_extras=True)
    fields: list[Any] = [(name, msgspec.Raw, None) for name in ignored]
    for field in msgspec.structs.fields(model):
        part = parts.get(field.name)
        default = part() if part else field.default
        fields.append((field.name, part or types[field.name], msgspec.field(name=go_name(field.name), default=default)))
    go_model = msgspec.defstruct(
        f"KubeSphere{model.__name__}", fields, bases=(model,), namespace=dict(beside), kw_only=True
    )
    return cast("type[_Model]", go_model)


_GO_OBJECT_REF = _in_go_casing(ObjectRef, {}, {})
KubeSphereEvent = _in_go_casing(
    Event, {"objectRef": _GO_OBJECT_REF}, {"sender": SenderKind.KUBESPHERE, "canonical": False}, _WRAPPER_KEYS
)
"""An event whose keys are spelled exactly as ks-apiserver spells them."""


def _names(model: type[msgspec.Struct]) -> dict[str, str]:
    """Maps spellings to canonical names: lower case for any casing, and the senders' own spellings, so that these are
    found at once."""
    names: dict[str, str] = {}
    for field in msgspec.structs.fields(model):
        names |= dict.fromkeys((field.name, go_name(field.name), field.name.lower()), field.name)
    return names


_EVENT_NAMES = _names(Event)
_PART_NAMES = {
    "user": _names(User),
    "impersonatedUser": _names(User),
    "objectRef": _names(ObjectRef),
    "responseStatus": _names(ResponseStatus),
    "authenticationMetadata": _names(AuthenticationMetadata),
}
# Maps whose keys clients choose. The model only removes null values from them.
_MAPS = {"annotations", "extra"}
_BODIES = ("requestObject", "responseObject")
_EVENT = msgspec.json.Decoder(Event)
# Integers up to here are exact in a double; no status code comes near it, and no text of one is longer.
_MAX_EXACT = 2**53
_LONGEST_NUMBER = 32


def fields_of(text: "msgspec.Raw | memoryview | bytes") -> Fields:
    """The keys of a JSON object with their undecoded values. If a key occurs twice, the last one counts."""
    return _FIELDS.decode(text)


def is_object(text: "msgspec.Raw | memoryview | bytes") -> bool:
    """Whether a JSON text is an object."""
    return bytes(memoryview(text)[:1]) == b"{"


def canonical_fields(item: "msgspec.Raw | memoryview | bytes") -> Fields:
    """The item under canonical keys, with values as received. Unknown keys keep their name and their value.

    If spellings of one key compete, the last one in the text counts, as for a key that occurs twice.
    """
    fields = _renamed(fields_of(item), _EVENT_NAMES)
    for name, names in _PART_NAMES.items():
        value = fields.get(name)
        if value is not None and is_object(value):
            part = fields_of(value)
            renamed = _renamed(part, names)
            if renamed.keys() != part.keys():
                fields[name] = msgspec.Raw(msgspec.json.encode(renamed))
    return fields


def event_in_any_casing(item: msgspec.Raw) -> Event:
    """Reads an event from an item (a JSON object) with any mixture of casings, nulls and unknown keys.

    Raises msgspec.ValidationError if a field of the model has the wrong JSON type or a required one is absent.
    """
    received = fields_of(item)
    known = _known(received, _EVENT_NAMES)
    for name, names in _PART_NAMES.items():
        value = known.get(name)
        if value is not None and is_object(value):
            part = fields_of(value)
            filled = _known(part, names)
            if "code" in filled:
                filled["code"] = _whole(filled["code"])
            if filled != part:
                known[name] = msgspec.Raw(msgspec.json.encode(filled))
    bodies = {name: known.pop(name) for name in _BODIES if name in known}
    event = _EVENT.decode(msgspec.json.encode(known))
    for name, body in bodies.items():
        setattr(event, name, body)
    event.canonical = False
    if [key for key in received if _EVENT_NAMES.get(key.lower()) == "auditID"][-1] == "AuditID":
        event.sender = SenderKind.KUBESPHERE
    return event


def _whole(number: msgspec.Raw) -> msgspec.Raw:
    """A number as an integer where that is its value: JSON has one type of numbers, and a shipper that counts in
    doubles writes 200 as ``200.0`` or ``2e2``. Anything else as it stands."""
    text = bytes(number)
    if text.isdigit() or len(text) > _LONGEST_NUMBER or text[:1] not in b"-0123456789":
        return number
    value = float(text)
    return msgspec.Raw(b"%d" % value) if value.is_integer() and abs(value) < _MAX_EXACT else number


def _renamed(fields: Fields, names: Mapping[str, str]) -> Fields:
    renamed: Fields = {}
    for key, value in fields.items():
        name = names.get(key)
        renamed[names.get(key.lower(), key) if name is None else name] = value
    return renamed


def _known(fields: Fields, names: Mapping[str, str]) -> Fields:
    """The fields of the model that have a value, under canonical names, without nulls in their maps."""
    known: Fields = {}
    for key, value in fields.items():
        name = names.get(key) or names.get(key.lower())
        if name is None:
            continue
        if value == NULL:
            known.pop(name, None)
        else:
            known[name] = value
    for name in _MAPS & known.keys():
        if is_object(known[name]) and b"null" in bytes(known[name]):
            filled = {key: value for key, value in fields_of(known[name]).items() if value != NULL}
            known[name] = msgspec.Raw(msgspec.json.encode(filled))
    return known
