"""The poller does what an event source mapping does: batches, partial failures, redrive, a last effort at the end."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import boto3
import pytest
from moto.sqs import models

from auditwire_local.errors import InvocationError
from auditwire_local.poller import EventSourceMapping, Poller
from auditwire_local.sandbox import sandbox
from clocks import Clock
from waiting import HANG_SECONDS, until

VISIBILITY_SECONDS = 30
Bodies = list[str]


class Function:
    """Stands for the polled function: remembers what it got, answers as told."""

    def __init__(self) -> None:
        self.calls: list[list[Mapping[str, Any]]] = []
        self.clock = Clock(time.time())
        self.seconds = 0.0
        """How long it takes: what it was given and did not deliver may be back by then."""
        self.answer: Callable[[list[Mapping[str, Any]]], Any] = lambda records: {"batchItemFailures": []}

    def __call__(self, event: Mapping[str, Any]) -> Any:
        self.calls.append(event["Records"])
        self.clock.now += self.seconds
        return self.answer(event["Records"])

    @property
    def bodies(self) -> Bodies:
        return [record["body"] for records in self.calls for record in records]


class Queue:
    """A queue with its dead-letter queue, and a poller on it."""

    def __init__(self, function: Function) -> None:
        self.sqs = boto3.client("sqs")
        self.dead_letters = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012"
        self.url = self.sqs.create_queue(
            QueueName="queue",
            Attributes={"RedrivePolicy": f'{{"deadLetterTargetArn":"{arn}:dead","maxReceiveCount":2}}'},
        )["QueueUrl"]
        self.mapping = EventSourceMapping(
            function="relay",
            queue_url=self.url,
            queue_arn=f"{arn}:queue",
            region="us-east-1",
            batch_size=12,
            window_seconds=0,
            visibility_seconds=VISIBILITY_SECONDS,
            reports_failures=True,
        )
        self.seen: list[Mapping[str, Any]] = []
        self.troubles: list[BaseException | None] = []
        self.poller = Poller(
            self.sqs, self.mapping, function, seen=self.seen.extend, trouble=self._trouble, clock=function.clock
        )

    def _trouble(self) -> None:
        self.troubles.append(sys.exception())

    def send(self, *bodies: str) -> None:
        for body in bodies:
            attributes: Any = {"rule": {"DataType": "String", "StringValue": "r"}}
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, MessageAttributes=attributes)

    def depth(self, url: str) -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def queue(function: Function, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    with sandbox("us-east-1", "127.0.0.1", 0):
        queue = Queue(function)
        # For moto, no two things happen in the same moment.
        ticks = count()
        monkeypatch.setattr(models, "unix_time_millis", lambda: function.clock() * 1000 + next(ticks) / 1000)
        queue.poller.start()
        yield queue
        queue.poller.drain(time.monotonic())


def _failing(*bodies: str) -> Callable[[list[Mapping[str, Any]]], Any]:
    def answer(records: list[Mapping[str, Any]]) -> Any:
        failed = [record["messageId"] for record in records if record["body"] in bodies]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    return answer


def test_a_message_arrives_as_lambdas_sqs_event_and_is_deleted(function: Function, queue: Queue) -> None:
    queue.send("hello")
    queue.poller.wake()
    until(lambda: bool(function.calls) and queue.depth(queue.url) == 0)

    [record] = function.calls[0]
    assert queue.seen == [record]
    assert (record["body"], record["eventSource"], record["awsRegion"]) == ("hello", "aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:queue"
    assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"] == {
        "rule": {"dataType": "String", "stringValue": "r", "stringListValues": [], "binaryListValues": []}
    }


def test_a_batch_holds_at_most_what_the_mapping_says(function: Function, queue: Queue) -> None:
    queue.send(*(str(number) for number in range(30)))
    until(lambda: queue.depth(queue.url) == 0)

    assert sorted(function.bodies, key=int) == [str(number) for number in range(30)]
    assert max(len(records) for records in function.calls) <= 12


def test_what_takes_longer_than_the_visibility_timeout_is_delivered_once(function: Function, queue: Queue) -> None:
    function.seconds = VISIBILITY_SECONDS + 1
    queue.send("slow")
    until(lambda: queue.depth(queue.url) == 0)
    queue.send("next")
    until(lambda: "next" in function.bodies and queue.depth(queue.url) == 0)

    assert function.bodies == ["slow", "next"]


def test_only_what_failed_comes_again_and_at_last_goes_to_the_dead_letters(function: Function, queue: Queue) -> None:
    function.seconds = VISIBILITY_SECONDS + 1
    function.answer = _failing("bad")
    queue.send("good", "bad")
    until(lambda: queue.depth(queue.dead_letters) == 1)

    assert sorted(function.bodies) == ["bad", "bad", "good"]
    assert queue.depth(queue.url) == 0


@pytest.mark.parametrize(
    "report",
    [
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": ["x"]},
    ],
    ids=["unknown message", "empty", "no object"],
)
def test_a_report_that_makes_no_sense_fails_the_batch(function: Function, queue: Queue, report: Any) -> None:
    function.seconds = VISIBILITY_SECONDS + 1
    function.answer = lambda records: report
    queue.send("a")
    until(lambda: queue.depth(queue.dead_letters) == 1)

    assert function.bodies == ["a", "a"]


@pytest.mark.parametrize("report", [None, {}, {"batchItemFailures": None}, "fine"])
def test_a_report_of_nothing_is_success(function: Function, queue: Queue, report: Any) -> None:
    function.answer = lambda records: report
    queue.send("a")
    until(lambda: bool(function.calls) and queue.depth(queue.url) == 0)

    assert function.bodies == ["a"]


def test_a_function_that_raises_fails_the_batch(function: Function, queue: Queue) -> None:
    function.seconds = VISIBILITY_SECONDS + 1

    def answer(records: list[Mapping[str, Any]]) -> Any:
        raise InvocationError("broken")

    function.answer = answer
    queue.send("a")
    until(lambda: queue.depth(queue.dead_letters) == 1)

    assert function.bodies == ["a", "a"]


def test_the_poller_goes_on_whatever_happens(function: Function, queue: Queue) -> None:
    function.seconds = VISIBILITY_SECONDS + 1

    def answer(records: list[Mapping[str, Any]]) -> Any:
        raise RuntimeError("nobody foresaw this")

    function.answer = answer
    queue.send("a")
    until(lambda: queue.depth(queue.dead_letters) == 1)
    function.answer = lambda records: None
    queue.send("b")
    until(lambda: queue.depth(queue.url) == 0)

    assert function.bodies == ["a", "a", "b"]
    assert [str(trouble) for trouble in queue.troubles] == ["nobody foresaw this"] * 2


def test_the_end_delivers_what_is_there_and_what_failed_before(function: Function, queue: Queue) -> None:
    function.answer = _failing("late")
    queue.send("late")
    until(lambda: bool(function.calls))
    function.answer = lambda records: None
    queue.send("new")

    assert queue.poller.drain(time.monotonic() + HANG_SECONDS) == 0
    assert sorted(function.bodies) == ["late", "late", "new"]


def test_the_end_does_not_wait_longer_than_it_may(function: Function, queue: Queue) -> None:
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": ""})
    function.answer = _failing("never")
    queue.send("never")
    until(lambda: bool(function.calls))

    assert queue.poller.drain(time.monotonic()) == 1
    # The message is never taken.
    until(lambda: not queue.poller._thread.is_alive())
