"""Chunks of both stores of an archive: the same events, of the time and the clusters that are asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from archive_table import RECEIVED, TABLE, make_table, settled
from auditwire.archive import Archive, DynamoDBArchive, Record, S3Archive, batch_digest, partition
from auditwire.events import encode_line
from auditwire.events.archived import archived_event
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.replay.archive import Window, chunks_of_archive
from auditwire_cli.stack import Deployment
from local_road import exec_event

BUCKET = "archive-bucket"
START = datetime(2026, 11, 21, 22, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 23, tzinfo=UTC)
# A table is read hour by hour: without an end that would be up to the day on which this runs.
END = datetime(2026, 11, 22, tzinfo=UTC)


def store(archive: Archive, cluster: str, *events: dict[str, Any]) -> None:
    made = settled(*events, cluster=cluster)
    digest = batch_digest(cluster, repr(events).encode())
    for group in partition(made, RECEIVED):
        records = [Record(made[at], encode_line(made[at], {"batch": digest}), group.t) for at in group.members]
        archive.put_events(archive.place(cluster, group, digest), records, RECEIVED.timestamp() + 3600)


def at(number: int, hour: int) -> dict[str, Any]:
    return exec_event(number, stageTimestamp=f"2026-11-21T{hour}:05:00.000000Z")


@pytest.fixture(params=["s3", "dynamodb"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with mock_aws():
        s3, dynamodb = boto3.client("s3", region_name="us-east-1"), boto3.client("dynamodb", region_name="us-east-1")
        clients: dict[str, Any] = {"s3": s3, "dynamodb": dynamodb}
        s3.create_bucket(Bucket=BUCKET)
        outputs = {"ArchiveBucket": BUCKET}
        archive: Archive = S3Archive(s3, BUCKET)
        if request.param == "dynamodb":
            make_table(dynamodb)
            outputs["ArchiveTable"] = TABLE
            archive = DynamoDBArchive(dynamodb, TABLE, archive, 36_500)
        store(archive, "prod", at(1, 21), at(2, 22))
        store(archive, "prod", at(3, 23))
        store(archive, "test", at(4, 22))
        yield Deployment("auditwire", outputs, lambda name: clients[name])


def numbers(deployment: Deployment, window: Window) -> list[int]:
    found = []
    for sized in chunks_of_archive(deployment, window, pytest.fail):
        for line in sized.chunk.items(pytest.fail):
            archived = archived_event(line)
            if archived is not None:
                found.append(int(archived[0].auditID[-12:]))
    return sorted(found)


def test_the_events_of_a_time_and_a_cluster_come(deployment: Deployment) -> None:
    assert numbers(deployment, Window(START, END, "prod")) == [2, 3]
    assert numbers(deployment, Window(START, LATER, "prod")) == [2]
    assert numbers(deployment, Window(START, END, "test")) == [4]
    assert numbers(deployment, Window(START, END, "other")) == []


def test_all_clusters_come_from_a_bucket_and_have_to_be_named_for_a_table(deployment: Deployment) -> None:
    if "ArchiveTable" in deployment.outputs:
        with pytest.raises(UsageError, match="DynamoDB"):
            numbers(deployment, Window(START))
    else:
        assert numbers(deployment, Window(START)) == [2, 3, 4]


@pytest.mark.parametrize("deployment", ["s3"], indirect=True)
def test_an_object_that_goes_while_it_is_read_is_named(deployment: Deployment) -> None:
    said: list[str] = []
    client = deployment.client("s3")
    keys = [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET)["Contents"]]

    class Losing:
        """A client that no longer finds what it lists."""

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803 - as boto3 calls them
            return client.get_object(Bucket=Bucket, Key=f"{Key}.gone")

    lost = Deployment("auditwire", deployment.outputs, lambda _name: Losing())

    assert list(chunks_of_archive(lost, Window(START, None, "prod"), said.append)) == []
    wanted = [key for key in keys if "cluster=prod" in key and "hour=21" not in key]
    assert [any(key in sentence for sentence in said) for key in wanted] == [True, True]
    assert len(said) == 2


@pytest.mark.parametrize("deployment", ["s3"], indirect=True)
def test_a_bucket_that_cannot_be_listed_ends_in_a_sentence(deployment: Deployment) -> None:
    gone = Deployment("auditwire", {"ArchiveBucket": "no-such-bucket"}, deployment.client)

    with pytest.raises(CommandError, match="no-such-bucket"):
        numbers(gone, Window(START))
