"""Samples of what clouds and shippers deliver, which are not part of the repository, are read as they should be."""

import base64
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from audit_events import item, text_of
from auditwire.events import Decoded, Event, decode, encode_line, inflate
from cloud_samples import SAMPLES

GOOD = text_of(item(auditID="good"))

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def body_of(sample: Path) -> bytes:
    text = sample.read_bytes()
    if sample.parent.name != "shippers":
        return text
    request = json.loads(text)
    body = base64.b64decode(request["body_base64"]) if "body_base64" in request else request["body"].encode()
    return inflate(body, request["headers"].get("Content-Encoding"))


def expected_of(sample: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sample.with_name(f"{sample.stem}.expected.json").read_text("utf-8"))
    return found


def is_part_of(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(is_part_of(value, found.get(key)) for key, value in expected.items())
    return bool(expected == found)


def line_of(event: Event) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(encode_line(event, {}))
    return line


def assert_right(decoded: Decoded, expected: dict[str, Any], times: int = 1) -> None:
    wanted = expected["events"] * times
    assert [is_part_of(one, line_of(event)) for one, event in zip(wanted, decoded.events, strict=True)] == [True] * len(
        wanted
    )
    assert decoded.skipped.total() == expected["skipped"] * times
    assert decoded.rejects == []


@each_sample
def test_a_sample_is_read(sample: Path) -> None:
    expected = expected_of(sample)
    decoded = decode(body_of(sample))

    assert_right(decoded, expected)
    for inferred in expected.get("inferred", []):
        assert [event.responseStatus and event.responseStatus.code for event in decoded.events] == [*inferred.values()]


@each_sample
def test_a_sample_twice_and_between_events_is_read(sample: Path) -> None:
    body, expected = body_of(sample), expected_of(sample)
    if body[:1] not in (b"{", b"["):
        assert_right(decode(body + body), expected, 2)
        return
    assert_right(decode(body + b"\n" + body), expected, 2)
    mixed = decode(GOOD + b"\n" + body + b"\n" + GOOD)
    assert [event.auditID for event in mixed.events] == [
        "good", *(event["auditID"] for event in expected["events"]), "good",
    ]  # fmt: skip
    assert mixed.rejects == []


@each_sample
def test_a_sample_with_its_keys_in_another_order_is_read(sample: Path) -> None:
    body, expected = body_of(sample), expected_of(sample)
    if body[:1] not in (b"{", b"["):
        return
    rng, decoder, text, values = Random(1), json.JSONDecoder(), body.decode().strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:].strip()

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in rng.sample(list(value), len(value))}
        return [shuffled(one) for one in value] if isinstance(value, list) else value

    for _ in range(3):
        assert_right(decode(b"".join(text_of(shuffled(value)) for value in values)), expected)


@each_sample
def test_a_sample_that_is_cut_gives_no_other_event(sample: Path) -> None:
    body, expected = body_of(sample), expected_of(sample)
    for part in range(1, 21):
        decoded = decode(body[: len(body) * part // 21] + b"\n" + GOOD)
        found = [line_of(event) for event in decoded.events if event.auditID != "good"]
        for line in found:
            wanted = next(one for one in expected["events"] if one["auditID"] == line["auditID"])
            keep = wanted if "cut_off" not in line["_auditwire"].get("flags", ()) else wanted.keys() & line.keys()
            assert is_part_of({key: wanted[key] for key in keep if key != "stageTimestamp"}, line)
        if body[:1] == b"{":
            assert [event.auditID for event in decoded.events][-1:] == ["good"]
