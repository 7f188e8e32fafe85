"""Publishing alerts to the SNS topic, packed into as few requests as its limits allow."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.message import attributes_of, encode_message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

    from auditwire.alerts.alert import Alert

MOST_ENTRIES: Final = 10
LARGEST_REQUEST: Final = 250_000
"""Bytes of all messages of a request and their attributes. SNS refuses a request of more than 262,144 as a whole."""

_FIRST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 0.8
# A whole request refused with one of these holds a message that SNS will never take.
_MESSAGE_AT_FAULT: Final = frozenset(
    ("BatchRequestTooLong", "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError")
)
# An entry's failure is the sender's fault by its own flag, unless it speaks of rights, keys, rate or the topic.
_ROAD_AT_FAULT: Final = ("AccessDenied", "Authorization", "KMS", "Kms", "NotFound", "Throttl", "Token")


@dataclass(frozen=True, slots=True)
class Published:
    """How publishing ended: how many alerts SNS took, which it did not take in time, which it never will."""

    sent: int = 0
    failed: "list[Alert]" = field(default_factory=list)
    refused: "list[Alert]" = field(default_factory=list)


class Publisher(Protocol):
    """Where alerts are published."""

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> Published:
        """Publishes alerts until ``deadline``, in seconds of the publisher's clock. Raises nothing of its own."""


@dataclass(slots=True)
class MemoryPublisher:
    """A publisher that keeps what it is given, for tests and for trying things."""

    alerts: "list[Alert]" = field(default_factory=list)

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> Published:
        """Keeps the alerts; no deadline is too short for that."""
        del deadline
        self.alerts += alerts
        return Published(sent=len(alerts))


@dataclass(frozen=True, slots=True)
class _Entry:
    alert: "Alert"
    message: str
    attributes: dict[str, str]
    size: int


class SnsPublisher:
    """A Publisher to one topic. ``clock`` gives seconds since the epoch, ``sleep`` waits seconds between attempts.

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

    def publish(self, alerts: "Sequence[Alert]", deadline: float) -> Published:
        """Publishes all alerts, repeats what SNS did not take until ``deadline``, and says what became of each.

        Everything is tried once even after the deadline (ks-apiserver never repeats a batch), but not once SNS has
        been found not to answer. An alert refused as invalid is never repeated.
        """
        refused: list[Alert] = []
        waiting = [_entry(alert) for alert in alerts]
        wait = _FIRST_WAIT_SECONDS
        while True:
            waiting, invalid = self._round(waiting, deadline)
            refused += invalid
            left = deadline - self._clock()
            if not waiting or left <= 0:
                break
            self._sleep(min(wait, left))
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        failed = [entry.alert for entry in waiting]
        return Published(len(alerts) - len(failed) - len(refused), failed, refused)

    def _round(self, entries: list[_Entry], deadline: float) -> "tuple[list[_Entry], list[Alert]]":
        """Sends all entries once: which are to be sent again, and which alerts never."""
        again: list[_Entry] = []
        refused: list[Alert] = []
        requests = list(_packed(entries))
        answered = True
        while requests:
            request = requests.pop(0)
            if not answered and self._clock() >= deadline:
                again += request
                continue
            try:
                unsent, invalid = self._send(request)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _MESSAGE_AT_FAULT:
                    answered = False
                    again += request
                elif len(request) == 1:
                    refused.append(request[0].alert)
                else:
                    # Which of them it is, SNS does not say.
                    requests = [[entry] for entry in request] + requests
                continue
            except BotoCoreError:
                answered = False
                again += request
                continue
            again += unsent
            refused += [entry.alert for entry in invalid]
        return again, refused

    def _send(self, request: list[_Entry]) -> tuple[list[_Entry], list[_Entry]]:
        answer = self._client.publish_batch(
            TopicArn=self._topic_arn,
            PublishBatchRequestEntries=[_as_request(str(number), entry) for number, entry in enumerate(request)],
        )
        unsent: list[_Entry] = []
        invalid: list[_Entry] = []
        for failure in answer.get("Failed", []):
            sender_fault = failure["SenderFault"] and not any(word in failure["Code"] for word in _ROAD_AT_FAULT)
            (invalid if sender_fault else unsent).append(request[int(failure["Id"])])
        return unsent, invalid


def _entry(alert: "Alert") -> _Entry:
    message, attributes = encode_message(alert), attributes_of(alert)
    in_attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in attributes.items())
    return _Entry(alert, message.decode(), attributes, len(message) + in_attributes)


def _packed(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    """The entries in order, in as few requests as fit; one entry always fits."""
    request: list[_Entry] = []
    size = 0
    for entry in entries:
        if request and (len(request) == MOST_ENTRIES or size + entry.size > LARGEST_REQUEST):
            yield request
            request, size = [], 0
        request.append(entry)
        size += entry.size
    if request:
        yield request


def _as_request(number: str, entry: _Entry) -> "PublishBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in entry.attributes.items()
    }
    return {"Id": number, "Message": entry.message, "MessageAttributes": attributes}
