"""What was put aside is found, read as it came, and let go."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditwire.archive import QuarantineNote, S3Archive, batch_digest, quarantine_key
from auditwire.archive.errors import QuarantineError
from auditwire.archive.quarantine import Quarantine, QuarantineEntry

RECEIVED = datetime(2026, 11, 21, 22, 5, 1, 250_000, tzinfo=UTC)


def aside(client: Any, raw: bytes, cluster: str = "prod", reason: str = "invalid_json") -> str:
    """Puts bytes into the quarantine as ingest does; their key."""
    key = quarantine_key(cluster, batch_digest(cluster, raw))
    S3Archive(client, "archive").put_quarantine(key, raw, QuarantineNote(reason, "body", cluster, RECEIVED))
    return key


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", "us-east-1")
        client.create_bucket(Bucket="archive")
        yield client


def test_an_object_is_listed_described_and_read_as_it_came(client: Any) -> None:
    raw = b'\x00 no JSON \xff "'
    key = aside(client, raw)
    quarantine = Quarantine(client, "archive")

    (entry,) = quarantine.entries()
    (found,) = quarantine.describe([entry])

    assert (entry.key, entry.cluster, entry.digest) == (key, "prod", batch_digest("prod", raw))
    assert found.note == QuarantineNote("invalid_json", "body", "prod", RECEIVED)
    assert quarantine.read(entry) == (found.note, raw)


def test_a_listing_is_of_all_clusters_or_of_one_over_many_pages(client: Any) -> None:
    keys = {aside(client, b"%d" % number, "prod" if number % 3 else "edge") for number in range(40)}
    quarantine = Quarantine(client, "archive")

    assert {entry.key for entry in quarantine.entries()} == keys
    assert {entry.cluster for entry in quarantine.entries("edge")} == {"edge"}
    assert [found.entry for found in quarantine.describe(quarantine.entries())] == quarantine.entries()


def test_other_keys_are_passed_over(client: Any) -> None:
    for key in ("quarantine/README", "quarantine/cluster=../x.gz", "events/cluster=prod/x.jsonl.gz"):
        client.put_object(Bucket="archive", Key=key, Body=b"")

    assert Quarantine(client, "archive").entries() == []


def test_an_object_is_named_by_its_key_its_digest_or_the_start_of_it(client: Any) -> None:
    key = aside(client, b"one")
    aside(client, b"two")
    quarantine = Quarantine(client, "archive")
    digest = batch_digest("prod", b"one")

    for name in (key, digest, digest[:8]):
        assert [entry.key for entry in quarantine.find(name)] == [key]
    for name in (digest[:7], "", "f" * 64, "events/x", key.replace("prod", "edge")):
        assert quarantine.find(name) == []


def test_what_is_removed_is_gone_from_the_listing(client: Any) -> None:
    aside(client, b"one")
    quarantine = Quarantine(client, "archive")
    (entry,) = quarantine.entries()

    quarantine.remove(entry)

    assert quarantine.entries() == []
    assert list(quarantine.describe([entry])) == []
    with pytest.raises(
        QuarantineError, match=r"s3://archive/quarantine/cluster=prod/.*: could not be read: .*NoSuchKey"
    ):
        quarantine.read(entry)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"reason": "x", "kind": "half", "cluster": "prod", "received": "2026-11-21T22:05:00+00:00"},
     {"reason": "x", "kind": "body", "cluster": "prod", "received": "2026-11-21"}],
    ids=["none", "no kind", "no time zone"],
)  # fmt: skip
def test_an_object_put_there_by_hand_has_the_cluster_of_its_key(client: Any, metadata: dict[str, str]) -> None:
    key = quarantine_key("prod", "a" * 64)
    client.put_object(Bucket="archive", Key=key, Body=gzip.compress(b"x"), Metadata=metadata)
    quarantine = Quarantine(client, "archive")

    note, raw = quarantine.read(quarantine.entries()[0])

    assert (note.reason, note.kind, note.cluster, raw) == ("no_note", "body", "prod", b"x")


def test_a_note_cannot_speak_for_another_cluster(client: Any) -> None:
    note = QuarantineNote("x", "body", "edge", RECEIVED)
    client.put_object(
        Bucket="archive", Key=quarantine_key("prod", "a" * 64), Body=gzip.compress(b"x"), Metadata=note.as_metadata()
    )
    quarantine = Quarantine(client, "archive")

    assert quarantine.read(quarantine.entries()[0])[0].cluster == "prod"


def test_a_damaged_object_is_said_to_be_one(client: Any) -> None:
    key = quarantine_key("prod", "a" * 64)
    client.put_object(Bucket="archive", Key=key, Body=b"no gzip")
    quarantine = Quarantine(client, "archive")

    with pytest.raises(QuarantineError, match="is damaged: "):
        quarantine.read(quarantine.entries()[0])


def test_a_bucket_that_is_not_there_is_said_so(client: Any) -> None:
    quarantine = Quarantine(client, "another")
    entry = QuarantineEntry(quarantine_key("prod", "a" * 64), "prod", "a" * 64, 1, RECEIVED)

    with pytest.raises(QuarantineError, match=r"could not be listed: .*NoSuchBucket"):
        quarantine.entries()
    with pytest.raises(QuarantineError, match=r"could not be removed: .*NoSuchBucket"):
        quarantine.remove(entry)
