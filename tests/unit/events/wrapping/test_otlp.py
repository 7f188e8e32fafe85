"""Logs of OpenTelemetry are read in JSON and in protobuf."""

import json
import struct
from typing import Any

import pytest

import envelopes as made
from audit_events import item, text_of
from auditwire.events import decode

TEXTS = [text_of(item(auditID=name, requestObject={"n": [1, 1.5, True, None]})).decode() for name in ("one", "two")]


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed(number: int, value: int) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def any_value(value: Any) -> bytes:
    if isinstance(value, str):
        return field(1, value.encode())
    if isinstance(value, bool):
        return field(2, int(value))
    if isinstance(value, int):
        return field(3, value & (1 << 64) - 1)
    if isinstance(value, float):
        return varint(4 << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, list):
        return field(5, b"".join(field(1, any_value(one)) for one in value))
    if isinstance(value, dict):
        return field(6, b"".join(field(1, pair(key, one)) for key, one in value.items()))
    return b""


def pair(key: str, value: Any) -> bytes:
    return field(1, key.encode()) + field(2, any_value(value))


def request(bodies: list[Any], **attributes: str) -> bytes:
    """An ExportLogsServiceRequest."""
    records = b"".join(
        field(2, fixed(1, made.TIME_MS * 1_000_000) + field(2, 9) + field(3, b"INFO") + field(5, any_value(body))
              + field(6, pair("log.file.name", "audit.log")) + fixed(11, 1))
        for body in bodies
    )  # fmt: skip
    about = b"".join(field(1, pair(key.replace("_", "."), value)) for key, value in attributes.items())
    scope = field(1, field(1, b"scope"))
    return field(1, field(1, about) + field(2, scope + records) + field(3, b"https://opentelemetry.io/schemas/1"))


def test_texts_are_read_from_protobuf() -> None:
    decoded = decode(request(TEXTS, k8s_cluster_name="prod-1", k8s_container_name="kube-apiserver"))

    assert [event.raw.decode() for event in decoded.events] == TEXTS
    assert {event.reportedCluster for event in decoded.events} == {"prod-1"}
    assert (decoded.rejects, decoded.skipped.total()) == ([], 0)


def test_a_request_may_have_several_resources() -> None:
    decoded = decode(request(TEXTS[:1], k8s_container_name="nginx") + request(TEXTS[1:]))

    assert [event.auditID for event in decoded.events] == ["two"]
    assert dict(decoded.skipped) == {"forged_source": 1}


def as_any(value: Any) -> made.Json:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": as_any(one)} for key, one in value.items()]}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [as_any(one) for one in value]}}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {} if value is None else {"stringValue": value}


def test_a_line_that_a_collector_parsed_is_put_together_again() -> None:
    body = made.otlp([])
    body["resourceLogs"][0]["scopeLogs"][0]["logRecords"] = [{"body": as_any(json.loads(text))} for text in TEXTS]

    for sent in (made.text_of(body), request([json.loads(text) for text in TEXTS])):
        decoded = decode(sent)
        assert [json.loads(event.raw) for event in decoded.events] == [json.loads(text) for text in TEXTS]


@pytest.mark.parametrize("end", range(1, 400, 7))
def test_a_request_that_ends_early_is_no_request(end: int) -> None:
    whole = request(TEXTS)

    decoded = decode(whole[:-end])

    assert decoded.events == []
    assert [reject.kind for reject in decoded.rejects] == ["body"]


def test_lying_lengths_are_no_request() -> None:
    whole = request(TEXTS)
    for at in range(len(whole)):
        for byte in (0, 0x7F, 0xFF):
            decode(whole[:at] + bytes([byte]) + whole[at + 1 :])  # never raises
    damaged = field(1, field(2, field(2, field(5, b"\xff" * 12))))
    assert [reject.reason for reject in decode(damaged).rejects] == ["bad_protobuf"]


def test_lists_of_lists_are_bounded() -> None:
    value = b""
    for _ in range(2_000):
        value = field(5, field(1, value))
    decoded = decode(field(1, field(2, field(2, field(5, value)))))

    assert decoded.events == []
    assert len(decoded.rejects) + decoded.skipped.total() == 1
