"""Conditional puts to S3: stored once, found again, never rewritten, and no failure passed over."""

import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from auditwire.archive import Archive, ArchiveError, MemoryArchive, QuarantineNote, Record, S3Archive
from made_events import event

KEY = "events/cluster=prod/date=2026-11-21/hour=22/20261121T220500.000000Z-abc.jsonl.gz"
LINES = [b'{"auditID":"1"}', b'{"auditID":"2","name":"\xc3\xbc"}']
RECORDS = [Record(event(), line, "20261121T220500.000000Z") for line in LINES]
NOTE = QuarantineNote("invalid_json", "body", "prod", datetime(2026, 11, 21, 22, 5, tzinfo=UTC))


def refused(status: int, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "PutObject",
    )


CONFLICT = refused(409, "ConditionalRequestConflict")
EXISTS = refused(412, "PreconditionFailed")


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


@pytest.fixture(params=["s3", "memory"])
def archive(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        yield MemoryArchive()
        return
    with mock_aws():
        client = boto3.client("s3", "eu-central-1")
        client.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield S3Archive(client, "archive")


def content(archive: Archive, key: str) -> bytes:
    if isinstance(archive, MemoryArchive):
        return archive.objects[key]
    return boto3.client("s3", "eu-central-1").get_object(Bucket="archive", Key=key)["Body"].read()


def test_lines_are_stored_once_and_a_repeat_never_rewrites_them(archive: Archive) -> None:
    assert archive.put_events(KEY, RECORDS, 0) == "stored"
    first = content(archive, KEY)
    assert gzip.decompress(first) == LINES[0] + b"\n" + LINES[1] + b"\n"
    assert archive.put_events(KEY, [Record(event(), b"forged", RECORDS[0].t)], 0) == "exists"
    assert content(archive, KEY) == first


def test_quarantined_bytes_come_back_as_they_were_with_the_reason_beside_them(archive: Archive) -> None:
    key = "quarantine/cluster=prod/abc.gz"
    raw = b"\x00\xff not json"
    assert archive.put_quarantine(key, raw, NOTE) == "stored"
    assert archive.put_quarantine(key, raw, NOTE) == "exists"
    assert gzip.decompress(content(archive, key)) == raw
    expected = {
        "reason": "invalid_json",
        "kind": "body",
        "cluster": "prod",
        "received": "2026-11-21T22:05:00+00:00",
    }
    if isinstance(archive, MemoryArchive):
        assert archive.metadata[key] == expected
    else:
        head = boto3.client("s3", "eu-central-1").head_object(Bucket="archive", Key=key)
        assert head["Metadata"] == expected


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
    client, waits = Bucket([CONFLICT, CONFLICT, EXISTS]), []
    assert S3Archive(client, "archive", waits.append).put_events(KEY, RECORDS, 0) == "exists"
    assert waits == [0.05, 0.1]
    assert all(request["IfNoneMatch"] == "*" for request in client.requests)


def test_a_writer_in_the_way_that_gave_up_leaves_the_place_to_us() -> None:
    assert S3Archive(Bucket([CONFLICT, None]), "archive", lambda _: None).put_events(KEY, RECORDS, 0) == "stored"


def test_a_writer_that_never_gets_out_of_the_way_is_an_error() -> None:
    client = Bucket([CONFLICT] * 9)
    with pytest.raises(ArchiveError) as caught:
        S3Archive(client, "archive", lambda _: None).put_events(KEY, RECORDS, 0)
    assert str(caught.value) == f"s3://archive/{KEY} could not be stored: {CONFLICT}"
    assert len(client.requests) == 4


@pytest.mark.parametrize(
    "failure",
    [
        refused(503, "SlowDown"),
        refused(403, "AccessDenied"),
        refused(404, "NoSuchBucket"),
        ReadTimeoutError(endpoint_url="https://s3"),
    ],
    ids=["throttled", "denied", "no bucket", "timeout"],
)
def test_any_other_failure_is_an_error_that_names_the_key(failure: Exception) -> None:
    with pytest.raises(ArchiveError) as caught:
        S3Archive(Bucket([failure]), "archive").put_quarantine("quarantine/x.gz", b"x", NOTE)
    assert str(caught.value) == f"s3://archive/quarantine/x.gz could not be stored: {failure}"
