"""Logs of OpenTelemetry: what its exporters send over HTTP, as JSON and as protobuf.

Sources: opentelemetry-proto, opentelemetry/proto/{collector/logs,logs,common}/v1; the JSON form is that of OTLP/HTTP.
Of protobuf's wire format only what these messages need is read here: numbers of fields and lengths.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from auditwire.events import timestamps
from auditwire.events.casing import Fields, fields_of
from auditwire.events.wrapping import sources
from auditwire.events.wrapping.origin import Origin, Piece, Text, Value
from auditwire.events.wrapping.values import list_in, number_in, object_in, opening, text_in

_LENGTH_DELIMITED: Final = 2
_FIXED: Final = {1: 8, 5: 4}
# An event nests deeper than this only in bodies made to do harm.
_MAX_DEPTH: Final = 64

Message = list[tuple[int, "memoryview | int"]]


def of_json(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """The records of an ExportLogsServiceRequest in JSON."""
    for resource_logs in list_in(fields, "resourceLogs") or []:
        about = _members(resource_logs)
        resource = _attributes(object_in(about, "resource") or {})
        for scope_logs in list_in(about, "scopeLogs", "instrumentationLibraryLogs") or []:
            for record in list_in(_members(scope_logs), "logRecords") or []:
                members = _members(record)
                inner = _origin(
                    origin,
                    number_in(members, "timeUnixNano") or number_in(members, "observedTimeUnixNano") or 0.0,
                    resource | _attributes(members),
                )
                body = object_in(members, "body") or {}
                text = text_in(body, "stringValue")
                if text is not None:
                    yield Text(text.encode(), inner)
                elif body:
                    yield Value(msgspec.Raw(msgspec.json.encode(_any_value(body))), inner)
                else:
                    yield Value(record, inner)


def is_protobuf(body: bytes) -> bool:
    """Whether bytes may be an ExportLogsServiceRequest: nothing but resource logs, and the first of them well formed.
    JSON never is, and no other body that comes this far."""
    try:
        parts = _message(memoryview(body))
        return bool(parts) and all(number == 1 for number, _ in parts) and bool(_message(_bytes(parts[0][1])))
    except ValueError:
        return False


def of_protobuf(body: bytes, origin: Origin) -> Iterator[Piece]:
    """The records of an ExportLogsServiceRequest in protobuf. Raises ValueError where it is damaged."""
    for resource_logs in _all(_message(memoryview(body)), 1):
        parts = _message(resource_logs)
        resource: dict[str, str] = {}
        for one in _all(parts, 1):
            resource |= _proto_attributes(_message(one), 1)
        for scope_logs in _all(parts, 2):
            for record in _all(_message(scope_logs), 2):
                yield from _of_record(_message(record), resource, origin)


def _of_record(record: Message, resource: dict[str, str], origin: Origin) -> Iterator[Piece]:
    attributes = resource | _proto_attributes(record, 6)
    times = [int.from_bytes(value, "little") for number in (1, 11) for value in _all(record, number)]
    inner = _origin(origin, float(next(filter(None, times), 0)), attributes)
    for body in _all(record, 5):
        value = _proto_value(body, 0)
        if isinstance(value, str):
            yield Text(value.encode(), inner)
        else:
            yield Value(msgspec.Raw(msgspec.json.encode(value)), inner)


def _origin(outer: Origin, nanoseconds: float, attributes: dict[str, str]) -> Origin:
    return Origin(
        time=timestamps.of_epoch(nanoseconds / 1e9) or outer.time,
        cluster=attributes.get("k8s.cluster.name") or outer.cluster,
        stream=repr(sorted(attributes.items())),
        is_other=outer.is_other or sources.labels_name_other(attributes),
        layers=outer.layers + 1,
    )


def _members(value: msgspec.Raw) -> Fields:
    return fields_of(value) if opening(value) == b"{" else {}


def _attributes(fields: Fields) -> dict[str, str]:
    """The attributes that are strings, by key."""
    found = {}
    for pair in list_in(fields, "attributes") or []:
        members = _members(pair)
        key, text = text_in(members, "key"), text_in(object_in(members, "value") or {}, "stringValue")
        if key and text is not None:
            found[key] = text
    return found


def _any_value(fields: Fields, depth: int = 0) -> Any:
    """The JSON value that an AnyValue stands for: a parsed line is a map of them."""
    if depth > _MAX_DEPTH:
        return None
    if (values := object_in(fields, "kvlistValue")) is not None:
        pairs = [_members(pair) for pair in list_in(values, "values") or []]
        return {text_in(pair, "key") or "": _any_value(object_in(pair, "value") or {}, depth + 1) for pair in pairs}
    if (values := object_in(fields, "arrayValue")) is not None:
        return [_any_value(_members(value), depth + 1) for value in list_in(values, "values") or []]
    if (text := text_in(fields, "stringValue", "bytesValue")) is not None:
        return text
    if "boolValue" in fields:
        return bytes(fields["boolValue"]) == b"true"
    # In JSON an int64 is a string.
    if "intValue" in fields:
        return msgspec.Raw(bytes(fields["intValue"]).strip(b'"'))
    return fields.get("doubleValue")


def _message(data: memoryview) -> Message:
    """The fields of a message: numbers with varints as integers and everything else as bytes.

    Raises ValueError for bytes that are no message.
    """
    fields: Message = []
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            fields.append((number, value))
            continue
        if kind == _LENGTH_DELIMITED:
            length, at = _varint(data, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError("an unknown wire type")
        if number == 0 or at + length > end:
            raise ValueError("a field longer than its message")
        fields.append((number, data[at : at + length]))
        at += length
    return fields


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a number that does not end")


def _bytes(value: "memoryview | int") -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value


def _all(fields: Message, number: int) -> Iterator[memoryview]:
    return (_bytes(value) for given, value in fields if given == number)


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", "replace")


def _proto_attributes(fields: Message, number: int) -> dict[str, str]:
    found = {}
    for pair in _all(fields, number):
        parts = _message(pair)
        values = [_proto_value(value, 0) for value in _all(parts, 2)]
        for key in _all(parts, 1):
            if values and isinstance(values[-1], str):
                found[_text(key)] = values[-1]
    return found


def _proto_value(data: memoryview, depth: int) -> Any:
    """The JSON value that an AnyValue stands for."""
    found: Any = None
    for number, value in _message(data) if depth <= _MAX_DEPTH else []:
        if number in (1, 7):
            found = _text(_bytes(value))
        elif number == 2:
            found = bool(value)
        elif number == 3 and isinstance(value, int):
            found = value - (1 << 64) if value >= 1 << 63 else value
        elif number == 4:
            found = _double(_bytes(value))
        elif number == 5:
            found = [_proto_value(one, depth + 1) for one in _all(_message(_bytes(value)), 1)]
        elif number == 6:
            pairs = [_message(pair) for pair in _all(_message(_bytes(value)), 1)]
            found = {
                "".join(_text(key) for key in _all(pair, 1)): next(
                    (_proto_value(one, depth + 1) for one in _all(pair, 2)), None
                )
                for pair in pairs
            }
    return found


def _double(value: memoryview) -> float:
    if len(value) != 8:
        raise ValueError("a double of another length")
    return float(struct.unpack("<d", value)[0])
