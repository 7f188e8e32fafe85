"""Logs of OpenTelemetry in JSON, as exporters and collectors send them over HTTP with ``encoding: json``.

Sources: opentelemetry-proto, opentelemetry/proto/{collector/logs,logs,common}/v1, and the JSON form of OTLP/HTTP.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from auditwire.events import timestamps
from auditwire.events.casing import Fields, fields_of
from auditwire.events.wrapping import sources
from auditwire.events.wrapping.origin import Origin, Piece, Text, Value
from auditwire.events.wrapping.values import list_in, number_in, object_in, opening, text_in

# An event nests deeper than this only in bodies made to do harm.
_MAX_DEPTH: Final = 64


def of_json(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """The records of an ExportLogsServiceRequest in JSON."""
    for resource_logs in list_in(fields, "resourceLogs") or []:
        about = _members(resource_logs)
        resource = _attributes(object_in(about, "resource") or {})
        for scope_logs in list_in(about, "scopeLogs", "instrumentationLibraryLogs") or []:
            for record in list_in(_members(scope_logs), "logRecords") or []:
                members = _members(record)
                inner = origin_of(
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


def origin_of(outer: Origin, nanoseconds: float, attributes: dict[str, str]) -> Origin:
    """Where a record comes from, by its time and its attributes and those of its resource."""
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
