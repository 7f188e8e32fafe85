"""Thresholds on the whole road in memory: who reaches one, what waits in the outbox, and what is said when nothing
works."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from audit_events import event_list, item, text_of
from auditwire.alerts import OutboxError, Published
from auditwire.alerts.outbox import MemoryOutbox
from auditwire.alerts.publish_outbox import OutboxRun, publish_outbox
from auditwire.alerts.unjudged import Unjudged
from auditwire.clusters import Cluster
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Batch
from auditwire.ingest.thresholds import MAX_GROUPS
from auditwire.rules import RuleSet
from auditwire.senders.kind import SenderKind
from auditwire.thresholds.store import Added, Addition, MemoryThresholds
from memory_road import RECEIVED, NoTopic, Road
from rule_texts import document, rule, rule_set_of

DONE = 'Verb = "get" and Stage = "ResponseComplete"'
LABELS = "labels: {team: a, who: '${User.Username}', what: 'pod ${ObjectRef.Name}'}"
FOUR = "threshold: {count: 4, by: [User.Username], within: 10m}"
BY_USER = document(rule(DONE, name="many", more=f", {LABELS}, {FOUR}"))


@dataclass
class GivenRules:
    rules: RuleSet

    def current(self) -> RuleSet:
        return self.rules


class NoBucket(MemoryOutbox):
    """An outbox that cannot keep matches."""

    def hold_unjudged(self, facts: Sequence[Unjudged]) -> None:
        raise OutboxError("outbox/unjudged/ could not be written")


@dataclass
class OneThatHangs(MemoryThresholds):
    """A table that notes until when it may take, and judges the first group only."""

    deadlines: list[float] = field(default_factory=list)

    def add(self, additions: Sequence[Addition], deadline: float) -> Added:
        self.deadlines.append(deadline)
        taken = MemoryThresholds.add(self, additions[:1], deadline)
        return Added((*taken.counts, *(None for _ in additions[1:])), "it hangs")


def road(text: str = BY_USER, **more: Any) -> Road:
    return Road(rules=GivenRules(rule_set_of(text)), **more)


def reads(count: int, *, user: str = "mira", start: int = 0, minute: int = 5, **more: Any) -> list[dict[str, Any]]:
    return [
        item(
            auditID=f"{user}-{number}",
            user={"username": user},
            objectRef={"resource": "pods", "namespace": "shop", "name": f"p{number}", "apiVersion": "v1"},
            stageTimestamp=f"2026-11-21T22:{minute:02}:00.{number:06}Z",
            **more,
        )
        for number in range(start, start + count)
    ]


def posted(one: Road, *items: dict[str, Any], received: datetime = RECEIVED, status: int = 200) -> Account:
    answer = one.post(event_list([text_of(each) for each in items]), received=received)
    assert answer.status == status
    assert answer.account is not None
    return answer.account


def alerts(one: Road) -> list[dict[str, str]]:
    return [dict(alert.labels) for alert in one.publisher.alerts]


def run(one: Road, topic: Any = None, outbox: Any = None) -> OutboxRun:
    kept = outbox or one.outbox
    assert isinstance(kept, MemoryOutbox)
    now = datetime.now(UTC)
    return publish_outbox(kept, topic or Sent(), one.thresholds, now=lambda: now, deadline=now.timestamp() + 30)


class Sent:
    """A topic that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def publish_messages(self, messages: Any, deadline: float) -> Any:
        self.messages += [orjson.loads(message.body) for message in messages]
        return Published(sent=len(messages))


def test_the_batch_that_reaches_a_threshold_alerts_for_its_group() -> None:
    one = road()

    first = posted(one, *reads(2), *reads(1, user="bob"))
    assert (first.archived, first.alerted, first.pending, alerts(one)) == (3, 0, {"mine.many": 3}, [])
    second = posted(one, *reads(2, start=2), *reads(1, user="bob", start=1))

    assert alerts(one) == [
        {
            "alertname": "many", "severity": "warning", "priority": "WARNING", "cluster": "prod", "user": "mira",
            "team": "a", "who": "mira",
        }
    ]  # fmt: skip
    (alert,) = one.publisher.alerts
    assert alert.count == 2
    assert alert.annotations["threshold"] == "4 matches within 10m, by User.Username"
    assert alert.annotations["audit_ids"] == "mira-2, mira-3"
    assert alert.annotations["archive_key"]
    assert (second.archived, second.alerted, second.alerts) == (3, 2, {"mine.many": 2})
    assert (second.metrics()["EventsAlerted"], second.metrics()["AlertsPublished"]) == (2, 1)
    assert [line["_auditwire"].get("pending") for line in one.lines()] == [["mine.many"]] * 6


def test_whatever_reaches_it_the_labels_are_the_same() -> None:
    one = road()
    posted(one, *reads(4))
    posted(one, *reads(3, start=7))

    assert len(alerts(one)) == 2
    assert alerts(one)[0] == alerts(one)[1]


def test_fields_without_a_label_of_their_own_stand_in_one() -> None:
    by = "threshold: {count: 1, by: [SourceIP, ObjectRef.Namespace], within: 1m}"
    one = road(document(rule(DONE, name="many", more=f", {by}")))
    posted(one, *reads(1), *reads(1, user="bob", sourceIPs=["192.0.2.9"]))

    assert [(each["namespace"], each["threshold_group"], each.get("user")) for each in alerts(one)] == [
        ("shop", "SourceIP 192.0.2.10", None),
        ("shop", "SourceIP 192.0.2.9", None),
    ]


def test_a_batch_that_comes_again_counts_once() -> None:
    one = road()
    for _ in range(5):
        assert posted(one, *reads(3), *reads(3)).alerted == 0
    assert alerts(one) == []
    assert posted(one, *reads(4)).alerted == 4


def test_other_alerts_of_the_batch_go_first_and_an_event_is_alerted_once() -> None:
    entries = rule(DONE, name="each") + rule(DONE, name="many", more=", threshold: {count: 2, within: 1m}")
    one = road(document(entries))
    counted = posted(one, *reads(2))

    assert [each["alertname"] for each in alerts(one)] == ["each", "each", "many"]
    assert (counted.alerted, counted.alerts, counted.published) == (2, {"mine.each": 2, "mine.many": 2}, 3)


def test_an_event_that_only_came_in_is_counted_if_its_end_is_missing() -> None:
    one = road(document(rule('Verb = "get"', name="many", more=", threshold: {count: 2, within: 1m}")))
    came = reads(1, stage="RequestReceived")
    assert posted(one, *came, *reads(1)).pending == {"mine.many": 1}
    assert posted(one, *reads(1, start=5, stage="RequestReceived")).pending == {"mine.many": 1}
    assert len(alerts(one)) == 1


def test_what_is_an_hour_away_counts_when_it_was_received() -> None:
    one = road()
    posted(one, *(each | {"stageTimestamp": f"202{n}-01-01T00:00:00.000000Z"} for n, each in enumerate(reads(4))))
    assert len(alerts(one)) == 1


def test_without_the_table_matches_wait_and_alert_once_it_is_back() -> None:
    one = road()
    posted(one, *reads(2))
    one.thresholds.down = True
    for start in range(2, 6):
        counted = posted(one, *reads(1, start=start))
        assert (counted.thresholds_deferred, counted.metrics()["ThresholdsDeferred"]) == (1, 1)
        assert "down" in counted.threshold_problem
    assert posted(one, *reads(2, user="bob")).thresholds_deferred == 1
    assert alerts(one) == []
    assert isinstance(one.outbox, MemoryOutbox)
    assert len(one.outbox.unjudged) == 5

    waiting = run(one)
    assert (waiting.judged, waiting.waiting, waiting.published) == (0, 5, 0)
    assert waiting.problems == ["the table is down"] * 3
    one.thresholds.down = False
    topic = Sent()
    done = run(one, topic)

    assert (done.judged, done.outboxed, done.published, done.waiting) == (5, 1, 1, 0)
    assert (one.outbox.unjudged, one.outbox.objects) == ({}, {})
    assert [message["labels"]["user"] for message in topic.messages] == ["mira"]
    assert topic.messages[0]["annotations"]["audit_ids"] == "mira-3"
    assert done.by_cluster == {"prod": {"ThresholdsJudged": 5, "AlertsOutboxed": 1, "OutboxPublished": 1}}
    assert run(one, topic) == OutboxRun()


def test_ten_minutes_without_the_table_lose_no_alert_and_make_none() -> None:
    """Every group ends as it would have, whatever was judged before, during and after."""
    down, up = road(), road()
    steps = [
        (minute, user, count) for minute in range(25) for user, count in (("a", 1), ("b", minute % 8 == 1), ("c", 0))
    ]
    steps += [(7, "c", 3), (19, "d", 9), (12, "e", 4)]
    for number, (minute, user, count) in enumerate(sorted(steps)):
        for one in (down, up):
            one.thresholds.down = one is down and 5 <= minute < 15
            received = datetime(2026, 11, 21, 22, minute, 30, tzinfo=UTC)
            if count:
                posted(one, *reads(count, user=user, start=100 * number, minute=minute), received=received)
    topic = Sent()
    run(down, topic)

    late = {message["labels"]["user"] for message in topic.messages}
    assert {each["user"] for each in alerts(up)} == {"a", "d", "e"}
    assert {each["user"] for each in alerts(down)} | late == {"a", "d", "e"}
    assert not late & {"b", "c"}


def test_a_batch_that_reaches_a_threshold_by_itself_needs_no_table() -> None:
    one = road()
    one.thresholds.down = True
    counted = posted(one, *reads(4))
    assert (len(alerts(one)), counted.alerted, counted.thresholds_deferred) == (1, 4, 1)

    one.thresholds.down = False
    topic = Sent()
    assert run(one, topic).judged == 1
    assert topic.messages == []
    posted(one, *reads(1, start=9))
    assert len(alerts(one)) == 2


def test_a_batch_with_more_groups_than_there_is_time_for_leaves_the_rest() -> None:
    one = road()
    events = [each for number in range(MAX_GROUPS + 7) for each in reads(1, user=f"u{number}")]
    counted = posted(one, *events)

    assert (len(one.thresholds.added), counted.thresholds_deferred) == (MAX_GROUPS, 7)
    assert run(one).judged == 7
    assert len(one.thresholds.added) == MAX_GROUPS + 7


def test_what_is_not_judged_in_time_is_left_for_later() -> None:
    slow = OneThatHangs()
    one = road(thresholds=slow)
    counted = posted(one, *reads(1), *reads(1, user="bob"))

    assert counted.thresholds_deferred == 1
    assert slow.deadlines == [RECEIVED.timestamp() + 0.7]


def test_only_where_the_outbox_fails_too_is_there_an_alert_and_never_the_rules_own() -> None:
    one = road(outbox=NoBucket())
    one.thresholds.down = True
    counted = posted(one, *reads(3), *reads(2, user="bob"))

    assert alerts(one) == [
        {
            "alertname": "auditwire.ThresholdNotJudged", "severity": "warning", "priority": "WARNING",
            "cluster": "prod", "rule": "mine.many",
        }
    ]  # fmt: skip
    (alert,) = one.publisher.alerts
    assert alert.annotations["count"] == "5"
    assert alert.annotations["runbook_url"].endswith("#auditwirethresholdnotjudged")
    assert (counted.thresholds_not_judged, counted.metrics()["ThresholdsNotJudged"]) == (5, 5)
    assert counted.alerted == 0


def test_a_topic_that_takes_nothing_leaves_the_alert_in_the_outbox() -> None:
    one = road(publisher=NoTopic())
    counted = posted(one, *reads(4))
    assert isinstance(one.outbox, MemoryOutbox)
    assert (counted.outboxed, counted.unpublished, len(one.outbox.objects)) == (1, 0, 1)


def test_what_can_never_be_judged_keeps_nobody_waiting() -> None:
    @dataclass
    class Refusing(MemoryThresholds):
        def add(self, additions: Sequence[Addition], deadline: float) -> Added:
            if self.down or len({one.group for one in additions} & bad):
                return Added((None,) * len(additions), "no")
            return MemoryThresholds.add(self, additions, deadline)

    bad: set[str] = set()
    one = road(thresholds=Refusing(down=True))
    for user in ("bad", "mira"):
        posted(one, *reads(3, user=user))
    assert isinstance(one.outbox, MemoryOutbox)
    bad |= {facts.facts[0].addition.group for facts in list(one.outbox.unjudged.values())[:1]}
    one.thresholds.down = False
    done = run(one)
    assert (done.judged, done.waiting, len(one.outbox.unjudged)) == (1, 1, 1)


def test_an_interrupted_run_does_the_same_again() -> None:
    one = road()
    one.thresholds.down = True
    posted(one, *reads(3))
    posted(one, *reads(3, start=3))
    one.thresholds.down = False

    class Interrupted(MemoryOutbox):
        def remove(self, entry: Any) -> None:
            raise OutboxError("killed")

    assert isinstance(one.outbox, MemoryOutbox)
    broken = Interrupted(objects=one.outbox.objects, unjudged=one.outbox.unjudged)
    first = run(one, outbox=broken)
    assert len(first.problems) >= 2
    topic = Sent()
    done = run(one, topic)
    assert (done.waiting, one.outbox.unjudged) == (0, {})
    assert {message["labels"]["user"] for message in topic.messages} == {"mira"}


def test_quiet_history_is_not_counted() -> None:
    one = road()
    cluster = Cluster("prod", SenderKind.KUBERNETES)
    body = event_list([text_of(each) for each in reads(4)])
    batch = Batch(cluster, body, "d" * 64, RECEIVED, quiet_before=RECEIVED + timedelta(hours=1))
    answer = one.ingest.take(batch, RECEIVED.timestamp() + 2)
    assert (answer.status, one.thresholds.added, alerts(one)) == (200, [], [])
