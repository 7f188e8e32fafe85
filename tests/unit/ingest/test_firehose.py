"""Firehose: its access key, its answers, its records."""

import gzip
import json
from random import Random
from typing import Any

import pytest

from auditwire.events import decode
from auditwire.ingest.ingest import Answer
from auditwire.ingest.request import Request
from envelopes import cloudwatch, firehose, text_of
from local_road import exec_event
from memory_road import RECEIVED, TOKEN, FullDisk, Road

EVENT = json.dumps(exec_event(1))
BODY = firehose([gzip.compress(text_of(cloudwatch([EVENT])))])


def send(road: Road, body: bytes = text_of(BODY), path: str = "/audit/firehose", **headers: str) -> Answer:
    """What Firehose gets; underscores in the names of headers stand for hyphens."""
    given = {
        "content-type": "application/json",
        "x-amz-firehose-request-id": BODY["requestId"],
        "x-amz-firehose-access-key": TOKEN,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return road.ingest.handle(Request("POST", path, given, body, RECEIVED))


def said(answer: Answer) -> dict[str, Any]:
    assert answer.content_type == "application/json"
    body: dict[str, Any] = json.loads(answer.body)
    assert body["timestamp"] == int(RECEIVED.timestamp() * 1000)
    return body


@pytest.mark.parametrize("path", ["/audit/firehose", "/audit/firehose/"])
def test_records_are_stored_and_answered_as_firehose_wants_it(path: str) -> None:
    road = Road()
    answer = send(road, path=path)

    assert answer.status == 200
    assert said(answer) == {"requestId": BODY["requestId"], "timestamp": 1795298760000}
    assert [line["auditID"] for line in road.lines()] == [exec_event(1)["auditID"]]


@pytest.mark.parametrize(
    "headers",
    [
        {"x_amz_firehose_access_key": "wrong"},
        {"x_amz_firehose_access_key": ""},
        {"x_amz_firehose_access_key": f"{TOKEN},{TOKEN}"},
        {"X_Amz_Firehose_Access_Key": "another"},
        {"authorization": f"Bearer {TOKEN}"},
        {"x_amz_firehose_access_key": "wrong", "authorization": f"Bearer {TOKEN}"},
    ],
    ids=["wrong", "none", "two", "two headers", "Authorization beside it", "Authorization instead"],
)
def test_a_key_that_does_not_hold_is_refused_in_the_same_form(headers: dict[str, str]) -> None:
    road = Road()
    answer = send(road, text_of(BODY), **headers)

    assert answer.status == 401
    assert said(answer).keys() == {"requestId", "timestamp", "errorMessage"}
    assert not road.archive.objects


def test_the_access_key_counts_on_this_path_only() -> None:
    assert send(Road(), path="/audit/webhook/event").status == 401


def test_what_could_not_be_stored_is_said_in_the_same_form() -> None:
    answer = send(Road(archive=FullDisk()))

    assert answer.status == 503
    assert said(answer)["requestId"] == BODY["requestId"]
    assert "send them again" in said(answer)["errorMessage"]


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        ("from-the-header", {"requestId": "from-the-body"}, "from-the-header"),
        (None, {"requestId": "from-the-body", "timestamp": 1, "records": []}, "from-the-body"),
        (None, {"requestId": 7}, ""),
        (None, [], ""),
        ("x" * 129, {}, ""),
        ("a\nb", {}, ""),
    ],
)
def test_the_identifier_is_the_requests_own(header: str | None, body: object, expected: str) -> None:
    headers = {"x-amz-firehose-access-key": TOKEN} | ({"x-amz-firehose-request-id": header} if header else {})
    answer = Road().ingest.handle(Request("POST", "/audit/firehose", headers, text_of(body), RECEIVED))

    assert said(answer)["requestId"] == expected


def test_a_request_that_is_repeated_changes_nothing_whatever_its_time() -> None:
    road = Road()
    send(road)
    objects = dict(road.archive.objects)
    again = send(road, text_of(BODY | {"timestamp": 2, "requestId": "another"}))

    assert road.archive.objects == objects
    assert again.account is not None
    assert again.account.stored_before


@pytest.mark.parametrize(
    "body", [b"{", b'{"records":7}', b"\x1f\x8b\x08 gzip?", b"\xff", b'{"records":[{"data":"!"}]}']
)
def test_what_cannot_be_read_is_quarantined(body: bytes) -> None:
    road = Road()

    assert send(road, body).status == 200
    assert road.quarantined()


@pytest.mark.slow
def test_a_full_buffer_of_compressed_records_is_taken_whole() -> None:
    rng, records, size, number = Random(1), [], 0, 0
    while size < 1024 * 1024:
        # As much as a subscription filter puts into a payload.
        events = [exec_event(number + more, annotations={"n": rng.randbytes(24).hex()}) for more in range(100)]
        records.append(gzip.compress(text_of(cloudwatch([json.dumps(event) for event in events])), 6))
        size, number = size + len(records[-1]), number + len(events)
    body = text_of(firehose(records))
    assert [reject.reason for reject in decode(body).rejects] == ["too_many_items"], "this is a test of slices"

    road = Road()
    answer = send(road, body)

    assert answer.status == 200
    assert answer.account is not None
    assert (answer.account.received, answer.account.archived) == (number, number)
    assert not road.quarantined()
