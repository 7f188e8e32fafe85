"""moto's queues under several threads, and deep."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from auditwire_local.sandbox import sandbox


@pytest.fixture
def sqs() -> Iterator[Any]:
    with sandbox("us-east-1", "127.0.0.1", 0):
        yield boto3.client("sqs")


def test_no_message_is_lost_while_others_are_deleted(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sent = [f"{thread}-{number}" for thread in range(4) for number in range(50)]
    received: list[str] = []

    def send(thread: int) -> None:
        for number in range(50):
            sqs.send_message(QueueUrl=url, MessageBody=f"{thread}-{number}")

    deadline = time.monotonic() + 20
    with ThreadPoolExecutor(4) as threads:
        senders = [threads.submit(send, thread) for thread in range(4)]
        while len(received) < len(sent) and time.monotonic() < deadline:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                received.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        for sender in senders:
            sender.result()

    assert sorted(received) == sorted(sent)


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
