"""Publishing alerts to the SNS topic, packed into as few requests as its limits allow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.message import Message, message_of
from auditwire.alerts.packing import packed
from auditwire.alerts.wire import WireForm, wire_form
from auditwire.aws.attempts import attempts, side_by_side
from auditwire.aws.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

    from auditwire.alerts.alert import Alert

MAX_ENTRIES: Final = 10
MAX_REQUEST_BYTES: Final = 250_000
"""The largest sum, in bytes, of all messages of a request as they are sent, with subjects and attributes. SNS refuses a
request of more than 262,144 as a whole."""

# If a whole request is refused with one of these, it contains a message that SNS will never take.
_MESSAGE_AT_FAULT: Final = frozenset(
    ("BatchRequestTooLong", "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError")
)
# The failure of an entry is the sender's fault if its flag says so, unless its code is about permissions, keys,
# throttling or the topic.
_TOPIC_AT_FAULT: Final = ("AccessDenied", "Authorization", "KMS", "Kms", "NotFound", "Throttl", "Token")


_Item = TypeVar("_Item")
"""What is published and reported back: an alert, or a finished message."""


@dataclass(frozen=True, slots=True)
class Published(Generic[_Item]):
    """The result of publishing: how many SNS took, what it did not take in time, and what it will never take."""

    sent: int = 0
    failed: list[_Item] = field(default_factory=list)
    refused: list[_Item] = field(default_factory=list)


class Publisher(Protocol):
    """Publishes alerts."""

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> "Published[Alert]":
        """Publishes alerts until ``deadline``, in seconds of the publisher's clock. Raises no errors."""


@dataclass(slots=True)
class MemoryPublisher:
    """A publisher that keeps what it is given, for tests and experiments."""

    alerts: "list[Alert]" = field(default_factory=list)

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> "Published[Alert]":
        """Keeps the alerts, whatever the deadline."""
        del deadline
        self.alerts += alerts
        return Published(sent=len(alerts))


@dataclass(frozen=True, slots=True)
class _BatchEntry(Generic[_Item]):
    item: _Item
    message: Message
    wire: WireForm
    size: int


class SnsPublisher:
    """A Publisher to one topic, with several requests side by side.

    ``clock`` gives seconds since the epoch, ``sleep`` waits seconds between attempts. Timeouts and retries of a single
    request are set in the client.
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
        """Publishes all alerts and says what became of each. What SNS does not take is retried until ``deadline``.

        Only the first request is made even after the deadline. An alert that is refused as invalid is never retried.
        """
        return self._publish([_entry(alert, message_of(alert)) for alert in alerts], deadline)

    def publish_messages(self, messages: Sequence[Message], deadline: float) -> Published[Message]:
        """The same for finished messages."""
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
        """Sends all entries once, of which ``least`` requests even after the deadline. Returns the entries to send
        again, and the items that are invalid."""
        # A storm of alerts is fifty requests. One after the other, they would not be done in time.
        requests = [
            partial(self._request, request, deadline, must=number < least)
            for number, request in enumerate(
                packed(entries, lambda entry: entry.size, max_size=MAX_REQUEST_BYTES, max_items=MAX_ENTRIES)
            )
        ]
        done = side_by_side(requests, "publish")
        return [entry for again, _ in done for entry in again], [item for _, refused in done for item in refused]

    def _request(
        self, entries: list[_BatchEntry[_Item]], deadline: float, *, must: bool
    ) -> tuple[list[_BatchEntry[_Item]], list[_Item]]:
        """Sends one request, unless the deadline has passed and the request is not a ``must``. If a message is at
        fault, its entries are sent one by one."""
        if not must and self._clock() >= deadline:
            return entries, []
        try:
            unsent, invalid = self._send(entries)
        except ClientError as error:
            if code_of(error) not in _MESSAGE_AT_FAULT:
                return entries, []
            if len(entries) == 1:
                return [], [entries[0].item]
            # SNS does not say which of them it is.
            each = [self._request([entry], deadline, must=False) for entry in entries]
            return [entry for again, _ in each for entry in again], [item for _, refused in each for item in refused]
        except BotoCoreError:
            return entries, []
        return unsent, [entry.item for entry in invalid]

    def _send(self, request: list[_BatchEntry[_Item]]) -> tuple[list[_BatchEntry[_Item]], list[_BatchEntry[_Item]]]:
        answer = self._client.publish_batch(
            TopicArn=self._topic_arn,
            PublishBatchRequestEntries=[_as_request(str(number), entry) for number, entry in enumerate(request)],
        )
        unsent: list[_BatchEntry[_Item]] = []
        invalid: list[_BatchEntry[_Item]] = []
        for failure in answer.get("Failed", []):
            sender_fault = failure["SenderFault"] and not any(word in failure["Code"] for word in _TOPIC_AT_FAULT)
            (invalid if sender_fault else unsent).append(request[int(failure["Id"])])
        return unsent, invalid


def _entry(item: _Item, message: Message) -> _BatchEntry[_Item]:
    attributes = message.attributes.items()
    in_attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in attributes)
    wire = wire_form(message.body)
    return _BatchEntry(item, message, wire, len(wire.message.encode()) + len(wire.subject) + in_attributes)


def _as_request(number: str, entry: _BatchEntry[_Item]) -> "PublishBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in entry.message.attributes.items()
    }
    return {
        "Id": number,
        "Message": entry.wire.message,
        "MessageStructure": "json",
        "Subject": entry.wire.subject,
        "MessageAttributes": attributes,
    }
