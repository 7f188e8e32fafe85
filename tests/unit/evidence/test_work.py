"""What the seal function does with a schedule and with an order, and what it says about that."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditwire.alerts.sns import MemoryPublisher, Published
from auditwire.aws.environment import SealConfig
from auditwire.evidence.arrivals import Arrival, Notice, parse_notice
from auditwire.evidence.dispatch import MAX_HOURS, sealed_to
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.export_note import note_key
from auditwire.evidence.exporting import Export
from auditwire.evidence.order import Order
from auditwire.evidence.store import MemoryStore
from auditwire.evidence.work import Tools, Worked, send_orders, work_on
from auditwire.ocsf.destination import DestinationError
from auditwire.ocsf.layout import Place
from auditwire.search import Query
from auditwire.search.duckdb_engine import DuckDBEngine
from sealed import NOON, World, outcome
from searched import ask

CONFIG = SealConfig(
    archive_bucket="archive",
    archive_days=30,
    evidence_lock="none",
    key_arn="arn",
    max_bytes=10**9,
    grace_seconds=600,
    arrivals_queue_url="arrivals",
    orders_queue_url="orders",
    alerts_topic_arn="alerts",
    operations_topic_arn="operations",
    heads_bucket="",
    metrics_namespace="auditwire/auditwire",
    stack="auditwire",
    runbooks_url="https://wiki/runbooks",
)


@dataclass
class Notices:
    """The queue of notifications."""

    waiting: list[Notice] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    given_back: set[str] = field(default_factory=set)

    def take(self) -> Iterable[Notice]:
        return self.waiting

    def delete(self, handles: Iterable[str]) -> None:
        self.deleted.update(handles)

    def give_back(self, handles: Iterable[str]) -> None:
        self.given_back.update(handles)


@dataclass
class Orders:
    """The queue of orders."""

    sent: list[tuple[Order, str]] = field(default_factory=list)

    def send(self, order: Order, identifier: str) -> None:
        self.sent.append((order, identifier))


@dataclass
class Topic:
    """SNS, as far as it takes plain messages."""

    messages: list[dict[str, str]] = field(default_factory=list)

    def publish(self, **message: str) -> None:
        self.messages.append(message)


@dataclass
class Desk:
    """A world with everything the function works with."""

    world: World = field(default_factory=World)
    notices: Notices = field(default_factory=Notices)
    orders: Orders = field(default_factory=Orders)
    publisher: Any = field(default_factory=MemoryPublisher)
    topic: Topic = field(default_factory=Topic)
    config: SealConfig = CONFIG
    lake: Any = None
    told: list[Worked] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def tools(self) -> Tools:
        nothing: Any = None
        topic: Any = self.topic

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.world.after(seconds=seconds)

        return Tools(
            self.config,
            self.world.store,
            self.world.key,
            self.notices,
            self.orders,
            self.publisher,
            lambda cluster, hours: (),
            topic,
            nothing,
            None if self.lake is None else Export(self.lake, Place("", "r", "1")),
            clock=lambda: self.world.now,
            sleep=sleep,
        )

    def send(self, **event: Any) -> list[Order]:
        return send_orders(self.tools(), event).orders

    def work(self, order: Order, seconds: float = 100) -> Any:
        return work_on(self.tools(), order.as_text(), "attempt-1", seconds, self.told.append)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("now", "grace", "at_once", "expected"),
    [
        ("12:12:00", 600, False, "12:00:00"),
        ("12:09:59", 600, False, "11:00:00"),
        ("12:10:00", 600, False, "12:00:00"),
        ("12:12:34.5", 600, True, "12:02:34"),
        ("12:12:34.5", 0, True, "12:12:35"),
        ("12:12:34", 0, True, "12:12:35"),
        ("12:12:34.5", 0, False, "12:00:00"),
    ],
)
def test_it_is_sealed_up_to_the_last_hour_or_second_of_which_everything_is_there(
    now: str, grace: int, at_once: bool, expected: str
) -> None:
    moment = datetime.fromisoformat(f"2026-11-21T{now}+00:00")
    to = sealed_to(moment, timedelta(seconds=grace), at_once=at_once)
    assert to == datetime.fromisoformat(f"2026-11-21T{expected}+00:00")


def test_every_cluster_that_has_something_gets_an_order(desk: Desk) -> None:
    desk.world.arrive(cluster="prod")
    desk.world.arrive(cluster="test")
    desk.world.store.put("events/cluster=UPPER/x", b"")
    desk.world.store.put("events/loose", b"")

    desk.world.after(minutes=72)
    sent = desk.send(time="2026-11-21T13:12:00Z")

    assert sent == [Order(cluster=name, to=NOON + timedelta(hours=1)) for name in ("prod", "test")]
    assert [order for order, _ in desk.orders.sent] == sent


def test_at_once_waits_for_the_end_of_the_second_and_looks_through_everything(desk: Desk) -> None:
    desk.config = replace(CONFIG, grace_seconds=0)
    desk.world.arrive()

    desk.world.after(milliseconds=250)
    (order,) = desk.send(at_once=True)

    assert (order.to, order.everything) == (NOON + timedelta(seconds=1), True)
    assert desk.slept == [pytest.approx(0.75)]


def arrival(hour: str, told: datetime, cluster: str = "prod") -> Arrival:
    return Arrival(cluster, hour, told)


def test_what_is_filed_elsewhere_is_named_and_its_notifications_go_when_they_are_dealt_with(desk: Desk) -> None:
    desk.world.arrive()
    desk.world.after(minutes=72)
    to = NOON + timedelta(hours=1)
    desk.notices.waiting = [
        Notice("usual", (arrival("2026-11-21T12", NOON),)),
        Notice("old", (arrival("2026-08-01T05", NOON), arrival("2026-08-01T04", NOON))),
        Notice("late", (arrival("2026-07-01T05", to),)),
        Notice("junk", ()),
        Notice("other", (arrival("2026-08-01T05", NOON, "gone"),)),
    ]

    (order,) = desk.send()

    assert order.hours == ("2026-07-01T05", "2026-08-01T04", "2026-08-01T05")
    assert desk.notices.deleted == {"usual", "old", "junk", "other"}
    assert desk.notices.given_back == {"late"}


def test_an_order_has_its_bounds(desk: Desk) -> None:
    desk.world.arrive()
    hours = [
        f"{year}-01-{day:02}T{hour:02}" for year in range(1990, 2010) for day in range(1, 29) for hour in range(24)
    ]
    desk.notices.waiting = [Notice(hour, (arrival(hour, NOON),)) for hour in hours]

    desk.world.after(minutes=72)
    (order,) = desk.send()

    assert len(order.hours) == MAX_HOURS
    assert len(order.as_text()) < 256 * 1024


def test_the_heads_go_to_the_topic_in_the_first_hour_of_a_day(desk: Desk) -> None:
    desk.world.arrive()
    last = desk.world.after(hours=1).seal().seals[-1]

    desk.send(time="2026-11-22T01:12:00Z")
    assert not desk.topic.messages
    desk.send(time="2026-11-22T00:12:00Z")

    (message,) = desk.topic.messages
    assert (message["TopicArn"], message["Subject"]) == ("operations", "auditwire heads 2026-11-22")
    assert message["Message"].splitlines()[-1] == f"prod:{last.seal.number}:{last.file.text_sha256}"


def test_how_far_sealing_is_behind_is_that_of_the_worst_cluster(desk: Desk) -> None:
    for cluster in ("prod", "test", "new"):
        desk.world.arrive(cluster=cluster)
    desk.world.after(hours=1)
    for cluster in ("prod", "test"):
        desk.world.seal(cluster)
    desk.world.after(hours=5).seal("test")

    sent = send_orders(desk.tools(), {})

    assert sent.behind == timedelta(hours=5).total_seconds()
    assert sent.log_fields() == {"clusters": 3, "behind_seconds": 18_000, "heads": []}


def test_an_order_is_worked_on_and_the_log_has_the_head(desk: Desk) -> None:
    desk.world.arrive(3)
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order())

    (seal,) = worked.done.seals
    assert worked.log_fields() == {
        "cluster": "prod",
        "seals": 1,
        "objects": 1,
        "events": 3,
        "head": f"0:{seal.file.text_sha256}",
        "sealed_late": 0,
        "behind_seconds": 3600,
        "handed_over": False,
        "problems": [],
    }
    worked.confirm()
    assert not desk.publisher.alerts


def test_what_there_is_no_time_for_is_sent_on_under_another_identifier(desk: Desk) -> None:
    desk.world.arrive()
    desk.world.after(hours=1)
    order = desk.world.order()

    worked = desk.work(order, seconds=0)

    assert not worked.done.seals
    assert desk.orders.sent == [(order, "attempt-1")]


def test_a_message_that_is_no_order_is_refused(desk: Desk) -> None:
    for text in (
        "no json",
        "{}",
        '{"cluster": "prod", "to": "soon"}',
        '{"cluster": "x", "to": "2026-11-21T12:00:00Z", "more": 1}',
    ):
        with pytest.raises(EvidenceError, match="a message is no order"):
            work_on(desk.tools(), text, "attempt-1", 10)


def test_what_is_wrong_is_told_as_alerts(desk: Desk) -> None:
    world = desk.world
    world.arrive()
    world.after(hours=1).seal()
    world.store.put("seals/cluster=prod/0000000001.json", b"junk")
    world.store.put("events/cluster=prod/date=2026-11-21/hour=13/foreign", b"x")
    world.arrive(at=NOON - timedelta(days=90))
    world.after(hours=1)

    worked = desk.work(world.order(everything=True))

    alerts = {alert.labels["alertname"]: alert for alert in desk.publisher.alerts}
    assert set(alerts) == {"auditwire.EvidenceSealedLate", "auditwire.SealChainDamaged", "auditwire.EvidenceDamaged"}
    assert {alert.labels["cluster"] for alert in alerts.values()} == {"prod"}
    assert alerts["auditwire.EvidenceDamaged"].labels["fault"] == "foreign"
    assert alerts["auditwire.EvidenceSealedLate"].count == 1
    assert "0000000001.json" in alerts["auditwire.SealChainDamaged"].annotations["message"]
    for alert in alerts.values():
        assert alert.annotations["runbook_url"].startswith("https://wiki/runbooks#auditwire")
    assert dict(worked.alerts) == {"prod": 3}


class Closed:
    """A topic that takes nothing."""

    def publish(self, alerts: Sequence[Any], deadline: float) -> Published[Any]:
        return Published(failed=list(alerts))


def test_an_alert_that_cannot_be_published_fails_the_run_when_all_is_sealed(desk: Desk) -> None:
    desk.publisher = Closed()
    desk.world.store.put("events/cluster=prod/date=2026-11-21/hour=12/foreign", b"x")
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order())

    assert worked.objects == 1
    with pytest.raises(EvidenceError, match="an alert could not be published"):
        worked.confirm()


NOTICE = {
    "eventTime": "2026-11-21T12:00:00.123Z",
    "s3": {"object": {"key": "events/cluster%3Dprod/date%3D2026-11-21/hour%3D12/t-digest.jsonl.gz", "size": 1}},
}


@pytest.mark.parametrize(
    ("body", "hours"),
    [
        (json.dumps({"Records": [NOTICE, NOTICE]}), ["2026-11-21T12", "2026-11-21T12"]),
        (json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}), []),
        (json.dumps({"Records": [{**NOTICE, "s3": {"object": {"key": "seals/cluster=prod/1.json"}}}]}), []),
        (json.dumps({"Records": [{**NOTICE, "eventTime": "2026-11-21T12:00:00"}]}), []),
        (json.dumps({"Records": [{"eventTime": 5}]}), []),
        ("no json", []),
        ("[]", []),
    ],
)
def test_a_notification_tells_whose_and_under_which_hour(body: str, hours: list[str]) -> None:
    notice = parse_notice("handle", body)

    assert notice.handle == "handle"
    assert [one.hour for one in notice.arrivals] == hours


def test_what_is_sealed_is_indexed_and_found_without_a_scan(desk: Desk) -> None:
    keys = {desk.world.arrive(3), desk.world.arrive(2, at=NOON - timedelta(days=3))}
    desk.world.arrive(1, cluster="test")
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order(hours=["2026-11-18T12"]))

    assert worked.problems == worked.done.problems == []
    found, coverage = ask(DuckDBEngine(desk.world.store), Query(clusters=frozenset({"prod"})))
    assert {key for key, _, _ in found} == keys
    assert (len(found), coverage.indexed, coverage.scanned) == (5, 2, 0)


def test_an_index_that_cannot_be_written_delays_no_seal_and_is_told(desk: Desk) -> None:
    desk.world.arrive()

    class Full(MemoryStore):
        def put(self, key: str, content: bytes) -> None:
            if key.startswith("index/"):
                raise EvidenceError(f"{key}: could not be stored")
            super().put(key, content)

    store = desk.world.store
    desk.world.store = Full(store.clock, store.bucket, store.objects, store.modified, store.ever)
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order())

    assert worked.objects == 1
    with pytest.raises(EvidenceError, match="Indexing failed: EvidenceError: index/cluster=prod/"):
        worked.confirm()
    assert outcome(desk.world.reports()) == 0


@dataclass
class Lake:
    """A foreign bucket, and what the desk had told when it got its files. ``closed`` is whether it refuses them."""

    desk: Desk
    closed: bool = False
    files: list[tuple[str, int]] = field(default_factory=list)

    def put(self, key: str, file: Path) -> None:
        if self.closed:
            raise DestinationError("AccessDenied")
        self.files.append((key, len(self.desk.told)))


def test_what_is_sealed_is_told_before_it_is_exported(desk: Desk) -> None:
    desk.lake = Lake(desk)
    desk.world.arrive()
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order())

    assert [told for _, told in desk.lake.files] == [1]
    assert desk.told == [worked]
    assert (worked.exported.events, worked.exported.failure) == (2, "")
    worked.confirm()


def test_a_lake_that_refuses_fails_no_order(desk: Desk) -> None:
    desk.lake = Lake(desk, closed=True)
    desk.world.arrive()
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order())

    assert worked.exported.failure == "DestinationError: AccessDenied"
    assert (worked.objects, worked.exported.behind, desk.orders.sent) == (1, 0.0, [])
    worked.confirm()


def test_a_note_that_cannot_be_read_fails_the_run_when_all_is_sealed(desk: Desk) -> None:
    desk.lake = Lake(desk)
    desk.world.arrive()
    desk.world.store.put(note_key("prod"), b"junk")
    desk.world.after(hours=1)

    worked = desk.work(desk.world.order())

    assert worked.objects == 1
    with pytest.raises(EvidenceError, match="nobody can tell how far cluster prod is exported"):
        worked.confirm()


def test_what_there_is_no_time_to_export_is_sent_on_and_only_once_without_progress(desk: Desk) -> None:
    desk.lake = Lake(desk, closed=True)
    desk.world.arrive()
    desk.world.after(hours=1)
    order = desk.world.order()
    desk.work(order)
    desk.lake.closed = False

    desk.work(order, seconds=0)

    [(rest, identifier)] = desk.orders.sent
    assert (rest.is_swept, rest.to, rest.cluster, identifier) == (True, order.to, "prod", "attempt-1")
    desk.work(Order.from_text(rest.as_text()), seconds=0)
    assert len(desk.orders.sent) == 1
    assert desk.work(rest).exported.events == 2


def test_what_can_never_be_exported_is_told_as_an_alert(desk: Desk) -> None:
    desk.lake = Lake(desk, closed=True)
    lost = desk.world.arrive()
    desk.world.after(hours=1)
    desk.work(desk.world.order())
    del desk.world.store.objects[lost]
    desk.lake.closed = False

    worked = desk.work(desk.world.order())

    (alert,) = desk.publisher.alerts
    assert alert.labels["alertname"] == "auditwire.ExportIncomplete"
    assert dict(worked.alerts) == {"prod": 1}
