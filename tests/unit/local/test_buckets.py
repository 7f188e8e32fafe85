"""moto's buckets as the local system mends them: every change is told, and conditions hold under concurrency."""

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from auditwire_local.buckets import object_events
from auditwire_local.sandbox import sandbox


@pytest.fixture
def s3() -> Iterator[Any]:
    with sandbox("us-east-1", "127.0.0.1", 0):
        client = boto3.client("s3")
        for name, versioned in (("plain", False), ("versioned", True), ("silent", True)):
            client.create_bucket(Bucket=name)
            if versioned:
                client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            if name != "silent":
                client.put_bucket_notification_configuration(
                    Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
                )
        yield client


@pytest.fixture
def events(s3: Any) -> Iterator[list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    with object_events(events.append):
        yield events


def said(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    found = [(e["detail-type"], e["detail"]["reason"], e["detail"]["object"]["key"]) for e in events]
    events.clear()
    return found


@pytest.mark.parametrize("bucket", ["plain", "versioned"])
def test_every_kind_of_write_is_told(s3: Any, events: list[dict[str, Any]], bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="c", UploadId=upload, MultipartUpload=parts)

    # moto tells of the end of a multipart upload as of a plain one too. On AWS an event may come twice as well.
    assert [one for one in said(events) if one != ("Object Created", "PutObject", "c")] == [
        ("Object Created", "PutObject", "a"),
        ("Object Created", "CopyObject", "b"),
        ("Object Created", "CompleteMultipartUpload", "c"),
    ]
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}, {"Key": "c"}]})
    assert said(events) == [("Object Deleted", "DeleteObject", key) for key in "abc"]


def test_an_event_has_the_shape_of_aws(s3: Any, events: list[dict[str, Any]]) -> None:
    version = s3.put_object(Bucket="versioned", Key="rules/a b.yaml", Body=b"xyz")["VersionId"]
    marker = s3.delete_object(Bucket="versioned", Key="rules/a b.yaml")["VersionId"]
    s3.delete_object(Bucket="versioned", Key="rules/a b.yaml", VersionId=version)

    created, hidden, deleted = events
    assert created["source"] == "aws.s3"
    assert created["resources"] == ["arn:aws:s3:::versioned"]
    assert created["detail"]["bucket"] == {"name": "versioned"}
    about = created["detail"]["object"]
    assert (about["key"], about["size"], about["version-id"]) == ("rules/a b.yaml", 3, version)
    assert about["sequencer"] < hidden["detail"]["object"]["sequencer"]
    assert (hidden["detail"]["deletion-type"], hidden["detail"]["object"]["version-id"]) == (
        "Delete Marker Created",
        marker,
    )
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"


def test_a_bucket_that_does_not_report_is_silent(s3: Any, events: list[dict[str, Any]]) -> None:
    s3.put_object(Bucket="silent", Key="a", Body=b"x")
    s3.delete_object(Bucket="silent", Key="a")
    s3.delete_object(Bucket="plain", Key="never there")

    assert said(events) == []


def test_a_write_whose_condition_does_not_hold_is_not_told(s3: Any, events: list[dict[str, Any]]) -> None:
    s3.put_object(Bucket="plain", Key="a", Body=b"x")
    events.clear()
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="plain", Key="a", Body=b"y", IfNoneMatch="*")

    assert said(events) == []


def test_of_many_conditional_writes_at_once_one_succeeds(s3: Any) -> None:
    for turn in range(5):
        ready = threading.Barrier(8)
        outcomes: list[int] = []

        def write(key: str = f"k{turn}", ready: threading.Barrier = ready, outcomes: list[int] = outcomes) -> None:
            ready.wait()
            try:
                s3.put_object(Bucket="plain", Key=key, Body=threading.current_thread().name, IfNoneMatch="*")
                outcomes.append(200)
            except ClientError as error:
                outcomes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [200] + [412] * 7
