"""Conditional puts to S3: stored once, found again, never rewritten, and no failure passed over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from auditwire.archive import ArchiveError, MemoryArchive, QuarantineNote, Record, S3Archive
from aws_errors import client_error
from made_events import event

KEY = "events/cluster=prod/date=2026-11-21/hour=22/20261121T220500.000000Z-abc.jsonl.gz"
LINES = [b'{"auditID":"1"}', b'{"auditID":"2","name":"\xc3\xbc"}']
RECORDS = [Record(event(), line, "20261121T220500.000000Z") for line in LINES]
NOTE = QuarantineNote("invalid_json", "body", "prod", datetime(2026, 11, 21, 22, 5, tzinfo=UTC))


CONFLICT = client_error(409, "ConditionalRequestConflict")
EXISTS = client_error(412, "PreconditionFailed")


@dataclass
class Bucket:
    """A client whose put_object answers as told, one answer after the other; None means stored."""

    answers: list[Exception | None]
    requests: list[dict[str, Any]] = field(default_factory=list)

    def put_object(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if answer:
            raise answer
        return {}


def archive(client: Any, sleep: Callable[[float], None] = lambda seconds: None) -> S3Archive:
    return S3Archive(client, "archive", sleep)


def test_the_same_lines_give_the_same_bytes() -> None:
    one, two = MemoryArchive(), MemoryArchive()
    one.put_events(KEY, RECORDS, 0)
    two.put_events(KEY, RECORDS, 0)
    assert one.objects == two.objects
    assert one.objects[KEY][4:8] == b"\0\0\0\0", "the gzip header holds no time"
    assert one.lines(KEY) == LINES


def test_metadata_is_printable_ascii_whatever_the_reason() -> None:
    note = QuarantineNote("ümlaut\n" + "x" * 500, "item", "prod", NOTE.received)
    reason = note.as_metadata()["reason"]
    assert reason.startswith("?mlaut?x")
    assert len(reason) == 256


def test_a_writer_in_the_way_is_waited_for_and_then_found_to_have_stored_it() -> None:
    client = Bucket([CONFLICT, CONFLICT, EXISTS])
    waits: list[float] = []
    assert archive(client, waits.append).put_events(KEY, RECORDS, 0) == "exists"
    assert waits == [0.05, 0.1]
    assert all(request["IfNoneMatch"] == "*" for request in client.requests)


def test_a_writer_in_the_way_that_gave_up_leaves_the_place_to_us() -> None:
    assert archive(Bucket([CONFLICT, None])).put_events(KEY, RECORDS, 0) == "stored"


def test_a_writer_that_never_gets_out_of_the_way_is_an_error() -> None:
    client = Bucket([CONFLICT] * 9)
    with pytest.raises(ArchiveError) as caught:
        archive(client).put_events(KEY, RECORDS, 0)
    assert str(caught.value) == f"s3://archive/{KEY} could not be stored: {CONFLICT}"
    assert len(client.requests) == 4


@pytest.mark.parametrize(
    "failure",
    [
        client_error(503, "SlowDown"),
        client_error(403, "AccessDenied"),
        client_error(404, "NoSuchBucket"),
        ReadTimeoutError(endpoint_url="https://s3"),
    ],
    ids=["throttled", "denied", "no bucket", "timeout"],
)
def test_any_other_failure_is_an_error_that_names_the_key(failure: Exception) -> None:
    with pytest.raises(ArchiveError) as caught:
        archive(Bucket([failure])).put_quarantine("quarantine/x.gz", b"x", NOTE)
    assert str(caught.value) == f"s3://archive/quarantine/x.gz could not be stored: {failure}"
