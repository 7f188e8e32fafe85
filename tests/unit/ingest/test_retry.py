"""Quarantined bytes are taken up again: down the same road, under the old cluster and time, and never lost."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from auditwire.alerts.outbox import NoOutbox
from auditwire.archive import (
    QuarantineNote,
    batch_digest,
    quarantine_key,
)
from auditwire.archive.errors import DamagedError
from auditwire.archive.quarantine import QuarantineEntry
from auditwire.ingest.request import Request
from auditwire.ingest.retry import Retried, read_again, retry
from envelopes import control_message
from memory_road import TOKEN, FullDisk, NoTopic, Road

RECEIVED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@dataclass
class Held:
    """A quarantine in memory with one object in it."""

    raw: bytes
    kind: Literal["body", "item"] = "body"
    removed: list[str] = field(default_factory=list)

    @property
    def entry(self) -> QuarantineEntry:
        digest = batch_digest("prod", self.raw)
        return QuarantineEntry(quarantine_key("prod", digest), "prod", digest, len(self.raw), RECEIVED)

    def read(self, entry: QuarantineEntry) -> tuple[QuarantineNote, bytes]:
        return QuarantineNote("invalid_json", self.kind, "prod", RECEIVED), self.raw

    def remove(self, entry: QuarantineEntry) -> None:
        self.removed.append(entry.key)


def taken_up_again(road: Road, held: Held, *, keep: bool = False) -> Retried:
    return retry(held, road.ingest, held.entry, 0.0, keep=keep)


def item(**changes: Any) -> dict[str, Any]:
    """A shell in a pod, which the default rules alert on."""
    return {
        "level": "Metadata",
        "auditID": "a-1",
        "stage": "ResponseComplete",
        "verb": "get",
        "user": {"username": "mallory"},
        "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "web"},
        "stageTimestamp": "2026-11-20T07:59:00.000000Z",
        **changes,
    }


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


BODY = dumped({"kind": "EventList", "items": [item()]})


def test_a_body_that_decodes_today_is_archived_and_alerted_and_let_go() -> None:
    road, held = Road(), Held(BODY)

    done = taken_up_again(road, held)

    assert done.outcome == "taken"
    assert done.account is not None
    assert (done.account.received, done.account.archived, done.account.alerted) == (1, 1, 1)
    (line,) = road.lines()
    assert (line["cluster"], line["_auditwire"]["received"]) == ("prod", "2026-11-20T08:00:00.000000Z")
    assert [alert.labels["cluster"] for alert in road.publisher.alerts] == ["prod"]
    assert held.removed == [held.entry.key]


def test_it_lies_where_ingest_would_have_put_it() -> None:
    sent, taken_up = Road(), Road()

    sent.ingest.handle(Request("POST", "/audit/webhook/event", {"authorization": f"Bearer {TOKEN}"}, BODY, RECEIVED))
    taken_up_again(taken_up, Held(BODY))

    assert taken_up.archive.objects == sent.archive.objects
    assert taken_up.publisher.alerts == sent.publisher.alerts


def test_taking_up_twice_stores_once_and_gives_the_same_alerts() -> None:
    road = Road()
    taken_up_again(road, Held(BODY))
    objects = dict(road.archive.objects)

    again = taken_up_again(road, Held(BODY))

    assert road.archive.objects == objects
    assert again.account is not None
    assert again.account.stored_before
    assert road.publisher.alerts[0] == road.publisher.alerts[1]


def test_an_item_is_one_event_or_still_bad() -> None:
    road, held = Road(), Held(dumped(item()), "item")

    assert taken_up_again(road, held).outcome == "taken"
    assert [line["auditID"] for line in road.lines()] == ["a-1"]
    assert held.removed

    for raw, why in (
        (dumped([item()]), "not_an_object: "),
        (dumped({**item(), "verb": 5}), "wrong_type: "),
        (b"5", "not_an_object: "),
        (b'{"level": ', "truncated: "),
        (dumped(item()) + b"," + dumped(item()), "invalid_json: "),
    ):
        still = Held(raw, "item")
        done = taken_up_again(Road(), still)
        assert (done.outcome, still.removed) == ("still_bad", []), raw
        assert done.why.startswith(why), done.why


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"kind": "Ev', "truncated: Input data was truncated"),
        (b"\xff", "invalid_utf8: the body is not UTF-8"),
        (gzip.compress(b"[" + b" " * (65 << 20)), "too_large: "),
        (gzip.compress(BODY)[:-9], "truncated: the gzip stream ends too early"),
        (dumped({"items": [5, {}]}), "not_an_object: the item is not a JSON object"),
        (b"[]", "empty: there is no event in the body"),
    ],
    ids=["cut off", "not UTF-8", "bomb", "half a gzip", "nothing but bad items", "nothing"],
)
def test_a_body_still_bad_stays_and_nothing_is_stored(raw: bytes, why: str) -> None:
    road, held = Road(), Held(raw)

    done = taken_up_again(road, held)

    assert done.outcome == "still_bad"
    assert done.why.startswith(why)
    assert held.removed == []
    assert road.archive.objects == {}


@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress])
def test_a_body_over_the_bounds_is_taken_in_slices(pack: Callable[[bytes], bytes]) -> None:
    items = [item(auditID=f"a-{number}", verb="delete") for number in range(10_001)]
    road, held = Road(), Held(pack(dumped({"items": items})))

    done = taken_up_again(road, held)

    assert done.outcome == "taken"
    assert done.account is not None
    assert (done.account.received, done.account.archived) == (10_001, 10_001)
    assert len(done.account.objects) == 3
    assert held.removed == [held.entry.key]
    before = dict(road.archive.objects)
    again = taken_up_again(road, Held(held.raw))
    assert again.account is not None
    assert again.account.stored_before
    assert road.archive.objects == before


def test_a_slice_that_cannot_be_stored_leaves_the_body_where_it_is() -> None:
    items = [item(auditID=f"a-{number}", verb="delete") for number in range(10_001)]
    road, held = Road(archive=FullDisk()), Held(dumped({"items": items}))

    done = taken_up_again(road, held)

    assert (done.outcome, held.removed) == ("failed", [])


def test_a_body_of_nothing_that_anybody_has_to_see_is_let_go() -> None:
    road, held = Road(), Held(dumped(control_message()))

    done = taken_up_again(road, held)

    assert done.outcome == "taken"
    assert done.account is not None
    assert done.account.skipped == {"control_message": 1}
    assert held.removed == [held.entry.key]


def test_the_bad_items_of_a_body_that_decodes_are_put_aside_one_by_one() -> None:
    road, held = Road(), Held(dumped({"items": [item(), {"level": 5}]}))

    done = taken_up_again(road, held)

    assert done.outcome == "taken"
    assert done.account is not None
    assert done.account.quarantined.total() == 1
    key = quarantine_key("prod", batch_digest("prod", b'{"level": 5}'))
    assert gzip.decompress(road.archive.objects[key]) == b'{"level": 5}'
    assert road.archive.metadata[key]["kind"] == "item"
    assert held.removed == [held.entry.key]


def test_gzip_that_came_without_its_header_is_inflated() -> None:
    road = Road()

    assert taken_up_again(road, Held(gzip.compress(BODY))).outcome == "taken"
    assert len(road.lines()) == 1


@pytest.mark.parametrize(
    "road", [Road(archive=FullDisk()), Road(publisher=NoTopic(), outbox=NoOutbox())], ids=["archive", "topic"]
)
def test_nothing_is_let_go_before_everything_is_stored_and_published(road: Road) -> None:
    held = Held(BODY)

    done = taken_up_again(road, held)

    assert done.outcome == "failed"
    assert done.why
    assert held.removed == []


def test_an_object_that_is_to_be_kept_is_kept() -> None:
    held = Held(BODY)

    assert taken_up_again(Road(), held, keep=True).outcome == "taken"
    assert held.removed == []


def test_a_damaged_object_is_still_bad_and_stays() -> None:
    class Damaged(Held):
        def read(self, entry: QuarantineEntry) -> tuple[QuarantineNote, bytes]:
            raise DamagedError("s3://archive/x: is damaged: it is not gzip")

    held = Damaged(b"")

    assert taken_up_again(Road(), held).why == "s3://archive/x: is damaged: it is not gzip"
    assert held.removed == []


def test_reading_again_says_why_of_the_bytes_themselves() -> None:
    note = QuarantineNote("invalid_json", "item", "prod", RECEIVED)

    fault = read_again(note, b'{"a": NaN}').fault

    assert fault is not None
    assert fault.detail == "JSON is malformed: invalid character (byte 6)"
