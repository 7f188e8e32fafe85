"""Looking into the archive: the same questions to both stores have the same answers, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from archive_table import RECEIVED, TABLE, make_table, settled
from auditwire.archive import Archive, ArchiveError, DynamoDBArchive, Record, S3Archive, batch_digest, items, partition
from auditwire.archive.errors import UnreadableError
from auditwire.archive.found import Found
from auditwire.archive.objects import object_chunks
from auditwire.archive.search import ArchiveReader, Reading, Search, Unreadable, hours
from auditwire.archive.search_table import TableReader
from auditwire.events import encode_line
from auditwire.events.gzipping import gzip_lines
from auditwire.search import Coverage, Page, Query
from auditwire.search.bucket import BucketObjects
from auditwire.search.scan import Scan
from local_road import exec_event

BUCKET = "archive-bucket"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = datetime(2026, 11, 21, 20, tzinfo=UTC)
LONG = "system:serviceaccount:shop:" + "x" * 3000
DEPLOYMENT = {"resource": "deployments", "apiGroup": "apps", "namespace": "shop", "name": "web"}


def at(number: int, time: str, **changes: Any) -> dict[str, Any]:
    return exec_event(number, stageTimestamp=f"2026-11-21T{time}.000000Z", **changes)


UNDATED = {key: value for key, value in exec_event(9).items() if not key.endswith("Timestamp")}
BATCHES = [
    ("prod", [at(1, "21:00:00"), at(2, "22:10:00", user={"username": LONG}), at(3, "22:05:00", verb="create")]),
    # Overlaps with the batch before, and has an event that only its receipt gives a time.
    ("prod", [at(4, "22:07:00", objectRef=DEPLOYMENT), at(5, "22:20:00", auditID=exec_event(1)["auditID"]), UNDATED]),
    ("test", [at(6, "22:06:00"), at(7, "23:59:59", user=None, objectRef=None)]),
]


def store(archive: Archive, cluster: str, events: list[dict[str, Any]]) -> None:
    made = settled(*events, cluster=cluster)
    digest = batch_digest(cluster, repr(events).encode())
    for group in partition(made, RECEIVED):
        # As ingest does, flags and all.
        records = [Record(made[at], encode_line(made[at], {"batch": digest}), group.t) for at in group.members]
        archive.put_events(archive.place(cluster, group, digest), records, NOW.timestamp())


@dataclass(frozen=True)
class ScannedBucket:
    """A bucket as an ArchiveReader, whose questions are queries to the plain scan."""

    client: Any
    bucket: str
    limit: int | None = None
    once: bool = False

    def find(self, search: Search, reading: Reading, unreadable: Unreadable) -> Iterator[Found]:
        coverage = Coverage(reading)
        page = Page(self.limit, newest=search.is_newest_first, once=self.once)
        for hit in Scan(BucketObjects(self.client, self.bucket)).rows(Query.of(search), page, coverage):
            yield hit.found
        for place in coverage.unreadable:
            unreadable(UnreadableError(place))


@dataclass(frozen=True)
class World:
    s3: Any
    dynamodb: Any
    bucket: ArchiveReader
    table: TableReader
    small_pages: TableReader

    def writers(self) -> tuple[Archive, Archive]:
        objects = S3Archive(self.s3, BUCKET)
        return objects, DynamoDBArchive(self.dynamodb, TABLE, objects, 30)


@dataclass(frozen=True)
class SmallPages:
    """A client whose queries end after two items, as they do on AWS after 1 MB."""

    client: Any

    def query(self, **request: Any) -> Any:
        return self.client.query(**request, Limit=2)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with mock_aws():
        s3, dynamodb = boto3.client("s3", "us-east-1"), boto3.client("dynamodb", "us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        make_table(dynamodb)
        world = World(
            s3,
            dynamodb,
            ScannedBucket(s3, BUCKET),
            TableReader(dynamodb, TABLE, s3, BUCKET, NOW.timestamp),
            TableReader(SmallPages(dynamodb), TABLE, s3, BUCKET, NOW.timestamp),  # type: ignore[arg-type]
        )
        for archive in world.writers():
            for cluster, events in BATCHES:
                store(archive, cluster, events)
        yield world


def ids(reader: ArchiveReader, **wanted: Any) -> list[str]:
    """The auditIDs of what is found, cut to their last digit."""
    return [found.audit_id[-1] for found in in_order(reader, Search(**wanted))]


def whole(error: UnreadableError) -> None:
    raise AssertionError(error)


def find(reader: ArchiveReader, search: Search, reading: Reading = lambda hour: None) -> Iterator[Found]:
    """What is found in an archive without damage."""
    return reader.find(search, reading, whole)


def in_order(reader: ArchiveReader, search: Search) -> list[Found]:
    """What is found, which must be in order of time, in both orders; events of the same moment in order of auditID."""
    times = [each.at for each in find(reader, search)]
    assert times == sorted(times, reverse=True)
    found = list(find(reader, replace(search, is_newest_first=False)))
    assert [each.at for each in found] == times[::-1]
    return sorted(found, key=lambda each: (each.at, each.audit_id))


QUESTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("auditID", {"audit_id": exec_event(1)["auditID"]}, "11"),
    ("auditID of a cluster that has none", {"audit_id": exec_event(1)["auditID"], "cluster": "test"}, ""),
    ("user", {"user": "mallory"}, "193641"),
    ("user of a cluster", {"user": "mallory", "cluster": "prod"}, "19341"),
    ("user by time", {"user": "mallory", "start": datetime(2026, 11, 21, 22, 6, tzinfo=UTC)}, "641"),
    ("long name", {"user": LONG}, "2"),
    ("other long name", {"user": LONG + "x"}, ""),
    ("object", {"object": "deployments.apps/shop/web"}, "4"),
    ("object and user", {"object": "pods/shop/web-6", "user": "nobody"}, ""),
    ("cluster", {"cluster": "prod", "start": START}, "193421"),
    ("cluster by time", {"cluster": "prod", "start": datetime(2026, 11, 21, 22, 5, tzinfo=UTC),
                         "end": datetime(2026, 11, 21, 22, 20, tzinfo=UTC)}, "342"),
    ("other offset", {"cluster": "prod", "start": datetime.fromisoformat("2026-11-21T23:15:00+01:00")}, "1"),
    ("cluster nobody has", {"cluster": "stage", "start": START}, ""),
]  # fmt: skip


@pytest.mark.parametrize("which", ["bucket", "table", "small_pages"])
@pytest.mark.parametrize(("wanted", "found"), [row[1:] for row in QUESTIONS], ids=[row[0] for row in QUESTIONS])
def test_every_question_has_the_same_answer(world: World, which: str, wanted: dict[str, Any], found: str) -> None:
    assert "".join(ids(getattr(world, which), **wanted)) == found


def test_lines_come_as_they_are_kept(world: World) -> None:
    search = Search(cluster="prod", start=START)
    bucket, table = in_order(world.bucket, search), in_order(world.table, search)
    assert bucket == table
    assert all(found.line.startswith(b"{") and found.line.endswith(b"}") for found in table)


def test_a_bucket_is_searched_without_cluster_and_time(world: World) -> None:
    assert "".join(ids(world.bucket)) == "19364217"
    (last,) = find(world.bucket, Search(start=datetime(2026, 11, 21, 23, tzinfo=UTC)))
    assert (last.cluster, last.user, last.object, last.code) == ("test", "", "", 101)


def test_a_table_needs_a_cluster_and_a_start_where_no_index_helps(world: World) -> None:
    for search in (Search(), Search(cluster="prod"), Search(start=START)):
        with pytest.raises(ValueError, match="needs a cluster and a start"):
            next(find(world.table, search))


def test_the_hours_that_are_read_are_told(world: World) -> None:
    told: list[str] = []
    search = Search(cluster="test", start=NOW - timedelta(hours=13))
    assert [found.audit_id[-1] for found in find(world.table, search, told.append)] == ["7"]
    assert (told[0], told[-1], len(told)) == ("2026-11-22T12", "2026-11-21T23", 14)
    del told[:]
    list(find(world.bucket, Search(cluster="test"), told.append))
    assert told == ["2026-11-21T23", "2026-11-21T22"]


def test_whoever_has_seen_enough_can_stop(world: World) -> None:
    for reader in (world.bucket, world.small_pages):
        found = find(reader, Search(cluster="prod", start=START))
        assert next(found).audit_id[-1] == "1"
        found.close()  # type: ignore[attr-defined]


def test_an_event_too_large_for_an_item_is_found_through_its_pointer(world: World) -> None:
    large = at(8, "19:00:00", annotations={"noise": Random(1).randbytes(items.MAX_LINE_BYTES).hex()})
    # Only the table: the object beside it lies where the bucket's reader looks as well.
    store(world.writers()[1], "large", [large])
    for reader in (world.table, world.bucket):
        (found,) = find(reader, Search(cluster="large", start=START - timedelta(hours=1)))
        assert found.audit_id == large["auditID"]
        assert len(found.line) > items.MAX_LINE_BYTES


def test_what_is_no_archived_event_is_named_and_hides_nothing_else(world: World) -> None:
    prefix = "events/cluster=odd/date=2026-11-21/hour=22/20261121T2205"
    good = gzip_lines(encode_line(event, {}) for event in settled(at(1, "22:05:30"), at(2, "22:06:00"), cluster="odd"))
    bad = {
        f"{prefix}00.000000Z-{'0' * 64}.jsonl.gz": b"no gzip",
        f"{prefix}01.000000Z-{'0' * 64}.jsonl.gz": b"",
        f"{prefix}02.000000Z-{'0' * 64}.jsonl.gz": good[:-20],
        f"{prefix}03.000000Z-{'0' * 64}.jsonl.gz": gzip_lines([b"no JSON", b'{"sourceIPs":[1]}']) + good,
        f"{prefix}04.000000Z-{'0' * 64}.jsonl.gz": gzip_lines([b'{"stage":"' + b"x" * (2 << 20)]) + good,
    }
    for key, content in {**bad, f"{prefix}30.000000Z-{'1' * 64}.jsonl.gz": good}.items():
        world.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    damaged: list[UnreadableError] = []

    found = [each.audit_id[-1] for each in world.bucket.find(Search(cluster="odd"), print, damaged.append)]

    assert "".join(sorted(found)) == "1111222"
    named = sorted(str(each).partition(": is damaged: ")[0] for each in damaged)
    assert named == [f"s3://{BUCKET}/{key}" for key in bad]
    for key in bad:
        world.s3.delete_object(Bucket=BUCKET, Key=key)


def test_an_item_that_cannot_be_read_is_named_and_hides_nothing_else(world: World) -> None:
    partition = {"partition": {"S": "odd#2026-11-21T22#0"}}
    contents: list[dict[str, Any]] = [{items.ASIDE: {"S": "gone"}}, {items.LINE: {"B": gzip_lines([b"[]"])}}]
    for number, content in enumerate(contents):
        item = {**partition, "event": {"S": f"2026-11-21T22:05:00.000000Z#{number}"}, **content}
        world.dynamodb.put_item(TableName=TABLE, Item=item)
    store(world.writers()[1], "odd", [at(3, "22:05:00")])
    damaged: list[UnreadableError] = []

    (found,) = world.table.find(Search(cluster="odd", start=START), print, damaged.append)

    assert found.audit_id[-1] == "3"
    assert [str(each).partition(": is damaged: ")[0].partition(" could")[0] for each in damaged] == [
        f"{TABLE}: odd#2026-11-21T22#0 2026-11-21T22:05:00.000000Z#1",
        f"s3://{BUCKET}/gone:",
    ]


def test_what_cannot_be_read_is_an_error() -> None:
    class Denied:
        def __getattr__(self, name: str) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

    denied: Any = Denied()
    with pytest.raises(ArchiveError, match="the table t could not be read"):
        list(find(TableReader(denied, "t", denied, "b"), Search(user="ann")))
    with pytest.raises(ArchiveError, match=r"^s3://b/k: could not be read: ") as refused:
        list(object_chunks(denied, "b", "k"))
    assert not isinstance(refused.value, UnreadableError)
    with mock_aws(), pytest.raises(ArchiveError, match=r"^s3://nowhere/events/: could not be listed"):
        list(find(ScannedBucket(boto3.client("s3", "us-east-1"), "nowhere"), Search()))


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-11-21T22:59:59.999999+00:00", "2026-11-21T23:00:00+00:00", ["2026-11-21T22"]),
        ("2026-11-21T23:00:00+00:00", "2026-11-22T00:00:00.000001+00:00", ["2026-11-21T23", "2026-11-22T00"]),
        ("2026-11-21T23:30:00+01:00", "2026-11-21T23:00:00+00:00", ["2026-11-21T22"]),
    ],
)
def test_hours_are_those_with_a_moment_of_the_range(start: str, end: str, found: list[str]) -> None:
    between = datetime.fromisoformat(start), datetime.fromisoformat(end)
    assert list(hours(Search(is_newest_first=False), *between)) == found
    assert list(hours(Search(), *between)) == found[::-1]


def test_an_event_that_came_in_several_batches_is_found_once_with_the_number_of_the_others() -> None:
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="repeats")
        events = [at(number, f"22:0{number}:00") for number in range(6)]
        # As shippers do that read a file again, with other borders; and two events that only look alike.
        for batch in (events[:2], events, events[1:4], [events[5], events[5] | {"verb": "create"}]):
            store(S3Archive(s3, "repeats"), "prod", batch)
        once = list(find(ScannedBucket(s3, "repeats", once=True), Search()))
        assert [(each.audit_id[-1], each.verb, each.repeats) for each in once if each.audit_id[-1] != "5"] == [
            ("4", "get", 0), ("3", "get", 1), ("2", "get", 1), ("1", "get", 2), ("0", "get", 1)
        ]  # fmt: skip
        assert {(each.verb, each.repeats) for each in once if each.audit_id[-1] == "5"} == {("get", 1), ("create", 0)}
        assert len(list(find(ScannedBucket(s3, "repeats"), Search()))) == 13
        for limit in (1, 2, 3, 5):
            assert list(find(ScannedBucket(s3, "repeats", limit, once=True), Search())) == once[:limit]
