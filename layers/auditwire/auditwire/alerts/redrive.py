"""Dead letters: looking at them without consuming them, and sending them back to the alerts queue.

A message is sent before it is deleted. So if a run is cut off in between, the message exists twice, and is never lost.
The relay may then deliver an alert twice; Alertmanager recognises it by its labels. AWS can move the messages of a
queue by itself (StartMessageMoveTask), but only all of them, and one that is proven bad would come straight back.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.dead_letters import MALFORMED, NO_RECEIVER, REFUSED
from auditwire.alerts.errors import DeadLetterError, MessageError
from auditwire.alerts.packing import packed
from auditwire.alerts.queued import QueuedAlert, read_message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

PEEK_SECONDS: Final = 30
"""How long a message that is looked at stays hidden from others if this program is cut off."""
REDRIVE_SECONDS: Final = 600
"""The same for redriving, which takes longer. If a message came back meanwhile, it would be taken for the end of the
queue."""

_BAD: Final = frozenset((MALFORMED, REFUSED))
_BY_RELAY: Final = _BAD | {NO_RECEIVER}
_OURS: Final = ("reason", "detail")
_MAX_MESSAGES: Final = 10
_MAX_REQUEST_BYTES: Final = 250_000
# A receive that waits asks all machines of the queue. One that does not wait may miss messages.
_WAIT_SECONDS: Final = 1
_PATIENCE_SECONDS: Final = 10.0
"""How long messages are waited for that somebody else looks at in this moment, such as the alarms."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the dead-letter queue.

    ``reason`` is ``malformed`` or ``refused`` if the relay has proven it bad, ``no_receiver`` if no Alertmanager was
    configured, and ``undelivered`` if none took it for a day or SNS could not put it into the queue. ``detail`` is the
    explanation that came with it. ``sent`` is when it came into the queue in which it died. ``alert`` is None if the
    body does not contain one.
    """

    identifier: str
    body: str = field(repr=False)
    reason: str
    detail: str
    sent: datetime
    receipt: str = field(repr=False)
    attributes: "Mapping[str, MessageAttributeValueOutputTypeDef]" = field(default_factory=dict, repr=False)
    alert: QueuedAlert | None = field(default=None, repr=False)

    @property
    def proven_bad(self) -> bool:
        """Whether no Alertmanager will take it as it is."""
        return self.reason in _BAD

    @property
    def by_relay(self) -> bool:
        """Whether the relay sent it here, and counted it. SQS and SNS move messages by themselves."""
        return self.reason in _BY_RELAY


@dataclass(slots=True)
class Redriven:
    """The result of redriving: the letters that were moved; those kept because they are proven bad; those that could
    not be moved, each with the reason; and how many were not asked for."""

    moved: list[DeadLetter] = field(default_factory=list)
    bad: list[DeadLetter] = field(default_factory=list)
    failed: list[tuple[DeadLetter, str]] = field(default_factory=list)
    others: int = 0


def waiting(client: "SQSClient", queue_url: str) -> int:
    """Roughly how many messages are in a queue, including those that are hidden because somebody looks at them. Raises
    DeadLetterError."""
    try:
        attributes = client.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    except (BotoCoreError, ClientError) as error:
        raise DeadLetterError(f"the dead-letter queue cannot be read: {error}") from error
    return sum(int(value) for value in attributes.values())


def peek(client: "SQSClient", queue_url: str, most: int, wait: int = _WAIT_SECONDS) -> list[DeadLetter]:
    """Up to ``most`` messages, oldest first. None is consumed: each is hidden while this function runs and visible
    again at its end. Those that somebody else looks at are waited for, for a while. An empty queue is asked for
    ``wait`` seconds. Raises DeadLetterError."""
    seen: list[DeadLetter] = []
    try:
        for letters in _received(client, queue_url, PEEK_SECONDS, wait, most):
            seen += letters
    finally:
        _show_again(client, queue_url, seen)
    return sorted(seen, key=lambda letter: (letter.sent, letter.identifier))


def redrive(
    client: "SQSClient",
    source_url: str,
    target_url: str,
    *,
    wanted: Callable[[DeadLetter], bool],
    include_bad: bool = False,
    dry_run: bool = False,
    wait: int = _WAIT_SECONDS,
) -> Redriven:
    """Moves the wanted messages from one queue to the other, with their attributes.

    Messages that are proven bad stay, unless ``include_bad`` is given; then they are moved without their reason, which
    has to be proven again. Every message of the queue is looked at once, wanted or not. Raises DeadLetterError if the
    queue cannot be read. Messages that cannot be moved are reported and stay.
    """
    result = Redriven()
    staying: list[DeadLetter] = []
    try:
        gone = (lambda: 0) if dry_run else (lambda: len(result.moved))
        for letters in _received(client, source_url, REDRIVE_SECONDS, wait, gone=gone):
            asked = [letter for letter in letters if wanted(letter)]
            bad = [letter for letter in asked if letter.proven_bad and not include_bad]
            going = [letter for letter in asked if not letter.proven_bad or include_bad]
            result.bad += bad
            result.others += len(letters) - len(asked)
            staying += letters if dry_run else [letter for letter in letters if letter not in going]
            if dry_run:
                result.moved += going
            else:
                failed = len(result.failed)
                _move(client, source_url, target_url, going, result)
                staying += [letter for letter, _ in result.failed[failed:]]
    finally:
        _show_again(client, source_url, staying)
    return result


def _received(
    client: "SQSClient",
    queue_url: str,
    hidden: int,
    wait: int,
    most: int | None = None,
    *,
    gone: Callable[[], int] = lambda: 0,
) -> Iterator[list[DeadLetter]]:
    """Yields messages in portions, each message once, until the queue has no new one or ``most`` were yielded.

    ``gone`` is how many of those that were yielded are no longer in the queue.
    """
    seen: set[str] = set()
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while most is None or len(seen) < most:
        room = _MAX_MESSAGES if most is None else min(_MAX_MESSAGES, most - len(seen))
        try:
            messages = client.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=room,
                VisibilityTimeout=hidden,
                WaitTimeSeconds=wait,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
        except (BotoCoreError, ClientError) as error:
            raise DeadLetterError(f"the dead-letter queue cannot be read: {error}") from error
        # If a message comes back, it was hidden for as long as it may be, so all messages have been seen.
        letters = [letter for message in messages if (letter := _letter(message)).identifier not in seen]
        seen.update(letter.identifier for letter in letters)
        if letters:
            yield letters
        elif messages or not wait or time.monotonic() > patience_ends:
            break
        elif waiting(client, queue_url) <= len(seen) - gone():
            # What is hidden is hidden by this program.
            break


def _letter(message: "MessageTypeDef") -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    texts = {name: value.get("StringValue", "") for name, value in attributes.items()}
    try:
        alert = read_message(message["Body"])
    except MessageError:
        alert = None
    reason = texts.get("reason", "")
    # If SNS could not deliver the message, it has attached its own explanation.
    said = " ".join(filter(None, (texts.get("ErrorCode"), texts.get("ErrorMessage"))))
    return DeadLetter(
        identifier=message["MessageId"],
        body=message["Body"],
        reason=reason if reason in _BY_RELAY else "undelivered",
        detail=texts.get("detail", "") if reason in _BY_RELAY else said,
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        receipt=message["ReceiptHandle"],
        attributes=attributes,
        alert=alert,
    )


def _move(
    client: "SQSClient", source_url: str, target_url: str, letters: Sequence[DeadLetter], result: Redriven
) -> None:
    for portion in packed(letters, _size_of, max_size=_MAX_REQUEST_BYTES):
        sent = _send(client, target_url, portion, result)
        _delete(client, source_url, sent, result)


def _size_of(letter: DeadLetter) -> int:
    """How many bytes of a request a letter takes at most."""
    attributes = letter.attributes.items()
    in_attributes = sum(len(name) + len(str(value.get("StringValue", ""))) * 4 + 100 for name, value in attributes)
    return len(letter.body.encode()) + in_attributes


def _send(client: "SQSClient", url: str, letters: Sequence[DeadLetter], result: Redriven) -> list[DeadLetter]:
    """Sends copies. Returns the letters that were sent."""
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {
            "Id": str(number),
            "MessageBody": letter.body,
            "MessageAttributes": {name: _as_sent(value) for name, value in _kept(letter).items()},
        }
        for number, letter in enumerate(letters)
    ]
    try:
        answer = client.send_message_batch(QueueUrl=url, Entries=entries)
    except (BotoCoreError, ClientError) as error:
        result.failed += [(letter, f"the alerts queue does not take it: {error}") for letter in letters]
        return []
    refused = {int(failure["Id"]): failure for failure in answer.get("Failed", [])}
    for number, failure in refused.items():
        why = failure.get("Message") or failure["Code"]
        result.failed.append((letters[number], f"the alerts queue does not take it: {why}"))
    taken = {int(success["Id"]) for success in answer.get("Successful", [])}
    return [letter for number, letter in enumerate(letters) if number in taken]


def _kept(letter: DeadLetter) -> "Mapping[str, MessageAttributeValueOutputTypeDef]":
    """The attributes it came with, without what the relay added: that would explain its next death."""
    if not letter.by_relay:
        return letter.attributes
    return {name: value for name, value in letter.attributes.items() if name not in _OURS}


def _as_sent(value: "MessageAttributeValueOutputTypeDef") -> "MessageAttributeValueTypeDef":
    """An attribute in the form for sending. What a receive returns has members that a send refuses."""
    sent: MessageAttributeValueTypeDef = {"DataType": value["DataType"]}
    if "BinaryValue" in value:
        sent["BinaryValue"] = value["BinaryValue"]
    else:
        sent["StringValue"] = value.get("StringValue", "")
    return sent


def _delete(client: "SQSClient", url: str, letters: Sequence[DeadLetter], result: Redriven) -> None:
    if not letters:
        return
    entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
        {"Id": str(number), "ReceiptHandle": letter.receipt} for number, letter in enumerate(letters)
    ]
    twice = "it was sent to the alerts queue but is still a dead letter too"
    try:
        failures = client.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
    except (BotoCoreError, ClientError) as error:
        result.failed += [(letter, f"{twice}: {error}") for letter in letters]
        return
    left = {int(failure["Id"]): failure.get("Message") or failure["Code"] for failure in failures}
    result.failed += [(letters[number], f"{twice}: {why}") for number, why in left.items()]
    result.moved += [letter for number, letter in enumerate(letters) if number not in left]


def _show_again(client: "SQSClient", url: str, letters: Sequence[DeadLetter]) -> None:
    for start in range(0, len(letters), _MAX_MESSAGES):
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for number, letter in enumerate(letters[start : start + _MAX_MESSAGES])
        ]
        # The messages become visible again soon. That is no reason to lose the result.
        with suppress(BotoCoreError, ClientError):
            client.change_message_visibility_batch(QueueUrl=url, Entries=entries)
