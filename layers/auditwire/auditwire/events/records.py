"""Events as stores and collectors give them back: with the fields of an event, spelled or typed as their tables have
it."""

from typing import Final

import msgspec

from auditwire.events.casing import Fields, canonical_fields, event_in_any_casing, fields_of, is_object
from auditwire.events.level import LEVELS
from auditwire.events.model import Event, Flag
from auditwire.senders.kind import SenderKind

_TRUE_LEVELS: Final = ("k8s_audit_level", "openshift_audit_level")
_JSON = msgspec.json.Decoder(msgspec.Raw)
_TEXT = msgspec.json.Decoder(str)
_LISTS: Final = ("sourceIPs",)
_OBJECTS: Final = ("user", "impersonatedUser", "objectRef", "responseStatus", "annotations")
_BODIES: Final = ("requestObject", "responseObject")
_LEVEL_OF_BODY: Final = (("responseObject", "RequestResponse"), ("requestObject", "Request"))
# Azure's tables AKSAudit and AKSAuditAdmin: a renaming, but for the times.
_ROW_TIMES: Final = {"requestReceivedTimestamp": "RequestReceivedTime", "stageTimestamp": "StageReceivedTime"}
_ROW_ONLY: Final = frozenset(("RequestReceivedTime", "StageReceivedTime", "TimeGenerated", "TenantId"))


def with_true_level(event: Event, fields: Fields) -> None:
    """OpenShift's collector writes its own level over the event's, and keeps the event's beside it."""
    if event.level in LEVELS:
        return
    for name in _TRUE_LEVELS:
        level = _text(fields.get(name))
        if level in LEVELS:
            event.level = level
            event.edited |= {"level"}
            return


def as_kubesphere_record(item: msgspec.Raw) -> Event | None:
    """The event in a record as KubeSphere keeps it in Elasticsearch: lists are texts with commas, bodies are texts.

    None for what is none either, or not spelled as ks-apiserver does.
    """
    received = fields_of(item)
    if "AuditID" not in received:
        return None
    fields = canonical_fields(item)
    before = dict(fields)
    for name in _LISTS:
        _list_of_text(fields, name)
    for name in _OBJECTS:
        value = _text(fields.get(name))
        if value is not None and (not value or value.lstrip()[:1] == "{"):
            _replace(fields, name, value.encode())
    for name in ("user", "impersonatedUser"):
        if name in fields and is_object(fields[name]):
            user = {key[:1].lower() + key[1:]: value for key, value in fields_of(fields[name]).items()}
            _list_of_text(user, "groups")
            if "extra" in user and is_object(user["extra"]):
                extra = fields_of(user["extra"])
                for key in list(extra):
                    _list_of_text(extra, key)
                user["extra"] = msgspec.Raw(msgspec.json.encode(extra))
            fields[name] = msgspec.Raw(msgspec.json.encode(user))
    for name in _BODIES:
        value = _text(fields.get(name))
        if value is not None:
            _replace(fields, name, value.encode())
    _code_of_text(fields)
    try:
        event = event_in_any_casing(msgspec.Raw(msgspec.json.encode(fields)))
    except (msgspec.DecodeError, RecursionError):
        return None
    event.sender = SenderKind.KUBESPHERE
    event.edited |= {name for name in (*_LISTS, *_OBJECTS, *_BODIES) if fields.get(name) != before.get(name)}
    event.flag(Flag.CONVERTED)
    return event


def is_table_row(fields: Fields) -> bool:
    """Whether an object is a row of Azure's tables of audit events."""
    return "AuditId" in fields and bool(fields.keys() & _ROW_ONLY)


def as_table_row(fields: Fields) -> tuple[bytes, str, str]:
    """A row of Azure's tables as an event of audit.k8s.io/v1, the cluster it names, and its pod."""
    names = {name: name[0].upper() + name[1:] for name in _ROW_NAMES}
    names |= {"auditID": "AuditId", "requestURI": "RequestUri", "sourceIPs": "SourceIps"}
    event: Fields = {"kind": msgspec.Raw(b'"Event"'), "apiVersion": msgspec.Raw(b'"audit.k8s.io/v1"')}
    for name in _ROW_NAMES:
        value = fields.get(_ROW_TIMES.get(name, names[name]))
        if value is None or bytes(value) in (b"null", b'""'):
            continue
        text = _text(value)
        # An export gives dynamic columns as JSON, a query as its text.
        if text is not None and (name in _OBJECTS or name in (*_LISTS, *_BODIES)) and text.lstrip()[:1] in ("{", "["):
            value = _as_json(text) or value
        event[name] = value
    if "level" not in event:
        bodies = [level for name, level in _LEVEL_OF_BODY if name in event]
        level = bodies[0] if bodies else "Metadata"
        event["level"] = msgspec.Raw(msgspec.json.encode(level))
    cluster = _text(fields.get("_ResourceId")) or _text(fields.get("ResourceId")) or ""
    return msgspec.json.encode(event), cluster.lower(), _text(fields.get("PodName")) or ""


_ROW_NAMES: Final = (
    "level", "auditID", "stage", "requestURI", "verb", "user", "sourceIPs", "userAgent", "objectRef", "responseStatus",
    "requestObject", "responseObject", "requestReceivedTimestamp", "stageTimestamp", "annotations",
)  # fmt: skip


def _code_of_text(fields: Fields) -> None:
    """The code of the responseStatus as a number, where it is a text."""
    if "responseStatus" not in fields or not is_object(fields["responseStatus"]):
        return
    status = fields_of(fields["responseStatus"])
    for name in [key for key in status if key.lower() == "code"]:
        code = _text(status[name])
        if code is not None and code.isascii() and code.isdigit():
            _replace(status, name, code.encode())
            fields["responseStatus"] = msgspec.Raw(msgspec.json.encode(status))


def _list_of_text(fields: Fields, name: str) -> None:
    text = _text(fields.get(name))
    if text is not None:
        parts = [part.strip() for part in text.split(",")] if text else []
        _replace(fields, name, msgspec.json.encode(parts) if parts else b"")


def _replace(fields: Fields, name: str, text: bytes) -> None:
    """The value that a text holds; without the field where it is empty; as it stands where it is no JSON."""
    if not text.strip():
        del fields[name]
    elif value := _as_json(text.decode()):
        fields[name] = value


def _as_json(text: str) -> msgspec.Raw | None:
    try:
        return msgspec.Raw(bytes(_JSON.decode(text)))
    except (msgspec.DecodeError, RecursionError):
        return None


def _text(value: msgspec.Raw | None) -> str | None:
    if value is None or bytes(memoryview(value)[:1]) != b'"':
        return None
    return str(_TEXT.decode(value))
