"""Publishing: packed within SNS's limits, repeated within the deadline, and nothing lost without being named."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from auditwire.alerts import Alert, MemoryPublisher, Published, SnsPublisher, fold
from auditwire.alerts.message import message_of
from clocks import Clock
from occurrences import occurrence, rule_of
from waiting import HANG_SECONDS

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


def alerts(number: int, **rule: Any) -> list[Alert]:
    one_each = rule_of(alert="distinct", **rule)
    return fold([occurrence(at, rule=one_each) for at in range(number)], cluster="prod", bundle="b")


@dataclass
class Topic:
    """A client whose publish_batch takes everything but what it is told to refuse; remembers what it took."""

    answers: list[Any] = field(default_factory=list)
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def publish_batch(self, **request: Any) -> dict[str, Any]:
        assert request["TopicArn"] == TOPIC
        entries = request["PublishBatchRequestEntries"]
        self.requests.append(entries)
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        failed = [{"Id": entry["Id"], **answer[entry["Id"]]} for entry in entries if entry["Id"] in answer]
        self.taken += [text_of(entry) for entry in entries if entry["Id"] not in answer]
        return {"Successful": [], "Failed": failed}


def text_of(entry: dict[str, Any]) -> str:
    """What a queue gets that is subscribed."""
    assert entry["MessageStructure"] == "json"
    return str(json.loads(entry["Message"])["default"])


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PublishBatch")


THROTTLED = {"Code": "ThrottledException", "SenderFault": False, "Message": "slow down"}
INVALID = {"Code": "InvalidParameter", "SenderFault": True, "Message": "Invalid parameter: Message"}


def publisher(topic: Topic, clock: Clock) -> SnsPublisher:
    client: Any = topic
    return SnsPublisher(client, TOPIC, clock, clock.sleep)


def size(entries: list[dict[str, Any]]) -> int:
    def of(entry: dict[str, Any]) -> int:
        attributes = entry["MessageAttributes"].items()
        parts = [
            entry["Message"],
            entry["Subject"],
            *(name + one["DataType"] + one["StringValue"] for name, one in attributes),
        ]
        return len("".join(parts).encode())

    return sum(map(of, entries))


def test_nothing_to_publish_asks_nobody() -> None:
    topic = Topic()
    assert publisher(topic, Clock()).publish([], 200) == Published()
    assert topic.requests == []


def test_alerts_go_ten_to_a_request() -> None:
    topic = Topic()
    assert publisher(topic, Clock()).publish(alerts(25), 200) == Published(sent=25)
    assert [len(request) for request in topic.requests] == [10, 10, 5]
    assert [json.loads(message)["auditwire"]["auditIDs"] for message in topic.taken] == [
        [f"id-{number}"] for number in range(25)
    ]


def test_large_alerts_go_fewer_to_a_request_so_that_all_fit_attributes_included() -> None:
    topic = Topic()
    big = {f"n{number}": "ü" * 1_000 for number in range(30)}
    assert publisher(topic, Clock()).publish(alerts(20, annotations=big), 200).sent == 20
    sizes = [size(request) for request in topic.requests]
    assert max(sizes) <= 250_000
    assert len(topic.requests) == 7, "as few as fit: three of 65 kB each"


def test_many_requests_go_side_by_side() -> None:
    # Nobody gets past the barrier alone.
    together = threading.Barrier(8, timeout=HANG_SECONDS)

    class Slow(Topic):
        def publish_batch(self, **request: Any) -> dict[str, Any]:
            together.wait()
            return super().publish_batch(**request)

    topic = Slow()
    given = alerts(160)

    assert publisher(topic, Clock()).publish(given, 200) == Published(sent=160)
    assert sorted(topic.taken) == sorted(message_of(alert).body for alert in given)


def test_what_fails_among_many_requests_is_named_in_order() -> None:
    topic = Topic(answers=[error("ThrottledException")] * 100)
    given = alerts(45)

    assert publisher(topic, Clock()).publish(given, 100).failed == given


def test_what_was_throttled_is_sent_again_and_nothing_else() -> None:
    topic, clock = Topic([{"1": THROTTLED, "3": THROTTLED}, {"0": THROTTLED}]), Clock()
    assert publisher(topic, clock).publish(alerts(5), 200) == Published(sent=5)
    assert [len(request) for request in topic.requests] == [5, 2, 1]
    assert len(set(topic.taken)) == len(topic.taken) == 5
    assert clock.waits == [0.05, 0.1]


def test_what_is_still_waiting_at_the_deadline_is_named() -> None:
    batch = alerts(3)
    topic, clock = Topic([{"1": THROTTLED}] + [{"0": THROTTLED}] * 99), Clock()
    published = publisher(topic, clock).publish(batch, 101)
    assert published == Published(sent=2, failed=[batch[1]])
    assert clock.waits == [0.05, 0.1, 0.2, 0.4], "the next request would begin too late"


def test_a_message_refused_as_invalid_is_kept_aside_and_never_repeated() -> None:
    batch = alerts(3)
    topic, clock = Topic([{"1": INVALID}]), Clock()
    assert publisher(topic, clock).publish(batch, 200) == Published(sent=2, refused=[batch[1]])
    assert len(topic.requests) == 1


@pytest.mark.parametrize("code", ["KMSThrottling", "AuthorizationError", "NotFound", "ThrottlingException"])
def test_a_senders_fault_that_is_not_the_messages_is_repeated(code: str) -> None:
    topic = Topic([{"0": {"Code": code, "SenderFault": True, "Message": ""}}])
    assert publisher(topic, Clock()).publish(alerts(1), 200) == Published(sent=1)


def test_a_whole_request_refused_for_one_message_finds_that_one() -> None:
    batch = alerts(4)
    invalid = error("InvalidParameter")
    topic = Topic([invalid, {}, {}, invalid, {}])
    assert publisher(topic, Clock()).publish(batch, 200) == Published(sent=3, refused=[batch[2]])
    assert [len(request) for request in topic.requests] == [4, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "failure",
    [error("InternalError"), error("Throttling"), error("AuthorizationError"), ReadTimeoutError(endpoint_url="x")],
    ids=["internal", "throttled", "denied", "timeout"],
)
def test_a_request_that_failed_is_repeated_whole(failure: Exception) -> None:
    topic = Topic([failure])
    assert publisher(topic, Clock()).publish(alerts(3), 200) == Published(sent=3)
    assert [len(request) for request in topic.requests] == [3, 3]


def test_a_topic_that_is_down_fails_everything_within_the_deadline() -> None:
    batch = alerts(25)
    topic, clock = Topic([error("InternalError")] * 999), Clock()
    assert publisher(topic, clock).publish(batch, 101) == Published(failed=batch)


def test_a_topic_that_hangs_is_given_up_after_the_request_that_passes_the_deadline() -> None:
    batch = alerts(25)
    clock = Clock()

    class Hanging(Topic):
        def publish_batch(self, **request: Any) -> dict[str, Any]:
            clock.now += 1.0
            self.requests.append([])
            raise ReadTimeoutError(endpoint_url="x")

    topic = Hanging()
    assert publisher(topic, clock).publish(batch, 101.2) == Published(failed=batch)
    assert clock.now == 102
    assert len(topic.requests) == 2


def test_after_the_deadline_one_request_is_made_and_no_other() -> None:
    batch = alerts(25)
    late = Clock(now=500)
    working = Topic()
    assert publisher(working, late).publish(batch, 100) == Published(sent=10, failed=batch[10:])
    down = Topic([error("InternalError")] * 9)
    assert publisher(down, late).publish(batch, 100) == Published(failed=batch)
    assert len(down.requests) == 1
    assert late.waits == []


def test_messages_that_were_made_before_are_published_as_they_are() -> None:
    batch = alerts(3)
    messages = [message_of(alert) for alert in batch]
    topic = Topic([{"1": INVALID}])
    assert publisher(topic, Clock()).publish_messages(messages, 200) == Published(sent=2, refused=[messages[1]])
    again = Topic()
    publisher(again, Clock()).publish(batch, 200)
    first, _, last = again.requests[0]
    assert [text_of(entry) for entry in topic.requests[0]] == [message.body for message in messages]
    assert topic.taken == [text_of(first), text_of(last)]
    assert topic.requests[0] == again.requests[0]


def test_in_memory_everything_is_taken() -> None:
    memory = MemoryPublisher()
    assert memory.publish(alerts(2), 0) == Published(sent=2)
    assert len(memory.alerts) == 2


def test_the_real_client_and_a_queue_behind_the_topic_with_a_filter() -> None:
    with mock_aws():
        sns, sqs = boto3.client("sns", "eu-central-1"), boto3.client("sqs", "eu-central-1")
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint="arn:aws:sqs:eu-central-1:123456789012:alerts",
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": '{"namespace": ["default"]}'},
        )
        batch = fold(
            [occurrence(), occurrence(objectRef=occurrence().event.objectRef.__class__(resource="nodes", name="ünï"))],
            cluster="prod",
            bundle="b",
        )
        assert SnsPublisher(sns, topic).publish(batch, 0).sent == 2
        (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert json.loads(message["Body"])["labels"]["namespace"] == "default"
