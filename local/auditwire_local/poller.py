"""Does what Lambda's event source mapping does: it calls a function with the messages of a queue.

moto would take the messages and drop them. So this thread replaces it, with the settings of the deployed mapping.
"""

import contextlib
import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditwire_local.errors import FunctionError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

Invoke = Callable[[Mapping[str, Any]], Any]
Seen = Callable[[Sequence[Mapping[str, Any]]], None]
Trouble = Callable[[], None]
"""Called while an unexpected exception is being handled."""

_IDLE_SECONDS = 0.25
_HIDDEN_SECONDS = 900
"""While the function runs nobody else gets a message, however slow this machine is: AWS takes no visibility
timeout that is shorter than the function's, and none runs longer."""
_AT_ONCE = 10
"""The number of messages that SQS hands out, or deletes, in one call."""


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """A deployed event source mapping: the queue that is polled, the function, and how much goes into one call."""

    function: str
    """The name or ARN of the function, possibly with a qualifier."""
    queue_url: str
    queue_arn: str
    region: str
    batch_size: int
    window_seconds: float
    visibility_seconds: int
    """The seconds from receiving a message until it appears again, if it was not delivered."""
    reports_failures: bool


class Poller:
    """Polls until it is stopped; ``wake`` makes it look at the queue at once."""

    def __init__(
        self,
        sqs: "SQSClient",
        mapping: EventSourceMapping,
        invoke: Invoke,
        *,
        seen: Seen,
        trouble: Trouble,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sqs = sqs
        self._mapping = mapping
        self._invoke = invoke
        self._seen = seen
        self._trouble = trouble
        self._clock = clock
        self._visibility = mapping.visibility_seconds
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._deadline = float("inf")
        self._held: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)

    @property
    def queue_url(self) -> str:
        """The queue that is polled."""
        return self._mapping.queue_url

    def start(self) -> None:
        """Poll, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue now, because something was published."""
        self._wake.set()

    def drain(self, deadline: float) -> int:
        """Deliver what is in the queue, also what failed before, and stop. Returns the number of messages left.
        ``deadline`` is a value of time.monotonic()."""
        self._deadline = deadline
        self._ending.set()
        self._wake.set()
        self._thread.join(max(0.0, deadline - time.monotonic()) + 1.0)
        return self._waiting()

    def _run(self) -> None:
        while not self._ending.is_set():
            if not self._try_poll(self._mapping.window_seconds):
                self._wake.wait(_IDLE_SECONDS)
                self._wake.clear()
        for handle in self._held.values():
            # What Alertmanager did not take is tried again while there is time. Meanwhile it may be gone.
            with contextlib.suppress(self._sqs.exceptions.ClientError):
                self._sqs.change_message_visibility(
                    QueueUrl=self._mapping.queue_url, ReceiptHandle=handle, VisibilityTimeout=0
                )
        self._visibility = 1
        while time.monotonic() < self._deadline and self._waiting():
            if not self._try_poll(0):
                time.sleep(0.1)

    def _try_poll(self, window: float) -> bool:
        """Poll like a service that goes on whatever happens."""
        try:
            return self._poll(window)
        except Exception:  # noqa: BLE001 - a message that breaks the poller must not stop every other
            self._trouble()
            return False

    def _poll(self, window: float) -> bool:
        """Receive one batch and give it to the function. Returns whether there was one."""
        received = self._clock()
        messages = self._receive(window)
        if not messages:
            return False
        records = [_record(message, self._mapping) for message in messages]
        self._seen(records)
        failed = {record["messageId"] for record in records}
        try:
            failed = self._failed(records)
        finally:
            self._give_back([message for message in messages if message["MessageId"] in failed], received)
        done = [message["ReceiptHandle"] for message in messages if message["MessageId"] not in failed]
        for message in messages:
            if message["MessageId"] not in failed:
                self._held.pop(message["MessageId"], None)
        for start in range(0, len(done), _AT_ONCE):
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": handle}
                for number, handle in enumerate(done[start : start + _AT_ONCE])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._mapping.queue_url, Entries=entries)
        return True

    def _give_back(self, messages: "list[MessageTypeDef]", received: float) -> None:
        """Let messages appear again when the mapping's visibility timeout, counted from ``received``, is over."""
        left = max(0, math.ceil(self._visibility - (self._clock() - received)))
        for message in messages:
            self._held[message["MessageId"]] = handle = message["ReceiptHandle"]
            self._sqs.change_message_visibility(
                QueueUrl=self._mapping.queue_url, ReceiptHandle=handle, VisibilityTimeout=left
            )

    def _receive(self, window: float) -> "list[MessageTypeDef]":
        messages: list[MessageTypeDef] = []
        until = None
        while (room := self._mapping.batch_size - len(messages)) > 0:
            more = self._sqs.receive_message(
                QueueUrl=self._mapping.queue_url,
                MaxNumberOfMessages=min(room, _AT_ONCE),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                VisibilityTimeout=max(self._visibility, _HIDDEN_SECONDS),
            ).get("Messages", [])
            messages += more
            if messages and until is None:
                until = time.monotonic() + window
            if not more:
                if until is None or time.monotonic() >= until or self._ending.is_set():
                    break
                time.sleep(0.05)
        return messages

    def _failed(self, records: Sequence[Mapping[str, Any]]) -> set[str]:
        """The messages that go back to the queue. As on AWS, a report that makes no sense fails the whole batch."""
        everything = {record["messageId"] for record in records}
        try:
            result = self._invoke({"Records": records})
        except FunctionError:
            return everything
        if not self._mapping.reports_failures or not result:
            return set()
        failures = result.get("batchItemFailures") if isinstance(result, dict) else None
        return _reported(failures or [], everything)

    def _waiting(self) -> int:
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._mapping.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(value) for value in attributes.values())


def _reported(failures: Iterable[Any], everything: set[str]) -> set[str]:
    failed = {failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures}
    return {str(identifier) for identifier in failed} if failed <= everything else everything


def _record(message: "MessageTypeDef", mapping: EventSourceMapping) -> dict[str, Any]:
    """A received message, as it is in Lambda's SQS event."""
    body = message["Body"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": body,
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody") or hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": mapping.region,
    }
