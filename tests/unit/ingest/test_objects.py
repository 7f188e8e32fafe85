"""Objects of a bucket: whose they are, how they are taken, and that a run that ended early is gone on with."""

import gzip
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from auditwire.clusters import Cluster, Credential, bucket_key, bucket_keys
from auditwire.events import BodyError
from auditwire.ingest.account import Account
from auditwire.ingest.import_queue import ImportRefusedError, Opened, Order, take_order
from auditwire.ingest.ingest import NotStoredError
from auditwire.ingest.objects import MAX_OBJECT, Taking, take_object
from local_road import exec_event
from memory_road import RECEIVED, FullDisk, Road

CLUSTER = Cluster("prod")
BIG = [json.dumps(exec_event(number, annotations={"padding": "x" * 30_000})) for number in range(220)]
OBJECT = gzip.compress("\n".join(BIG).encode(), 1)


@dataclass
class Prefixes:
    """A directory of prefixes."""

    clusters: dict[str, str]
    used: list[str] = field(default_factory=list)

    def identify(self, credential: Credential | None) -> Cluster | None:
        assert credential is not None
        name = self.clusters.get(credential.digest)
        return Cluster(name) if name else None

    def note_use(self, credential: Credential, *_: Any) -> int:
        self.used.append(credential.digest)
        return 0


@dataclass
class Bucket:
    """Objects, and the orders that were sent."""

    objects: dict[str, bytes]
    orders: list[Order] = field(default_factory=list)
    size: int | None = None

    def open(self, order: Order) -> Opened:
        data = self.objects[order.key]
        return Opened(RECEIVED, self.size or len(data), f"of {len(data)}", iter([data]))

    def put(self, order: Order) -> None:
        self.orders.append(order)


def auditids(road: Road) -> list[str]:
    return sorted(line["auditID"] for line in road.lines())


def test_the_longest_registered_prefix_says_whose_an_object_is() -> None:
    assert bucket_keys("b", "a/c/x.gz") == ["s3:b/a/c/", "s3:b/a/", "s3:b/"]
    assert bucket_keys("b", "x.gz") == ["s3:b/"]
    assert len(bucket_keys("b", "a/" * 500)) == 33

    prefixes = Prefixes({bucket_key("b", "a/"): "of-a", bucket_key("b", "a/c/"): "of-c"})
    road = Road(directory=prefixes)
    body = json.dumps(exec_event(1)).encode()
    bucket = Bucket({"a/x": body, "a/c/x": body, "x": body})
    for key in bucket.objects:
        order = Order("b", key)
        if key == "x":
            with pytest.raises(ImportRefusedError, match="no cluster has a prefix"):
                take(road, bucket, order)
        else:
            take(road, bucket, order)

    assert {line["cluster"] for line in road.lines()} == {"of-a", "of-c"}
    assert prefixes.used == [bucket_key("b", "a/"), bucket_key("b", "a/c/")]


def take(road: Road, bucket: Bucket, order: Order, **changes: Any) -> Any:
    given = {"quiet_before": RECEIVED - timedelta(days=1), "deadline": float("inf"), "told": lambda _: None, **changes}
    return take_order(road.ingest, bucket, order, **given)  # type: ignore[arg-type]


def test_an_object_is_taken_piece_by_piece_and_twice_changes_nothing() -> None:
    road, told = Road(), list[Account]()
    taken = take_object(road.ingest, [OBJECT], Taking(CLUSTER, RECEIVED), told=told.append)

    assert (taken.is_whole, taken.pieces) == (True, len(told))
    assert taken.pieces > 2
    assert taken.account.received == taken.account.archived == len(BIG)
    objects = dict(road.archive.objects)
    assert take_object(road.ingest, [OBJECT], Taking(CLUSTER, RECEIVED)).account.stored_before
    assert road.archive.objects == objects


def test_what_is_left_at_the_deadline_is_an_order_of_its_own() -> None:
    prefixes = Prefixes({bucket_key("b", ""): "prod"})
    road, bucket = Road(directory=prefixes), Bucket({"x.gz": OBJECT})
    order, runs = Order("b", "x.gz"), 0
    waiting = [order]
    while waiting:
        runs += 1
        order = waiting.pop()
        taking = Taking(CLUSTER, RECEIVED, deadline=0.5, clock=lambda: 1.0)
        taken = take_object(road.ingest, [OBJECT], taking, skip=order.skip)
        if not taken.is_whole:
            waiting.append(Order(order.bucket, order.key, taken.pieces))
    assert runs > 2
    assert auditids(road) == sorted(event["auditID"] for event in map(json.loads, BIG))

    late = take(road, bucket, Order("b", "x.gz"), deadline=0.0)
    assert (late.is_whole, bucket.orders) == (False, [Order("b", "x.gz", 1, f"of {len(OBJECT)}")])


def test_an_object_that_was_replaced_meanwhile_is_begun_anew() -> None:
    road, bucket = Road(directory=Prefixes({bucket_key("b", ""): "prod"})), Bucket({"x.gz": OBJECT})

    assert take(road, bucket, Order("b", "x.gz", 2, "of another")).account.received == len(BIG)
    assert take(road, bucket, Order("b", "x.gz", 2, f"of {len(OBJECT)}")).account.received < len(BIG)


def test_an_order_is_read_from_every_message() -> None:
    order = Order("b", "a b/c.gz", 7, "e")
    assert Order.of_message(order.as_text()) == order
    bridge = {"detail": {"bucket": {"name": "b"}, "object": {"key": "a b/c.gz", "size": 1}}}
    assert Order.of_message(json.dumps(bridge)) == Order("b", "a b/c.gz")
    of_s3 = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "a+b/c.gz", "versionId": "v"}}}]}
    assert Order.of_message(json.dumps(of_s3)) == Order("b", "a b/c.gz")
    for text in ("", "[]", "{}", '{"Records":[]}', '{"detail":{"bucket":"b"}}', '{"detail":7}'):
        with pytest.raises(ImportRefusedError):
            Order.of_message(text)


def test_a_large_object_is_refused_unread() -> None:
    road = Road(directory=Prefixes({bucket_key("b", ""): "prod"}))
    with pytest.raises(ImportRefusedError, match="auditwire import"):
        take(road, Bucket({"x": b"{}"}, size=MAX_OBJECT + 1), Order("b", "x"))


def test_history_is_archived_and_does_not_alert() -> None:
    old = exec_event(1, stageTimestamp="2026-11-20T22:05:59.999999Z")
    new = exec_event(2, stageTimestamp="2026-11-20T22:06:00.000000Z")
    body = f"{json.dumps(old)}\n{json.dumps(new)}\n".encode()
    road = Road()
    taking = Taking(CLUSTER, RECEIVED, quiet_before=RECEIVED - timedelta(days=1))
    taken = take_object(road.ingest, [body], taking)

    assert (taken.account.archived, taken.account.alerted, taken.account.flags["backfill"]) == (2, 1, 1)
    flags = {line["auditID"]: line["_auditwire"].get("flags", []) for line in road.lines()}
    assert flags == {old["auditID"]: ["backfill"], new["auditID"]: []}
    (alert,) = road.publisher.alerts
    assert new["auditID"] in alert.annotations["audit_ids"]


def test_an_archive_of_our_own_is_taken_without_what_was_added() -> None:
    first = Road()
    take_object(first.ingest, ["\n".join(BIG[:5]).encode()], Taking(CLUSTER, RECEIVED))
    lines = b"\n".join(json.dumps(line).encode().replace(b'"_auditwire": ', b'"_auditwire":') for line in first.lines())
    again = Road()
    take_object(again.ingest, [lines], Taking(Cluster("copy"), RECEIVED))

    assert auditids(again) == auditids(first)
    for line in again.lines():
        assert line["_auditwire"]["reportedCluster"] == "prod"
        assert "reserved_key" not in line["_auditwire"].get("flags", [])


def test_a_damaged_object_is_an_error_behind_what_could_be_read() -> None:
    road = Road()
    with pytest.raises(BodyError):
        take_object(road.ingest, [OBJECT[:-100]], Taking(CLUSTER, RECEIVED))
    assert len(auditids(road)) > 60


def test_what_could_not_be_stored_is_an_error() -> None:
    with pytest.raises(NotStoredError):
        take_object(Road(archive=FullDisk()).ingest, [OBJECT], Taking(CLUSTER, RECEIVED))
