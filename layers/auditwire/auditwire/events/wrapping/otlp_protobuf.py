"""Logs of OpenTelemetry in protobuf, as its exporters send them over HTTP unless told otherwise.

Of the wire format only what these few messages need is read: numbers of fields and lengths (protobuf.dev, Encoding).
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from auditwire.events.bounds import OverBoundError
from auditwire.events.wrapping.origin import Origin, Piece, Text, Value
from auditwire.events.wrapping.otlp import origin_of

# The tag of the one field of a request; and that of scope logs and of an attribute's value, one of which stands near
# the beginning.
_RESOURCE_LOGS: Final = b"\x0a"
_SECOND_FIELD: Final = b"\x12"
_HEAD: Final = 4_096
_VARINT: Final = 0
_LENGTH_DELIMITED: Final = 2
_FIXED: Final = {1: 8, 5: 4}
# An event nests deeper than this only in bodies made to do harm.
_MAX_DEPTH: Final = 64
# A record has a dozen fields, and each of its attributes four.
_MAX_FIELDS: Final = 500_000

Message = list[tuple[int, "memoryview | int"]]


def may_be_request(body: bytes) -> bool:
    """Whether bytes begin as an ExportLogsServiceRequest does. No text does: it has no such control characters."""
    return body[:1] == _RESOURCE_LOGS and _SECOND_FIELD in body[:_HEAD]


def is_request(body: bytes) -> bool:
    """Whether bytes are an ExportLogsServiceRequest: nothing but resource logs, and the first of them well formed.

    Raises OverBoundError where they have more fields than a request of so many items can have.
    """
    if not may_be_request(body):
        return False
    wire = _Wire()
    try:
        parts = wire.message(memoryview(body))
        return bool(parts) and all(number == 1 for number, _ in parts) and bool(wire.message(_bytes(parts[0][1])))
    except ValueError:
        return False


def of_request(body: bytes, origin: Origin) -> Iterator[Piece]:
    """The records of an ExportLogsServiceRequest. Raises ValueError where it is damaged, and OverBoundError."""
    wire = _Wire()
    for resource_logs in _all(wire.message(memoryview(body)), 1):
        parts = wire.message(resource_logs)
        resource: dict[str, str] = {}
        for one in _all(parts, 1):
            resource |= wire.attributes(wire.message(one), 1)
        for scope_logs in _all(parts, 2):
            for record in _all(wire.message(scope_logs), 2):
                yield from _of_record(wire, wire.message(record), resource, origin)


def _of_record(wire: "_Wire", record: Message, resource: dict[str, str], origin: Origin) -> Iterator[Piece]:
    attributes = resource | wire.attributes(record, 6)
    times = [int.from_bytes(value, "little") for number in (1, 11) for value in _all(record, number)]
    inner = origin_of(origin, float(next(filter(None, times), 0)), attributes)
    for body in _all(record, 5):
        value = wire.value(body)
        if isinstance(value, str):
            yield Text(value.encode(), inner)
        else:
            yield Value(msgspec.Raw(msgspec.json.encode(value)), inner)


class _Wire:
    """Reads messages of one request, up to a number of fields."""

    def __init__(self) -> None:
        self._left = _MAX_FIELDS

    def message(self, data: memoryview) -> Message:
        """The fields of a message: numbers with varints as integers and everything else as bytes.

        Raises ValueError for bytes that are no message.
        """
        fields: Message = []
        at, end = 0, len(data)
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise OverBoundError("too_many_values", f"the request has more than {_MAX_FIELDS:,} fields")
            tag, at = _varint(data, at)
            number, kind = tag >> 3, tag & 7
            if not number:
                raise ValueError("a field without a number")
            if kind == _VARINT:
                value, at = _varint(data, at)
                fields.append((number, value))
                continue
            if kind == _LENGTH_DELIMITED:
                length, at = _varint(data, at)
            elif kind in _FIXED:
                length = _FIXED[kind]
            else:
                raise ValueError("an unknown wire type")
            if at + length > end:
                raise ValueError("a field longer than its message")
            fields.append((number, data[at : at + length]))
            at += length
        return fields

    def attributes(self, fields: Message, number: int) -> dict[str, str]:
        """The attributes that are strings, by key, in the fields of that number."""
        found = {}
        for pair in _all(fields, number):
            parts = self.message(pair)
            values = [self.value(value) for value in _all(parts, 2)]
            for key in _all(parts, 1):
                if values and isinstance(values[-1], str):
                    found[_text(key)] = values[-1]
        return found

    def value(self, data: memoryview, depth: int = 0) -> Any:
        """The JSON value that an AnyValue stands for; None for one that nests too deep."""
        found: Any = None
        for number, value in self.message(data) if depth <= _MAX_DEPTH else []:
            if number in (1, 7):
                found = _text(_bytes(value))
            elif number == 2:
                found = bool(value)
            elif number == 3 and isinstance(value, int):
                found = value - (1 << 64) if value >= 1 << 63 else value
            elif number == 4:
                found = _double(_bytes(value))
            elif number == 5:
                found = [self.value(one, depth + 1) for one in _all(self.message(_bytes(value)), 1)]
            elif number == 6:
                pairs = [self.message(pair) for pair in _all(self.message(_bytes(value)), 1)]
                found = {
                    "".join(_text(key) for key in _all(pair, 1)): next(
                        (self.value(one, depth + 1) for one in _all(pair, 2)), None
                    )
                    for pair in pairs
                }
        return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70 and at < len(data):
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


def _double(value: memoryview) -> float:
    if len(value) != 8:
        raise ValueError("a double of another length")
    return float(struct.unpack("<d", value)[0])
