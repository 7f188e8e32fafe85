"""The archive table: every event stored once, found again, never rewritten; and no failure passed over."""

import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from archive_table import TABLE, items_of, make_table, numbered, records_of
from auditwire.archive import (
    ArchiveError,
    DynamoDBArchive,
    HourGroup,
    MemoryArchive,
    QuarantineNote,
    Record,
    items,
)
from auditwire.events import Event, ObjectRef, User
from aws_errors import client_error
from clocks import Clock
from examples import examples
from local_road import exec_event
from made_events import event
from memory_road import FullDisk

PLACE = "prod#2026-11-21T22"
T = "20261121T220500.100000Z"
# Does not compress, and holds no line end.
NOISE = Random(1).randbytes(items.MAX_LINE_BYTES + 4096).replace(b"\n", b"?")
NOW = 1_800_000_000.0
SOON = NOW + 1.2


@dataclass
class Table:
    """A client whose batches are answered as told, then as a table in memory does; an answer may give things back."""

    answers: list[Exception | Callable[[list[Any]], list[Any]]] = field(default_factory=list)
    items: dict[tuple[str, str], Any] = field(default_factory=dict)
    writes: list[list[Any]] = field(default_factory=list)
    reads: list[list[Any]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def batch_get_item(self, **asked: Any) -> Any:
        request = asked["RequestItems"][TABLE]
        assert request["ConsistentRead"] is True
        keys = request["Keys"]
        self.reads.append(keys)
        found = [key for key in keys if (key["partition"]["S"], key["event"]["S"]) in self.items]
        return {"Responses": {TABLE: found}, "UnprocessedKeys": {}}

    def batch_write_item(self, **asked: Any) -> Any:
        puts = asked["RequestItems"][TABLE]
        keys = [(put["PutRequest"]["Item"]["partition"]["S"], put["PutRequest"]["Item"]["event"]["S"]) for put in puts]
        assert len(keys) == len(set(keys)) <= 25
        with self.lock:
            self.writes.append(puts)
            answer = self.answers.pop(0) if self.answers else lambda _: []
            if isinstance(answer, Exception):
                raise answer
            left = answer(puts)
            for key, put in zip(keys, puts, strict=True):
                if put not in left:
                    self.items[key] = put["PutRequest"]["Item"]
        return {"UnprocessedItems": {TABLE: left} if left else {}}


TIMEOUT = ReadTimeoutError(endpoint_url="https://dynamodb")


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", "eu-central-1")


@pytest.fixture
def aws(dynamodb: Any) -> Iterator[Any]:
    """A client with an empty archive table."""
    make_table(dynamodb)
    yield dynamodb
    dynamodb.delete_table(TableName=TABLE)


def archive(client: Any, objects: MemoryArchive | None = None, clock: Clock | None = None) -> DynamoDBArchive:
    clock = clock or Clock(NOW)
    return DynamoDBArchive(client, TABLE, objects or MemoryArchive(), 365, clock, clock.sleep)


def test_the_place_of_a_group_is_its_cluster_and_hour() -> None:
    group = HourGroup("2026-11-21T22", T, (0,))
    assert archive(Table()).place("prod", group, "digest") == PLACE
    with pytest.raises(ValueError, match="not a cluster name"):
        archive(Table()).place("prod#x", group, "digest")


def test_an_event_is_one_item_with_what_it_is_found_by(aws: Any) -> None:
    [record] = numbered(1)
    assert archive(aws).put_events(PLACE, [record], SOON) == "stored"

    [item] = items_of(aws)
    assert gzip.decompress(item.pop("line")["B"]) == record.line
    assert item == {
        "partition": {"S": f"{PLACE}#{int(record.event.digest[:2], 16) % 8}"},
        "event": {"S": f"2026-11-21T22:05:00.100000Z#{record.event.digest}"},
        "auditID": {"S": record.event.auditID},
        "user": {"S": "mallory"},
        "userShard": {"S": f"mallory#{int(record.event.digest[:2], 16) % 8}"},
        "object": {"S": "pods/shop/web-0"},
        "expires": {"N": str(int(NOW) + 365 * 86_400)},
    }


def test_a_batch_of_four_hundred_is_sixteen_writes_side_by_side() -> None:
    table = Table()
    records = numbered(400)
    assert archive(table).put_events(PLACE, records, SOON) == "stored"
    assert sorted(map(len, table.writes)) == [25] * 16
    assert sorted(map(len, table.reads)) == [100] * 4
    assert len(table.items) == 400


def test_a_repeat_finds_everything_and_writes_nothing(aws: Any) -> None:
    records = numbered(30)
    assert archive(aws).put_events(PLACE, records, SOON) == "stored"
    before = items_of(aws)
    forged = [Record(record.event, b"forged", record.t) for record in records]

    assert archive(aws, clock=Clock(NOW + 60)).put_events(PLACE, forged, SOON) == "exists"

    assert items_of(aws) == before


def test_what_an_earlier_try_left_out_is_added_and_the_rest_left_alone(aws: Any) -> None:
    records = numbered(30)
    archive(aws).put_events(PLACE, records[:20], SOON)
    before = items_of(aws)
    other_batch = [Record(record.event, b"later", record.t) for record in records[10:]]

    assert archive(aws, clock=Clock(NOW + 60)).put_events(PLACE, other_batch, SOON) == "stored"

    after = items_of(aws)
    assert len(after) == 30
    assert [item for item in after if item in before] == before


def test_an_event_that_stands_twice_in_a_batch_is_one_item(aws: Any) -> None:
    [records] = records_of(exec_event(1), exec_event(2), exec_event(1)).values()
    assert archive(aws).put_events(PLACE, records, SOON) == "stored"
    assert len(items_of(aws)) == 2


def test_equal_audit_ids_with_different_content_are_two_items(aws: Any) -> None:
    [records] = records_of(exec_event(1), exec_event(1, verb="create")).values()
    archive(aws).put_events(PLACE, records, SOON)
    assert [item["auditID"] for item in items_of(aws)] == [{"S": exec_event(1)["auditID"]}] * 2


def test_what_came_back_unprocessed_is_put_again_after_a_while() -> None:
    clock = Clock(NOW)
    table = Table([lambda puts: puts[1:], lambda puts: puts[:2], lambda puts: puts])
    assert archive(table, clock=clock).put_events(PLACE, numbered(5), SOON) == "stored"
    assert [len(puts) for puts in table.writes] == [5, 4, 2, 2]
    assert clock.waits == [0.05, 0.1, 0.2]
    assert len(table.items) == 5


@pytest.mark.parametrize(
    "failure",
    [
        client_error(400, "ProvisionedThroughputExceededException"),
        client_error(400, "ThrottlingException"),
        client_error(400, "RequestLimitExceeded"),
        client_error(500, "InternalServerError"),
        TIMEOUT,
    ],
    ids=["capacity", "throttled", "account", "server error", "timeout"],
)
def test_what_passes_is_waited_for_and_what_does_not_is_an_error(failure: Exception) -> None:
    clock = Clock(NOW)
    passing = Table([failure, failure])
    assert archive(passing, clock=clock).put_events(PLACE, numbered(3), SOON) == "stored"
    assert len(passing.items) == 3

    clock = Clock(NOW)
    lasting = Table([failure] * 99)
    with pytest.raises(ArchiveError) as caught:
        archive(lasting, clock=clock).put_events(PLACE, numbered(3), SOON)
    assert str(caught.value) == f"3 events of the table archive could not be stored: {failure}"
    assert clock.now <= SOON
    assert clock.waits == [0.05, 0.1, 0.2, 0.4]


def test_items_that_always_come_back_are_an_error() -> None:
    table = Table([lambda puts: puts[:1]] * 99)
    with pytest.raises(ArchiveError, match="1 events of the table archive could not be stored: DynamoDB did only a"):
        archive(table).put_events(PLACE, numbered(3), SOON)


@pytest.mark.parametrize(
    "failure",
    [client_error(400, "AccessDeniedException"), client_error(400, "ResourceNotFoundException"), NoCredentialsError()],
    ids=["denied", "no table", "no credentials"],
)
def test_what_does_not_pass_is_not_repeated(failure: Exception) -> None:
    table = Table([failure] * 9)
    with pytest.raises(ArchiveError, match="could not be stored"):
        archive(table).put_events(PLACE, numbered(3), SOON)
    assert len(table.writes) == 1


def test_after_the_deadline_everything_is_tried_once() -> None:
    table = Table()
    assert archive(table).put_events(PLACE, numbered(60), NOW - 5) == "stored"
    assert len(table.writes) == 3


def test_one_batch_that_fails_fails_the_whole_and_the_next_try_completes_it() -> None:
    records = numbered(100)
    table = Table([client_error(400, "AccessDeniedException")])
    with pytest.raises(ArchiveError, match="25 events of the table archive"):
        archive(table).put_events(PLACE, records, SOON)
    assert len(table.items) == 75, "the others had ended when it was said"

    assert archive(table).put_events(PLACE, records, SOON) == "stored"
    assert len(table.items) == 100


def test_a_line_too_large_for_an_item_is_an_object_with_a_pointer(aws: Any) -> None:
    [small] = numbered(1)
    large = Record(small.event, NOISE, small.t)
    objects = MemoryArchive()

    assert archive(aws, objects).put_events(PLACE, [large], SOON) == "stored"

    [item] = items_of(aws)
    key = f"events/cluster=prod/date=2026-11-21/hour=22/{T}-{small.event.digest}.jsonl.gz"
    assert item["aside"] == {"S": key}
    assert "line" not in item
    assert gzip.decompress(objects.objects[key]) == NOISE + b"\n"
    assert archive(aws, objects).put_events(PLACE, [large], SOON) == "exists"


def test_no_item_is_written_when_its_object_could_not_be() -> None:
    [small] = numbered(1)
    table = Table()
    with pytest.raises(ArchiveError, match="could not be stored"):
        archive(table, FullDisk()).put_events(PLACE, [Record(small.event, NOISE, small.t)], SOON)
    assert table.items == {}


hostile = st.one_of(
    st.text(st.characters(codec=None), max_size=8),
    st.builds(lambda unit, times: unit * times, st.sampled_from(["a", "\0", "ü", "\ud800"]), st.integers(0, 3000)),
)


@settings(examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile, hostile, st.none() | hostile)
def test_no_value_of_a_client_fails_a_write(aws: Any, audit_id: str, name: str, user: str | None) -> None:
    found = Event(
        level="Metadata", auditID=audit_id, stage="s", verb="get", user=User(username=user),
        objectRef=ObjectRef(resource=name, name=name), stageTimestamp="2026-11-21T22:05:00.100000Z", cluster="prod",
    )  # fmt: skip
    found.__dict__["received"] = repr((audit_id, name, user)).encode()
    archive(aws).put_events(PLACE, [Record(found, b"{}", T)], SOON)
    assert archive(aws).put_events(PLACE, [Record(found, b"{}", T)], SOON) == "exists"


def test_the_quarantine_stays_where_objects_are() -> None:
    objects = MemoryArchive()
    note = QuarantineNote("invalid_json", "body", "prod", datetime(2026, 11, 21, tzinfo=UTC))
    assert archive(Table(), objects).put_quarantine("quarantine/x.gz", b"x", note) == "stored"
    assert list(objects.objects) == ["quarantine/x.gz"]


def test_an_event_of_nobody_about_nothing_is_stored(aws: Any) -> None:
    found = event(name="", namespace="", resource="")
    found.user = User()
    archive(aws).put_events(PLACE, [Record(found, b"{}", T)], SOON)
    [item] = items_of(aws)
    assert items.INDEXES.keys() & item.keys() == {"auditID"}
