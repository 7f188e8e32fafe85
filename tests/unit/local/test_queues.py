"""moto's queues under several threads, and deep."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto.sqs import models

from auditwire_local.sandbox import ACCOUNT, sandbox


@pytest.fixture
def sqs() -> Iterator[Any]:
    with sandbox("us-east-1", "127.0.0.1", 0):
        yield boto3.client("sqs")


def test_nothing_is_deleted_while_a_message_is_being_added(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="first")
    [first] = sqs.receive_message(QueueUrl=url)["Messages"]
    queue = models.sqs_backends[ACCOUNT]["us-east-1"].queues["q"]
    with ThreadPoolExecutor(1) as threads:
        # What moto does while it adds a message.
        with queue._messages_lock:
            deleted = threads.submit(sqs.delete_message, QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
            with pytest.raises(TimeoutError):
                deleted.result(0.3)
            sqs.send_message(QueueUrl=url, MessageBody="second")
        deleted.result(5)

    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["second"]


def test_a_deep_queue_hands_out_messages_as_quickly_as_a_shallow_one(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for _ in range(60):
        entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)

    began = time.process_time()
    for _ in range(5):
        assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 10

    # moto itself takes more than a second of processor time for this.
    assert time.process_time() - began < 0.5


def test_a_message_older_than_the_retention_period_is_not_handed_out(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")

    with pytest.MonkeyPatch.context() as patch:
        now = time.time()
        patch.setattr(time, "time", lambda: now + 61)
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
