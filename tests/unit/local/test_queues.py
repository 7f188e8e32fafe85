"""moto's queues under several threads, and deep."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto.sns.models import sns_backends
from moto.sqs import models

from auditwire_local.sandbox import ACCOUNT, sandbox
from waiting import HANG_SECONDS


@pytest.fixture
def sqs() -> Iterator[Any]:
    with sandbox("us-east-1", "127.0.0.1", 0):
        yield boto3.client("sqs")


class Watched:
    """A queue's lock that says when somebody else asks for it."""

    def __init__(self, lock: Any) -> None:
        self._lock, self._owner, self.asked_for = lock, threading.current_thread(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)

    def __enter__(self) -> None:
        if threading.current_thread() is not self._owner:
            self.asked_for.set()
        self._lock.__enter__()

    def __exit__(self, *error: object) -> None:
        self._lock.__exit__(*error)


def test_nothing_is_deleted_while_a_message_is_being_added(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="first")
    [first] = sqs.receive_message(QueueUrl=url)["Messages"]
    queue: Any = models.sqs_backends[ACCOUNT]["us-east-1"].queues["q"]
    queue._messages_lock = lock = Watched(queue._messages_lock)
    with ThreadPoolExecutor(1) as threads:
        # What moto does while it adds a message.
        with lock:
            deleted = threads.submit(sqs.delete_message, QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
            assert lock.asked_for.wait(HANG_SECONDS)
            assert not deleted.done()
            sqs.send_message(QueueUrl=url, MessageBody="second")
        deleted.result(HANG_SECONDS)

    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["second"]


def test_handing_out_a_message_does_not_work_out_all_about_the_queue(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for _ in range(3):
        entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)

    with patch.object(models.SQSBackend, "get_queue_attributes", side_effect=AssertionError) as worked_out:
        # moto itself does it for every message.
        assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 10
    assert worked_out.call_count == 0


def test_what_a_message_costs_does_not_grow_with_those_that_wait(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    queue: Any = models.sqs_backends[ACCOUNT]["us-east-1"].queues["q"]
    looked_at = 0

    class Counted(models.Message):
        """A message that counts how often somebody asks for its state."""

        def __getattribute__(self, name: str) -> Any:
            nonlocal looked_at
            looked_at += name in ("visible_at", "delayed_until", "receipt_handle")
            return super().__getattribute__(name)

    with patch.object(models, "Message", Counted):
        for number in range(300):
            sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sent, looked_at = looked_at, 0
    (first,) = sqs.receive_message(QueueUrl=url)["Messages"]
    looked_at = 0
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])

    assert sent < 10 * 300
    assert looked_at < 20
    assert len(queue._messages) == 299
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == "299"


def test_what_is_deleted_is_forgotten(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="x")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    queue: Any = models.sqs_backends[ACCOUNT]["us-east-1"].queues["q"]
    kept = weakref.ref(queue._messages[0])

    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    gc.collect()

    assert kept() is None
    assert not sns_backends[ACCOUNT]["us-east-1"].topics[topic].sent_notifications


def test_a_message_older_than_the_retention_period_is_not_handed_out(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")

    with pytest.MonkeyPatch.context() as patch:
        now = time.time()
        patch.setattr(time, "time", lambda: now + 61)
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
