"""What every archive promises, on each of them: stored once, found again, never rewritten."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import boto3
import pytest
from moto import mock_aws

from archive_table import TABLE, items_of, make_table, records_of
from auditwire.archive import (
    Archive,
    ArchiveError,
    DynamoDBArchive,
    HourGroup,
    MemoryArchive,
    QuarantineNote,
    Record,
    S3Archive,
)
from local_road import exec_event

BUCKET = "archive"
T = "20261121T220500.100000Z"
RECEIVED = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
NUMBERS = count(1)


@dataclass(frozen=True)
class Store:
    """An archive, and what lies in it."""

    archive: Archive
    lines: Callable[[str], list[bytes]]
    """Every line kept at a place."""
    aside: Callable[[str], tuple[bytes, dict[str, str]]]
    """The bytes put aside under a key, and their note."""

    def place(self) -> str:
        """A place that no test had before."""
        digest = f"{next(NUMBERS):064x}"
        return self.archive.place("prod", HourGroup(f"2026-11-21T{next(NUMBERS) % 24:02}", T, (0,)), digest)


def memory() -> Store:
    archive = MemoryArchive()

    def aside(key: str) -> tuple[bytes, dict[str, str]]:
        return gzip.decompress(archive.objects[key]), dict(archive.metadata[key])

    return Store(archive, archive.lines, aside)


def bucket(s3: Any, name: str = BUCKET) -> Store:
    def lines(place: str) -> list[bytes]:
        return gzip.decompress(s3.get_object(Bucket=name, Key=place)["Body"].read()).splitlines()

    def aside(key: str) -> tuple[bytes, dict[str, str]]:
        found = s3.get_object(Bucket=name, Key=key)
        return gzip.decompress(found["Body"].read()), found["Metadata"]

    return Store(S3Archive(s3, name), lines, aside)


def table(dynamodb: Any, objects: Store, name: str = TABLE) -> Store:

    def lines(place: str) -> list[bytes]:
        found = (item for item in items_of(dynamodb) if item["partition"]["S"].startswith(f"{place}#"))
        return [gzip.decompress(item["line"]["B"]) for item in found]

    return Store(DynamoDBArchive(dynamodb, name, objects.archive, 30), lines, objects.aside)


@pytest.fixture(scope="module", params=["memory", "S3", "DynamoDB"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with mock_aws():
        s3, dynamodb = boto3.client("s3", "us-east-1"), boto3.client("dynamodb", "us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        make_table(dynamodb)
        if request.param == "memory":
            yield memory()
        else:
            yield bucket(s3) if request.param == "S3" else table(dynamodb, bucket(s3))


def some_records(size: int = 3) -> list[Record]:
    """Records of events of one hour, in order of time, which no test had before."""
    [records] = records_of(*(exec_event(next(NUMBERS)) for _ in range(size))).values()
    return records


def forged(records: list[Record]) -> list[Record]:
    """The same events, decided otherwise."""
    return [Record(record.event, b'{"forged":true}', record.t) for record in records]


def test_every_line_is_kept_where_it_was_said_to_be(store: Store) -> None:
    place, records = store.place(), some_records()

    assert store.archive.put_events(place, records, 0) == "stored"
    assert sorted(store.lines(place)) == sorted(record.line for record in records)


def test_a_repeat_is_found_and_rewrites_nothing(store: Store) -> None:
    place, records = store.place(), some_records()
    store.archive.put_events(place, records, 0)
    before = store.lines(place)

    assert store.archive.put_events(place, records, 0) == "exists"
    assert store.archive.put_events(place, forged(records), 0) == "exists"
    assert store.lines(place) == before


def test_records_are_asked_for_once(store: Store) -> None:
    place, records = store.place(), some_records()

    assert store.archive.put_events(place, iter(records), 0) == "stored"
    assert len(store.lines(place)) == len(records)


def test_other_events_leave_a_place_alone(store: Store) -> None:
    first, second = store.place(), store.place()
    store.archive.put_events(first, some_records(), 0)
    before = store.lines(first)
    store.archive.put_events(second, some_records(), 0)

    assert store.lines(first) == before
    assert len(store.lines(second)) == 3


def test_the_same_batch_has_the_same_place_and_no_name_forges_one(store: Store) -> None:
    group = HourGroup("2026-11-21T22", T, (0,))

    assert store.archive.place("prod", group, "d" * 64) == store.archive.place("prod", group, "d" * 64)
    assert store.archive.place("prod", group, "d" * 64) != store.archive.place("test", group, "d" * 64)
    for name in ("", "prod/..", "prod#x", "Prod"):
        with pytest.raises(ValueError, match="a cluster name"):
            store.archive.place(name, group, "d" * 64)


@pytest.mark.parametrize("kind", ["body", "item"])
@pytest.mark.parametrize("raw", [b"", b"\x00\xff not json", b'{"level":5}'], ids=["nothing", "binary", "JSON"])
def test_quarantined_bytes_come_back_as_they_were_with_the_reason_beside_them(
    store: Store, kind: Any, raw: bytes
) -> None:
    key = f"quarantine/cluster=prod/{next(NUMBERS):064x}.gz"
    note = QuarantineNote("invalid_json", kind, "prod", RECEIVED)

    assert store.archive.put_quarantine(key, raw, note) == "stored"
    assert store.archive.put_quarantine(key, b"another body", note) == "exists"
    content, said = store.aside(key)
    assert content == raw
    assert QuarantineNote.from_metadata(said) == note


@pytest.mark.parametrize("kind", ["S3", "DynamoDB"])
def test_a_store_that_is_not_there_is_an_error_that_names_it(kind: str) -> None:
    with mock_aws():
        objects = bucket(boto3.client("s3", "us-east-1"), "elsewhere")
        store = objects if kind == "S3" else table(boto3.client("dynamodb", "us-east-1"), objects, "elsewhere")
        with pytest.raises(ArchiveError, match=r"elsewhere.* could not be (stored|read)"):
            store.archive.put_events(store.place(), some_records(), 0)
        with pytest.raises(ArchiveError, match=r"s3://elsewhere/quarantine/x\.gz could not be stored"):
            store.archive.put_quarantine("quarantine/x.gz", b"", QuarantineNote("r", "body", "prod", RECEIVED))
