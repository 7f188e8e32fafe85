"""The two rules buckets behave alike, in memory and in S3."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from auditwire.bundles.rules_bucket import (
    ChangedError,
    MemoryRulesBucket,
    RulesBucket,
    RulesBucketError,
    S3RulesBucket,
    TooLargeError,
    document_path,
)
from auditwire.bundles.rules_state import Active, StateError, Status

NAME = "rules-bucket"


@pytest.fixture
def s3() -> Iterator[S3RulesBucket]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket=NAME)
        yield S3RulesBucket(client, NAME)


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> RulesBucket:
    if request.param == "memory":
        return MemoryRulesBucket()
    bucket: RulesBucket = request.getfixturevalue("s3")
    return bucket


def stubbed() -> tuple[S3RulesBucket, Stubber]:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return S3RulesBucket(client, NAME, lambda _: None), Stubber(client)


def test_what_is_written_is_read_with_its_version(bucket: RulesBucket) -> None:
    first = bucket.write("rules/a.yaml", b"one")
    second = bucket.write("rules/a.yaml", b"two")

    stored = bucket.read("rules/a.yaml")
    assert stored is not None
    assert (stored.data, stored.etag) == (b"two", second)
    assert first != second
    assert bucket.read("rules/b.yaml") is None


def test_a_listing_names_everything_below_a_prefix_in_order(bucket: RulesBucket) -> None:
    for key in ("rules/b.yaml", "active.json", "rules/.publishing", "rules/a/c.yml"):
        bucket.write(key, key.encode())

    listing = bucket.entries()

    assert [(one.key, one.size) for one in listing] == [
        ("rules/.publishing", 17),
        ("rules/a/c.yml", 13),
        ("rules/b.yaml", 12),
    ]
    assert bucket.read(listing[1].key, if_match=listing[1].etag) is not None
    assert abs((datetime.now(UTC) - listing[0].modified).total_seconds()) < 5
    assert [one.key for one in bucket.entries(most=2)] == ["rules/.publishing", "rules/a/c.yml"]


def in_pages_of_ten(params: dict[str, Any], **_: object) -> dict[str, Any]:
    return {**params, "MaxKeys": 10}


def test_all_pages_of_a_listing_are_read(s3: S3RulesBucket) -> None:
    # A page has a thousand keys on AWS.
    events: Any = s3._client.meta.events
    events.register("provide-client-params.s3.ListObjectsV2", in_pages_of_ten)
    for number in range(25):
        s3.write(f"rules/{number:04}.yaml", b"x")

    assert len(s3.entries()) == 25
    assert len(s3.entries(most=22)) == 22


def test_a_document_that_changed_or_is_gone_is_not_read(bucket: RulesBucket) -> None:
    seen = bucket.write("rules/a.yaml", b"one")
    bucket.write("rules/a.yaml", b"two")
    with pytest.raises(ChangedError):
        bucket.read("rules/a.yaml", if_match=seen)

    bucket.delete("rules/a.yaml")
    bucket.delete("rules/a.yaml")
    with pytest.raises(ChangedError):
        bucket.read("rules/a.yaml", if_match=seen)


def test_an_object_is_replaced_only_by_who_has_seen_it(bucket: RulesBucket) -> None:
    first = bucket.replace("active.json", b"1", None)
    with pytest.raises(ChangedError):
        bucket.replace("active.json", b"2", None)
    second = bucket.replace("active.json", b"2", first)
    with pytest.raises(ChangedError):
        bucket.replace("active.json", b"3", first)
    bucket.delete("active.json")
    with pytest.raises(ChangedError):
        bucket.replace("active.json", b"3", second)

    assert bucket.read("active.json") is None


def test_polling_transfers_only_what_is_new(bucket: RulesBucket) -> None:
    assert bucket.poll("active.json", None) == "absent"
    etag = bucket.write("active.json", b"1")
    first = bucket.poll("active.json", None)
    assert first not in {"absent", "unchanged"}
    assert bucket.poll("active.json", etag) == "unchanged"
    bucket.write("active.json", b"2")
    again = bucket.poll("active.json", etag)
    assert not isinstance(again, str)
    assert again.data == b"2"
    bucket.delete("active.json")
    assert bucket.poll("active.json", etag) == "absent"


def test_what_is_too_large_is_not_read(bucket: RulesBucket) -> None:
    bucket.write("bundles/x.json", b"12345")
    assert bucket.read("bundles/x.json", limit=5) is not None
    with pytest.raises(TooLargeError, match="5 bytes, the limit is 4"):
        bucket.read("bundles/x.json", limit=4)


@pytest.mark.parametrize(
    "answers",
    [
        [(412, "PreconditionFailed")],
        [(404, "NoSuchKey")],
        [(409, "ConditionalRequestConflict"), (412, "PreconditionFailed")],
        [(409, "ConditionalRequestConflict")] * 4,
    ],
    ids=["written", "removed", "being written", "always being written"],
)
def test_two_writers_that_meet_in_s3_are_a_change(answers: list[tuple[int, str]]) -> None:
    bucket, stub = stubbed()
    for status, code in answers:
        stub.add_client_error("put_object", code, "oops", status)
    with stub, pytest.raises(ChangedError, match=r"s3://rules-bucket/active\.json"):
        bucket.replace("active.json", b"1", '"seen"')


def test_an_outage_is_an_error_that_names_the_object() -> None:
    bucket, stub = stubbed()
    stub.add_client_error("get_object", "SlowDown", "reduce your request rate", 503)
    with stub, pytest.raises(RulesBucketError, match=r"s3://rules-bucket/active\.json: .*reduce your request rate"):
        bucket.read("active.json")


def test_a_refused_read_is_absent_only_if_a_listing_says_so() -> None:
    listed = {"Key": "active.json", "ETag": '"e"', "Size": 1, "LastModified": datetime(2026, 11, 22, tzinfo=UTC)}
    bucket, stub = stubbed()
    stub.add_client_error("get_object", "AccessDenied", "no", 403)
    stub.add_response("list_objects_v2", {"IsTruncated": False})
    stub.add_client_error("get_object", "AccessDenied", "no", 403)
    stub.add_response("list_objects_v2", {"IsTruncated": False, "Contents": [listed]})
    with stub:
        assert bucket.poll("active.json", None) == "absent"
        with pytest.raises(RulesBucketError, match="AccessDenied"):
            bucket.poll("active.json", None)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("rules/a.yaml", "a.yaml"),
        ("rules/team/a.yml", "team/a.yml"),
        ("rules/.publishing", None),
        ("rules/.hidden.yaml", None),
        ("rules/.git/a.yaml", None),
        ("rules/notes.txt", None),
        ("rules/", None),
        ("bundles/a.yaml", None),
    ],
)
def test_the_same_files_count_as_on_disk(key: str, path: str | None) -> None:
    assert document_path(key) == path


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"schema":1,"digest":"d"}',
        b'{"schema":2,"digest":"d","sha256":"s","compiled":"2026-11-22T00:00:00Z"}',
        b'{"schema":1,"digest":"d","sha256":"s","compiled":"2026-11-22T00:00:00"}',
        b"[" * 100_000,
    ],
)
def test_a_foreign_file_is_no_state(data: bytes) -> None:
    with pytest.raises(StateError):
        Active.decode(data)
    with pytest.raises(StateError):
        Status.decode(data)


def test_the_state_is_json_that_reads_back() -> None:
    moment = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    active = Active("d", "s", moment)

    assert json.loads(active.encode()) == {
        "schema": 1,
        "digest": "d",
        "sha256": "s",
        "compiled": "2026-11-22T01:02:03.000000Z",
    }
    assert Active.decode(active.encode()) == active


def test_active_json_names_the_bundle_before_it() -> None:
    moment = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    first = Active("one", "s1", moment)
    second = first.followed_by("two", "s2", moment)
    rebuilt = second.followed_by("two", "s3", moment)
    third = second.followed_by("three", "s4", moment)

    assert (second.previous, rebuilt.previous) == (first, first)
    assert third.previous == Active("two", "s2", moment)
    assert Active.decode(third.encode()) == third
