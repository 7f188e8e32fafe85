"""What a stack is asked beside its archive, against the table, the metrics and the queues of moto."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditwire.bundles.rules_bucket import ACTIVE_KEY, RulesBucketError, bundle_key
from auditwire.bundles.rules_state import Active
from auditwire.clusters import Cluster, ClustersTable, Registration
from auditwire.ledger.reading import Counters
from auditwire.rules.pack import default_rule_set
from auditwire.senders.kind import SenderKind
from auditwire_console.errors import UnavailableError
from auditwire_console.stack import StackFacts
from auditwire_local.embedded_metrics import mended_metrics
from console_client import Console
from rules_publishing import World as Publishing
from rules_publishing import rule
from searched import Archive

NOW = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
HOUR = datetime(2026, 11, 22, 3, tzinfo=UTC)


@dataclass
class World:
    """A stack's parts, and the console's clock."""

    publishing: Publishing = field(default_factory=lambda: Publishing(a=rule("First")))
    seconds: float = 100.0
    now: datetime = NOW

    def __post_init__(self) -> None:
        given: Any = {"region_name": "eu-central-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.cloudwatch, self.s3 = boto3.client("cloudwatch", **given), boto3.client("s3", **given)
        self.sqs, self.dynamodb = boto3.client("sqs", **given), boto3.client("dynamodb", **given)
        where: Any = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket="archive", CreateBucketConfiguration=where)
        queues = [self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("alerts", "dead")]
        self.table = ClustersTable(self.dynamodb, "clusters")
        self.counters = Counters(self.cloudwatch, self.s3, self.sqs, "auditwire/test", "archive", *queues)
        self.facts = StackFacts(
            self.publishing.bucket, self.table, self.counters, lambda: self.now, lambda: self.seconds
        )

    def make_table(self) -> None:
        self.dynamodb.create_table(
            TableName="clusters",
            KeySchema=[{"AttributeName": "credential", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "credential", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def count(self, metric: str, service: str, value: float, when: datetime) -> None:
        dimensions: Any = [{"Name": "service", "Value": service}, {"Name": "cluster", "Value": "prod"}]
        datum: Any = {"MetricName": metric, "Dimensions": dimensions, "Value": value, "Timestamp": when}
        self.cloudwatch.put_metric_data(Namespace="auditwire/test", MetricData=[datum])


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws(), mended_metrics():
        yield World()


def names(rules: Any) -> list[str]:
    return [one.qualified for one in (*rules.archiving, *rules.alerting)]


def test_before_anything_is_published_the_shipped_rules_decide(world: World) -> None:
    shipped = default_rule_set()

    found = world.facts.rules()

    assert found is not None
    assert found.digest == shipped.digest
    known = world.facts.rules_of(shipped.digest)
    assert known is not None
    assert names(known) == names(shipped)


def test_the_rules_in_force_are_read_anew_after_some_seconds(world: World) -> None:
    world.publishing.compile()
    first = world.facts.rules()
    world.publishing.bucket.write("rules/a.yaml", rule("Second"))
    world.publishing.later(60)
    world.publishing.compile()

    assert world.facts.rules() is first
    world.seconds += 5

    second = world.facts.rules()
    assert first is not None
    assert second is not None
    assert names(first) != names(second)
    # An event of before has been decided by those of before.
    assert world.facts.rules_of(first.digest) is first


def test_rules_that_cannot_be_read_are_not_known(world: World) -> None:
    world.publishing.compile()
    bucket = world.publishing.bucket
    stored = bucket.read(ACTIVE_KEY)
    assert stored is not None
    digest = Active.decode(stored.data).digest

    for key, data in ((ACTIVE_KEY, b"{}"), (bundle_key(digest), b"half")):
        kept = bucket.read(key)
        assert kept is not None
        bucket.write(key, data)
        world.seconds += 5
        assert world.facts.rules() is None
        bucket.write(key, kept.data)
    bucket.delete(bundle_key(digest))
    assert world.facts.rules_of(digest) is None

    def refuse(request: str, key: str) -> None:
        raise RulesBucketError(f"{key}: {request} is refused")

    bucket.before = refuse
    world.seconds += 5
    assert world.facts.rules() is None
    assert world.facts.rules_of("0" * 64) is None


def test_what_is_no_digest_asks_nobody(world: World) -> None:
    def refuse(request: str, key: str) -> None:
        raise AssertionError((request, key))

    world.publishing.bucket.before = refuse
    for digest in ("", "../active", "A" * 64, "0" * 63, f"{'0' * 64}\n"):
        assert world.facts.rules_of(digest) is None


def test_registered_clusters_are_listed_without_their_credentials(world: World) -> None:
    world.make_table()
    digest = "9f86d081" + "0" * 56
    world.table.add(Registration(credential=digest, cluster=Cluster("prod", SenderKind.KUBERNETES, {})))

    (one,) = world.facts.clusters()

    assert (one["cluster"], one["credential"], one["state"]) == ("prod", "9f86d081", "ok")
    assert digest not in str(one)


def test_the_ledger_is_of_the_last_day_or_of_an_hour_and_the_next(world: World) -> None:
    for hours in (0, 1, 2, 30):
        for metric in ("EventsReceived", "EventsArchived"):
            world.count(metric, "ingest", hours + 1, HOUR - timedelta(hours=hours))

    day = world.facts.ledger()
    around = world.facts.ledger(HOUR - timedelta(minutes=90))

    assert [(row["received"], row["settled"]) for row in day["rows"]] == [(3, True), (2, False), (1, False)]
    assert day["balances"] is True
    assert [row["hour"] for row in around["rows"]] == ["2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"]


def test_alerts_that_are_missing_are_looked_for_among_the_dead_letters(world: World) -> None:
    dead = world.counters.dead_letters
    world.sqs.send_message(QueueUrl=dead, MessageBody='{"labels": {"alertname": "A", "cluster": "prod"}}')
    (letter,) = world.sqs.receive_message(
        QueueUrl=dead, VisibilityTimeout=0, MessageSystemAttributeNames=["SentTimestamp"]
    )["Messages"]
    sent = datetime.fromtimestamp(int(letter["Attributes"]["SentTimestamp"]) / 1000, UTC)
    world.count("AlertsPublished", "ingest", 3, sent)
    world.now = sent

    (row,) = world.facts.ledger()["rows"]

    assert (row["published"], row["dead_lettered"], row["missing_alerts"]) == (3, 1, 2)


def test_what_cannot_be_read_is_said(world: World) -> None:
    with pytest.raises(UnavailableError, match=r"the registered clusters cannot be read: .*ResourceNotFound"):
        world.facts.clusters()
    world.s3.delete_bucket(Bucket="archive")
    with pytest.raises(UnavailableError, match=r"the ledger cannot be read: .*NoSuchBucket"):
        world.facts.ledger()
    console = Console(Archive().store, clusters=world.facts.clusters, ledger=world.facts.ledger)
    for path in ("/api/clusters", "/api/ledger"):
        response = console.get(path)
        assert response.status_code == 502
        assert "cannot be read" in response.json()["problem"]
