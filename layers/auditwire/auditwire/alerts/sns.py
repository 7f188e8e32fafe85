"""Publishing alerts to the SNS topic, packed into as few requests as its limits allow."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.message import Message, message_of
from auditwire.aws.attempts import attempts, side_by_side
from auditwire.aws.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

    from auditwire.alerts.alert import Alert

MAX_ENTRIES: Final = 10
MAX_REQUEST_BYTES: Final = 250_000
"""Bytes of all messages of a request and their attributes. SNS refuses a request of more than 262,144 as a whole."""

# A whole request refused with one of these holds a message that SNS will never take.
_MESSAGE_AT_FAULT: Final = frozenset(
    ("BatchRequestTooLong", "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError")
)
# An entry's failure is the sender's fault by its own flag, unless it speaks of rights, keys, rate or the topic.
_ROAD_AT_FAULT: Final = ("AccessDenied", "Authorization", "KMS", "Kms", "NotFound", "Throttl", "Token")


_Item = TypeVar("_Item")
"""What is published and reported back: an alert, or a message made of one before."""


@dataclass(frozen=True, slots=True)
class Published(Generic[_Item]):
    """How publishing ended: how much SNS took, what it did not take in time, what it never will."""

    sent: int = 0
    failed: list[_Item] = field(default_factory=list)
    refused: list[_Item] = field(default_factory=list)


class Publisher(Protocol):
    """Where alerts are published."""

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> "Published[Alert]":
        """Publishes alerts until ``deadline``, in seconds of the publisher's clock. Raises nothing of its own."""


@dataclass(slots=True)
class MemoryPublisher:
    """A publisher that keeps what it is given, for tests and for trying things."""

    alerts: "list[Alert]" = field(default_factory=list)

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> "Published[Alert]":
        """Keeps the alerts; no deadline is too short for that."""
        del deadline
        self.alerts += alerts
        return Published(sent=len(alerts))


@dataclass(frozen=True, slots=True)
class _BatchEntry(Generic[_Item]):
    item: _Item
    message: Message
    size: int


class SnsPublisher:
    """A Publisher to one topic, a few requests side by side. ``clock`` gives seconds since the epoch, ``sleep`` waits
    seconds between attempts.

    Timeouts and retries of a single request are the client's own.
    """

    def __init__(
        self,
        client: "SNSClient",
        topic_arn: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._clock = clock
        self._sleep = sleep

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> "Published[Alert]":
        """Publishes all alerts, repeats what SNS did not take until ``deadline``, and says what became of each.

        The first request is made even after the deadline, no other one is. An alert refused as invalid is never
        repeated.
        """
        return self._publish([_entry(alert, message_of(alert)) for alert in alerts], deadline)

    def publish_messages(self, messages: Sequence[Message], deadline: float) -> Published[Message]:
        """The same for messages that were made before."""
        return self._publish([_entry(message, message) for message in messages], deadline)

    def _publish(self, entries: list[_BatchEntry[_Item]], deadline: float) -> Published[_Item]:
        refused: list[_Item] = []
        waiting = entries
        for attempt in attempts(deadline, self._clock, self._sleep):
            # One request is made even after the deadline: anything else that could be done instead takes as long.
            waiting, invalid = self._round(waiting, deadline, least=1 if attempt == 0 else 0)
            refused += invalid
            if not waiting:
                break
        failed = [entry.item for entry in waiting]
        return Published(len(entries) - len(failed) - len(refused), failed, refused)

    def _round(
        self, entries: list[_BatchEntry[_Item]], deadline: float, least: int
    ) -> tuple[list[_BatchEntry[_Item]], list[_Item]]:
        """Sends all entries once, ``least`` requests even after the deadline: which are to be sent again, and what
        never."""
        # A storm of alerts is fifty requests, and one after the other they would not be done in time.
        requests = [
            partial(self._request, request, deadline, must=number < least)
            for number, request in enumerate(_packed(entries))
        ]
        done = side_by_side(requests, "publish")
        return [entry for again, _ in done for entry in again], [item for _, refused in done for item in refused]

    def _request(
        self, entries: list[_BatchEntry[_Item]], deadline: float, *, must: bool
    ) -> tuple[list[_BatchEntry[_Item]], list[_Item]]:
        """Sends one request unless it is too late and need not be, and again entry by entry where one of them is at
        fault."""
        if not must and self._clock() >= deadline:
            return entries, []
        try:
            unsent, invalid = self._send(entries)
        except ClientError as error:
            if code_of(error) not in _MESSAGE_AT_FAULT:
                return entries, []
            if len(entries) == 1:
                return [], [entries[0].item]
            # Which of them it is, SNS does not say.
            each = [self._request([entry], deadline, must=False) for entry in entries]
            return [entry for again, _ in each for entry in again], [item for _, refused in each for item in refused]
        except BotoCoreError:
            return entries, []
        return unsent, [entry.item for entry in invalid]

    def _send(self, request: list[_BatchEntry[_Item]]) -> tuple[list[_BatchEntry[_Item]], list[_BatchEntry[_Item]]]:
        answer = self._client.publish_batch(
            TopicArn=self._topic_arn,
            PublishBatchRequestEntries=[
                _as_request(str(number), entry.message) for number, entry in enumerate(request)
            ],
        )
        unsent: list[_BatchEntry[_Item]] = []
        invalid: list[_BatchEntry[_Item]] = []
        for failure in answer.get("Failed", []):
            sender_fault = failure["SenderFault"] and not any(word in failure["Code"] for word in _ROAD_AT_FAULT)
            (invalid if sender_fault else unsent).append(request[int(failure["Id"])])
        return unsent, invalid


def _entry(item: _Item, message: Message) -> _BatchEntry[_Item]:
    attributes = message.attributes.items()
    in_attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in attributes)
    return _BatchEntry(item, message, len(message.body.encode()) + in_attributes)


def _packed(entries: Iterable[_BatchEntry[_Item]]) -> Iterator[list[_BatchEntry[_Item]]]:
    """The entries in order, in as few requests as fit; one entry always fits."""
    request: list[_BatchEntry[_Item]] = []
    size = 0
    for entry in entries:
        if request and (len(request) == MAX_ENTRIES or size + entry.size > MAX_REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(entry)
        size += entry.size
    if request:
        yield request


def _as_request(number: str, message: Message) -> "PublishBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
    }
    return {"Id": number, "Message": message.body, "MessageAttributes": attributes}
