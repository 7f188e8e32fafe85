"""What is told of silent clusters and stale rules, and of what could not be looked at."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from auditwire.alerts import Alert, DeadLetterError, MemoryPublisher, Published, encode_message
from auditwire.alerts.dead_letter_counts import DeadLetterCounts
from auditwire.alerts.self_alerts import publish_self_alerts
from auditwire.bundles.compile_rules import compile_rules
from auditwire.bundles.rules_bucket import (
    ACTIVE_KEY,
    STATUS_KEY,
    MemoryRulesBucket,
    RulesBucketError,
    bundle_key,
    document_key,
)
from auditwire.bundles.rules_state import Active
from auditwire.bundles.stale_rules import MAX_UNSEEN, Stale, stale_rules
from auditwire.clusters import Cluster, LastUse, Listing, Registration
from auditwire.watch import Watched, cluster_silent, watch
from rule_texts import one_rule

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULES = one_rule("mine")


def row(cluster: str = "prod", use: LastUse | None = None, expires: datetime | None = None) -> Registration:
    return Registration(
        credential="0" * 64,
        cluster=Cluster(cluster),
        created=NOW - timedelta(days=1),
        expires=expires,
        silence_seconds=1_800,
        use=use,
    )


@dataclass
class World:
    """A table, a bucket, and a clock that both look at."""

    now: datetime = NOW
    rows: list[Registration] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.bucket = MemoryRulesBucket(lambda: self.now)

    def clusters(self) -> Listing:
        if self.failure:
            raise self.failure
        return Listing(self.rows, self.broken)

    def look(self) -> Watched:
        return watch(self.clusters, self.bucket, rules_bucket="rules-bucket", now=self.now)

    def publish(self, text: str = RULES) -> None:
        self.bucket.write(document_key("a.yaml"), text.encode())
        self.compile()

    def compile(self) -> None:
        compile_rules(self.bucket, now=lambda: self.now, sleep=lambda seconds: None)

    def stale(self) -> Stale | None:
        return stale_rules(self.bucket, self.now)


@pytest.fixture
def world() -> World:
    return World()


def test_dead_letters_that_cannot_be_counted_are_a_problem_and_no_count(world: World) -> None:
    def fail() -> DeadLetterCounts:
        raise DeadLetterError("the dead-letter queue cannot be read: no")

    world.rows = [row()]
    seen = watch(world.clusters, world.bucket, rules_bucket="rules-bucket", now=NOW, dead_letters=fail)
    assert (seen.dead_letters, seen.problems) == (None, ["the dead-letter queue cannot be read: no"])
    assert seen.silent == 1


def used(minutes: int) -> LastUse:
    return LastUse(NOW - timedelta(minutes=minutes), 50, 2, "Go-http-client/2.0", "kube-apiserver v1.33.4")


def test_a_world_in_order_raises_nothing(world: World) -> None:
    world.rows = [row(use=used(5))]
    world.publish()
    assert world.look() == Watched(0, False, [], [])


def test_a_silent_cluster_is_told_of_with_who_was_last_heard_and_what_to_do(world: World) -> None:
    world.rows = [row(use=used(45)), row("other", use=used(1))]
    (alert,) = world.look().alerts

    assert alert.labels == {
        "alertname": "auditwire.ClusterSilent",
        "severity": "warning",
        "priority": "WARNING",
        "cluster": "prod",
    }
    assert alert.annotations["summary"] == "Cluster prod has fallen silent"
    assert alert.annotations["message"] == (
        "Nothing has come from cluster prod since 2026-11-22T11:15:00Z; it counts as silent after 30 min."
    )
    assert alert.annotations["last_seen"] == "2026-11-22T11:15:00Z"
    assert alert.annotations["version"] == "kube-apiserver v1.33.4"
    assert alert.annotations["user_agent"] == "Go-http-client/2.0"
    assert "auditwire cluster list" in alert.annotations["description"]
    assert alert.first == "2026-11-22T11:45:00.000000Z", "since when it counts as silent"


def test_every_look_says_the_same_so_that_it_is_one_alert(world: World) -> None:
    world.rows = [row(use=used(45))]
    first = [encode_message(alert) for alert in world.look().alerts]
    world.now += timedelta(minutes=5)
    assert [encode_message(alert) for alert in world.look().alerts] == first
    world.rows = [row(use=LastUse(world.now))]
    assert world.look().alerts == []


def test_a_cluster_that_never_sent_is_said_to_have_never_sent(world: World) -> None:
    world.rows = [row()]
    (alert,) = world.look().alerts
    assert alert.annotations["summary"] == "Cluster prod has never sent anything"
    assert alert.annotations["message"] == (
        "Nothing has ever come from cluster prod; its credential has been valid since 2026-11-21T12:00:00Z;"
        " it counts as silent after 30 min."
    )
    assert alert.annotations["last_seen"] == "never"


def test_a_silence_since_nobody_knows_when_begins_now(world: World) -> None:
    world.rows = [Registration(credential="0", cluster=Cluster("made-by-hand"), silence_seconds=600)]
    (alert,) = world.look().alerts
    assert "its credential has been valid for an unknown time" in alert.annotations["message"]
    assert alert.first == "2026-11-22T12:00:00.000000Z"


def test_an_expired_credential_is_the_reason_and_a_new_one_the_remedy(world: World) -> None:
    world.rows = [row(use=used(60), expires=NOW - timedelta(minutes=59))]
    (alert,) = world.look().alerts
    assert alert.annotations["credential_expired"] == "2026-11-22T11:01:00Z"
    assert alert.annotations["description"] == (
        "It has no valid credential: the last one expired at 2026-11-22T11:01:00Z, and whatever it sends is"
        " answered 401. Give it another: auditwire cluster rotate prod"
    )


def test_what_a_sender_said_of_itself_is_one_bounded_line(world: World) -> None:
    hostile = LastUse(NOW - timedelta(hours=1), 1, 1, "x\n\u202e" * 2_000, "v\nv")
    world.rows = [row(use=hostile)]
    (alert,) = world.look().alerts
    assert len(alert.annotations["user_agent"]) <= 1_024
    assert alert.annotations["version"] == r"v\nv"
    assert json.loads(encode_message(alert))["labels"] == alert.labels


@pytest.mark.parametrize(
    "failure",
    [
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan"),
    ],
    ids=["timeout", "not allowed"],
)
def test_a_table_that_cannot_be_read_is_a_problem_and_the_rules_are_looked_at(world: World, failure: Exception) -> None:
    world.failure = failure
    world.bucket.write(ACTIVE_KEY, b"{}")
    seen = world.look()
    assert [problem.partition(":")[0] for problem in seen.problems] == ["the clusters table could not be read"]
    assert [alert.rule for alert in seen.alerts] == ["auditwire.RulesStale"]


def test_a_bucket_that_cannot_be_read_is_a_problem_and_the_clusters_are_looked_at(world: World) -> None:
    def fail(request: str, key: str) -> None:
        raise RulesBucketError(f"503 {key}")

    world.bucket.before = fail
    world.rows = [row()]
    seen = world.look()
    assert seen.problems == ["the rules bucket could not be read: 503 status.json"]
    assert [alert.rule for alert in seen.alerts] == ["auditwire.ClusterSilent"]


def test_a_row_that_is_of_no_use_is_a_problem_and_hides_no_other(world: World) -> None:
    why = "a row of the clusters table has no usable sender"
    world.rows, world.broken = [row()], {"a": why, "b": why}
    seen = world.look()
    assert (seen.silent, seen.problems) == (1, [why])


class HalfOpen(MemoryPublisher):
    """A topic that takes the first alert, has no time for the second, and refuses the third."""

    def publish(self, alerts: Sequence[Alert], deadline: float) -> Published[Alert]:
        self.alerts += alerts[:1]
        return Published(1, list(alerts[1:2]), list(alerts[2:]))


def test_what_was_seen_is_told_with_its_runbook_and_what_could_not_be_told_is_said(world: World) -> None:
    world.rows = [row("a"), row("b"), row("c")]
    topic = HalfOpen()
    told, untold = publish_self_alerts(topic, world.look().alerts, 0, "https://wiki/r")
    assert [alert.labels["cluster"] for alert in told] == ["a"]
    assert told == topic.alerts
    assert told[0].annotations["runbook_url"] == "https://wiki/r#auditwireclustersilent"
    assert [problem.partition(";")[0] for problem in untold] == [
        f"an alert could not be published: Nothing has ever come from cluster {name}" for name in "bc"
    ]


def test_where_nothing_was_seen_nobody_is_asked(world: World) -> None:
    class Closed(MemoryPublisher):
        def publish(self, alerts: Sequence[Alert], deadline: float) -> Published[Alert]:
            raise AssertionError(alerts)

    assert publish_self_alerts(Closed(), world.look().alerts, 0, "r") == ([], [])


def test_a_fresh_stack_is_not_stale(world: World) -> None:
    assert world.stale() is None


def test_rules_that_nobody_looks_at_are_stale(world: World) -> None:
    world.publish()
    seen = world.now
    world.now += MAX_UNSEEN
    assert world.stale() is None
    world.now += timedelta(seconds=1)
    assert world.stale() == Stale(
        "not_looked_at", "nobody has looked at the documents since 2026-11-22 12:00 UTC", seen
    )
    world.compile()
    assert world.stale() is None


def test_refused_rules_are_looked_at(world: World) -> None:
    world.publish()
    world.publish("kind: Rule")
    world.now += timedelta(minutes=5)
    world.compile()
    world.now += MAX_UNSEEN
    assert world.stale() is None


@pytest.mark.parametrize("status", [None, b"{}"], ids=["none", "damaged"])
def test_documents_that_were_never_looked_at_are_stale_after_as_long(world: World, status: bytes | None) -> None:
    world.bucket.write(document_key("notes.txt"), b"no document")
    world.now += timedelta(minutes=30)
    if status is not None:
        world.bucket.write(STATUS_KEY, status)
    assert world.stale() is None
    uploaded = world.now
    world.bucket.write(document_key("a.yaml"), RULES.encode())
    world.now += timedelta(minutes=15)
    world.bucket.write(document_key("b.yaml"), RULES.encode())
    assert world.stale() is None
    world.now += timedelta(minutes=6)
    found = world.stale()
    assert found is not None
    assert (found.reason, found.since) == ("not_looked_at", uploaded)


@pytest.mark.parametrize(
    ("key", "data", "why"),
    [
        (ACTIVE_KEY, b'{"schema":9}', "active.json is not what compile_rules writes"),
        ("bundle", None, "which is not there"),
        ("bundle", b'{"schema":1', "cut off, or overwritten"),
    ],
    ids=["another version", "no bundle", "half a bundle"],
)
def test_rules_that_no_function_can_take_are_stale(world: World, key: str, data: bytes | None, why: str) -> None:
    world.publish()
    stored = world.bucket.read(ACTIVE_KEY)
    assert stored is not None
    place = bundle_key(Active.decode(stored.data).digest) if key == "bundle" else key
    world.bucket.write(place, data) if data is not None else world.bucket.delete(place)

    (alert,) = world.look().alerts
    assert alert.labels["reason"] == "not_taken"
    assert alert.labels["bucket"] == "rules-bucket"
    assert why in alert.annotations["message"]
    # compile_rules mends it at its next look.
    world.compile()
    assert world.look().alerts == []


def test_a_bundle_of_another_version_is_not_taken(world: World) -> None:
    bundle = b'{"schema":999}'
    world.bucket.write(bundle_key("d"), bundle)
    world.bucket.write(ACTIVE_KEY, Active("d", hashlib.sha256(bundle).hexdigest(), NOW).encode())
    found = world.stale()
    assert found is not None
    assert found.reason == "not_taken"


def test_rules_that_are_being_written_are_not_stale(world: World) -> None:
    world.publish()
    stored = world.bucket.read(ACTIVE_KEY)
    assert stored is not None
    key = bundle_key(Active.decode(stored.data).digest)
    bundle = world.bucket.read(key)
    assert bundle is not None
    world.bucket.write(key, b"half")

    def finish(request: str, read: str) -> None:
        """Between the first look at the bundle and the second, the writer comes to its end."""
        if (request, read) == ("read", key):
            looks.append(read)
            if len(looks) == 2:
                world.bucket.before = lambda request, key: None
                world.bucket.write(key, bundle.data)

    looks: list[str] = []
    world.bucket.before = finish
    assert world.stale() is None
    assert len(looks) == 2


def test_the_alert_about_a_silence_names_any_length_of_time() -> None:
    from auditwire.clusters.silence import Silence

    lengths = {300: "5 min", 5_400: "90 min", 7_200: "2 h", 86_400: "1 d", 333: "333 s"}
    for seconds, text in lengths.items():
        silence = Silence(cluster="prod", seconds=seconds, since=None)
        assert cluster_silent(silence, NOW).annotations["message"].endswith(f"as silent after {text}.")
