"""For every alarm a fault that rings it, and a quiet day that does not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from alarms import Points, rings_at
from alertmanagers import alertmanager, always
from auditwire.alerts import AlertmanagerPeer, MemoryDeadLetters, SqsDeadLetters
from auditwire.alerts.dead_letter_counts import MAX_LOOKED_AT, DeadLetterCounts, count_dead_letters
from auditwire.alerts.dead_letters import NO_RECEIVER, REFUSED
from auditwire.alerts.redrive import peek
from auditwire.alerts.relay import relay
from template import of_type, source

ALARMS: Final = of_type(source(), "AWS::CloudWatch::Alarm")
DAY: Final = 86_400.0
START: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def every(seconds: float, value: float, until: float = DAY) -> Points:
    return [(at, value) for at in range(0, int(until), int(seconds))]


def once(value: float) -> Points:
    return [(DAY / 2, value)]


RUNS: Final = every(60, 1)
HOURLY: Final = every(3_600, 1)
# What is measured while something is wrong, and on a quiet day (nothing at all where a metric only comes with trouble).
CASES: Final[Mapping[str, tuple[Points, Points]]] = {
    "QueueAgeAlarm": (every(60, 901), every(60, 2)),
    "OldestAlertAlarm": (every(180, 1_080), every(60, 0)),
    "DeadLettersAlarm": (every(300, 1), every(300, 0)),
    "NoReceiversAlarm": (every(300, 1), every(300, 0)),
    "DeadLetterAgeAlarm": (every(300, 10 * DAY + 1), every(300, 0)),
    "LostNotificationsAlarm": (once(1), []),
    "PeerFailuresAlarm": (every(60, 1), every(60, 0)),
    "RelayErrorsAlarm": (once(1), every(60, 0)),
    "IngestErrorsAlarm": (once(1), every(60, 0)),
    "CompileRulesErrorsAlarm": (once(1), every(300, 0)),
    "PublishOutboxErrorsAlarm": (once(1), every(60, 0)),
    "WatchErrorsAlarm": (once(1), every(300, 0)),
    "WatchStoppedAlarm": ([], every(300, 1)),
    "PublishOutboxStoppedAlarm": ([], RUNS),
    "OutboxAgeAlarm": (every(60, 601), every(60, 0)),
    "RefusedAlertsAlarm": (every(60, 1), every(60, 0)),
    "IngestThrottlesAlarm": (once(1), every(60, 0)),
    "RelayThrottlesAlarm": (once(1), every(60, 0)),
    "RulesAgeAlarm": (every(60, 601), every(60, 29)),
    "ClustersReadsAlarm": (once(1), []),
    "ClustersWritesAlarm": (once(1), []),
    "ArchiveWritesAlarm": (once(1), []),
    "AuditIdIndexWritesAlarm": (once(1), []),
    "UserIndexWritesAlarm": (once(1), []),
    "ObjectIndexWritesAlarm": (once(1), []),
    "ServerErrorsAlarm": (once(1), every(60, 0)),
    "ClientErrorsAlarm": (every(10, 1), every(60, 1)),
    "ThrottledRequestsAlarm": (once(1), []),
    "TooLargeRequestsAlarm": (once(1), []),
    # kube-apiserver tries a batch five times; a test with an old credential tries once.
    "EndedCredentialAlarm": ([(at, 1) for at in (0, 10, 30, 60, 100)], [(0, 1), (600, 1), (700, 1)]),
    "LostDeliveriesAlarm": (once(1), []),
    "ImportRefusedAlarm": (every(300, 1), every(300, 0)),
    "ImportObjectsErrorsAlarm": (once(1), every(300, 0)),
    "UndeliveredAgeAlarm": (every(300, 5 * DAY), every(300, 0)),
    "SubscribeEksErrorsAlarm": (once(1), every(300, 0)),
    # A search that is refused now and then is none.
    "ConsoleErrorsAlarm": (every(60, 1, 300), every(1_800, 1)),
    "SealErrorsAlarm": (once(1), HOURLY[:0]),
    "SealBehindAlarm": (every(3_600, 10_801), every(3_600, 4_000)),
    "ExportBehindAlarm": (every(3_600, 10_801), every(3_600, 0)),
    "SealStoppedAlarm": ([], HOURLY),
}


def test_no_alarm_is_left_out() -> None:
    assert set(CASES) == set(ALARMS)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_fault_rings_it_and_a_quiet_day_does_not(name: str) -> None:
    fault, quiet = CASES[name]
    assert rings_at(ALARMS[name], fault, DAY) is not None
    assert rings_at(ALARMS[name], quiet, DAY) is None


def test_an_alertmanager_that_is_down_for_an_hour_is_seen_by_the_relay_and_not_by_sqs() -> None:
    """SQS counts a message among the oldest until it was received three times; the relay takes it every three
    minutes."""
    of_sqs: list[tuple[float, float]] = []
    of_relay: list[tuple[float, float]] = []
    record = {
        "messageId": "m",
        "body": json.dumps({"labels": {"alertname": "a"}}),
        "attributes": {"SentTimestamp": str(int(START.timestamp() * 1_000))},
    }
    visibility = source()["Resources"]["AlertsQueue"]["Properties"]["VisibilityTimeout"]
    with alertmanager(always(503)) as down:
        for receipts, seconds in enumerate(range(0, 3_600, visibility), 1):
            done = relay(
                {"Records": [record]},
                peers=[AlertmanagerPeer(down.url)],
                dead_letters=MemoryDeadLetters(),
                ttl=timedelta(minutes=15),
                seconds=5,
                now=partial(START.__add__, timedelta(seconds=seconds)),
            )
            assert done.failed_ids == ("m",)
            of_relay.append((seconds, done.oldest_seconds))
            of_sqs.append((seconds, seconds if receipts < 3 else 0))

    assert rings_at(ALARMS["QueueAgeAlarm"], of_sqs, 3_600) is None
    rung = rings_at(ALARMS["OldestAlertAlarm"], of_relay, 3_600)
    assert rung is not None
    assert rung <= 1_200
    # A queue that nobody takes from is what SQS does see.
    assert rings_at(ALARMS["QueueAgeAlarm"], [(at, at) for at in range(0, 3_600, 60)], 3_600) is not None


def test_what_was_delivered_or_set_aside_has_no_age() -> None:
    old = {"SentTimestamp": str(int((START - timedelta(days=3)).timestamp() * 1_000))}
    bodies = [json.dumps({"labels": {"alertname": "a"}}), "no alert"]
    records = [{"messageId": str(at), "body": body, "attributes": old} for at, body in enumerate(bodies)]
    with alertmanager() as up:
        done = relay(
            {"Records": records},
            peers=[AlertmanagerPeer(up.url)],
            dead_letters=MemoryDeadLetters(),
            ttl=timedelta(minutes=15),
            seconds=5,
            now=lambda: START,
        )
    assert (done.delivered, done.dead_lettered, done.oldest_seconds) == (1, 1, 0.0)


@dataclass
class Queue:
    client: Any
    url: str

    def die(self, name: str, reason: str | None) -> None:
        """A message as the relay sends it there, or without a reason as SQS moves it."""
        body = json.dumps({"labels": {"alertname": name}})
        if reason is None:
            self.client.send_message(QueueUrl=self.url, MessageBody=body)
        else:
            SqsDeadLetters(lambda: self.client, self.url).send(body, reason, "")

    def counts(self, now: datetime | None = None) -> DeadLetterCounts:
        return count_dead_letters(self.client, self.url, now or datetime.now(UTC), wait=0)


@pytest.fixture
def queue() -> Iterator[Queue]:
    with mock_aws():
        client = boto3.client("sqs", "eu-central-1")
        yield Queue(client, client.create_queue(QueueName="dead-letters")["QueueUrl"])


def test_dead_letters_without_a_receiver_are_counted_apart(queue: Queue) -> None:
    assert queue.counts() == DeadLetterCounts()
    for reason in (NO_RECEIVER, NO_RECEIVER, REFUSED, None):
        queue.die("a", reason)
    counts = queue.counts()
    assert (counts.letters, counts.without_receiver) == (2, 2)
    # Nobody finds fewer because of it.
    assert len(peek(queue.client, queue.url, 10, wait=0)) == 4


def test_the_age_of_a_dead_letter_does_not_depend_on_who_looked(queue: Queue) -> None:
    queue.die("old", REFUSED)
    later = datetime.now(UTC) + timedelta(days=11)
    for _ in range(4):
        assert queue.counts(later).oldest_seconds == pytest.approx(11 * DAY, abs=60)


def test_letters_beyond_those_looked_at_count_as_gone_wrong() -> None:
    class Many:
        """A queue of more letters than are looked at, none of which has a receiver."""

        numbers = count()

        def get_queue_attributes(self, **_: Any) -> Any:
            return {"Attributes": {"ApproximateNumberOfMessages": str(MAX_LOOKED_AT + 500)}}

        def receive_message(self, **asked: Any) -> Any:
            return {
                "Messages": [
                    {
                        "MessageId": str(next(self.numbers)),
                        "Body": "{}",
                        "ReceiptHandle": "r",
                        "Attributes": {"SentTimestamp": "1"},
                        "MessageAttributes": {"reason": {"DataType": "String", "StringValue": NO_RECEIVER}},
                    }
                    for _ in range(asked["MaxNumberOfMessages"])
                ]
            }

        def change_message_visibility_batch(self, **_: Any) -> Any:
            return {}

    many: Any = Many()
    counts = count_dead_letters(many, "https://queue", START)
    assert (counts.letters, counts.without_receiver) == (500, MAX_LOOKED_AT)


def test_without_a_queue_nothing_is_asked() -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise ClientError({"Error": {"Code": "InvalidAddress", "Message": ""}}, "GetQueueAttributes")

    client: Any = type("Client", (), {"get_queue_attributes": staticmethod(refuse)})()
    assert count_dead_letters(client, "", START) == DeadLetterCounts()
