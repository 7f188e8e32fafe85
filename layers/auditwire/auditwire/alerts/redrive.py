"""Dead letters: looked at without being consumed, and sent back to the alerts queue.

A message is sent before it is deleted, so one that is cut off in between is there twice, never not at all; the relay
may deliver an alert twice, Alertmanager knows it by its labels. AWS can move a queue's messages by itself
(StartMessageMoveTask), but only all of them, and one proven bad would come straight back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.errors import DeadLetterError, MessageError
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
"""How long a message that is looked at is hidden from others, should the one who looks be cut off."""
REDRIVE_SECONDS: Final = 600
"""The same for redriving, which takes longer: what comes by again meanwhile would be taken for the queue's end."""

_BAD: Final = frozenset(("malformed", "refused"))
_OURS: Final = ("reason", "detail")
_AT_ONCE: Final = 10
_MAX_REQUEST_BYTES: Final = 250_000
# A receive that waits asks every machine the queue is spread over; one that does not may miss messages.
_WAIT_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the dead-letter queue.

    ``reason`` is ``malformed`` or ``refused`` where the relay has proven it bad, ``undelivered`` where no Alertmanager
    took it for a day or SNS could not put it into the queue; ``detail`` is what was said about it. ``sent`` is when it
    came into the queue it died in. ``alert`` is None where the body holds none.
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


@dataclass(slots=True)
class Redriven:
    """How redriving ended: the letters that were moved; those kept because they are proven bad; those that could not be
    moved, each with why; how many were not asked for."""

    moved: list[DeadLetter] = field(default_factory=list)
    bad: list[DeadLetter] = field(default_factory=list)
    failed: list[tuple[DeadLetter, str]] = field(default_factory=list)
    others: int = 0


def waiting(client: "SQSClient", queue_url: str) -> int:
    """About how many messages are in a queue, those included that somebody is looking at. Raises DeadLetterError."""
    try:
        attributes = client.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    except (BotoCoreError, ClientError) as error:
        raise DeadLetterError(f"the dead-letter queue cannot be read: {error}") from error
    return sum(int(value) for value in attributes.values())


def peek(client: "SQSClient", queue_url: str, most: int, wait: int = _WAIT_SECONDS) -> list[DeadLetter]:
    """At most ``most`` messages, oldest first, none consumed: each is hidden while this looks and shown again at its
    end. Somebody else who looks at the same time sees the others. ``wait`` is for how many seconds an empty queue is
    asked. Raises DeadLetterError."""
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
    """Move the wanted messages from one queue to the other, with their attributes.

    What is proven bad stays, unless ``include_bad``; then it goes without the reason, which is up for another proof.
    Every message of the queue is looked at once, also those not wanted. Raises DeadLetterError where the queue cannot
    be read; messages that cannot be moved are reported and stay.
    """
    result = Redriven()
    staying: list[DeadLetter] = []
    try:
        for letters in _received(client, source_url, REDRIVE_SECONDS, wait):
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
    client: "SQSClient", queue_url: str, hidden: int, wait: int, most: int | None = None
) -> Iterator[list[DeadLetter]]:
    """Messages in portions, each once, until the queue gives no new one or ``most`` were given."""
    seen: set[str] = set()
    while most is None or len(seen) < most:
        room = _AT_ONCE if most is None else min(_AT_ONCE, most - len(seen))
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
        # One that comes by again was hidden for as long as it may be: everything there is has been seen.
        letters = [letter for message in messages if (letter := _letter(message)).identifier not in seen]
        seen.update(letter.identifier for letter in letters)
        if not letters:
            break
        yield letters


def _letter(message: "MessageTypeDef") -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    texts = {name: value.get("StringValue", "") for name, value in attributes.items()}
    try:
        alert = read_message(message["Body"])
    except MessageError:
        alert = None
    reason = texts.get("reason", "")
    # What SNS could not deliver carries its own account of why.
    said = " ".join(filter(None, (texts.get("ErrorCode"), texts.get("ErrorMessage"))))
    return DeadLetter(
        identifier=message["MessageId"],
        body=message["Body"],
        reason=reason if reason in _BAD else "undelivered",
        detail=texts.get("detail", "") if reason in _BAD else said,
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        receipt=message["ReceiptHandle"],
        attributes=attributes,
        alert=alert,
    )


def _move(
    client: "SQSClient", source_url: str, target_url: str, letters: Sequence[DeadLetter], result: Redriven
) -> None:
    for portion in _packed(letters):
        sent = _send(client, target_url, portion, result)
        _delete(client, source_url, sent, result)


def _packed(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """The letters in requests of a size that SQS takes; one always fits."""
    portion: list[DeadLetter] = []
    size = 0
    for letter in letters:
        own = len(letter.body.encode()) + sum(
            len(name) + len(str(value.get("StringValue", ""))) * 4 + 100 for name, value in letter.attributes.items()
        )
        if portion and size + own > _MAX_REQUEST_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(letter)
        size += own
    if portion:
        yield portion


def _send(client: "SQSClient", url: str, letters: Sequence[DeadLetter], result: Redriven) -> list[DeadLetter]:
    """Send copies; those that were taken."""
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
    """The attributes it came with. What the relay said of it is not among them: it would speak for its next death."""
    if not letter.proven_bad:
        return letter.attributes
    return {name: value for name, value in letter.attributes.items() if name not in _OURS}


def _as_sent(value: "MessageAttributeValueOutputTypeDef") -> "MessageAttributeValueTypeDef":
    """An attribute as it may be sent: the answer to a receive also has members that a send refuses."""
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
    for start in range(0, len(letters), _AT_ONCE):
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for number, letter in enumerate(letters[start : start + _AT_ONCE])
        ]
        # They show themselves again soon; that is no reason to lose what was learned.
        with suppress(BotoCoreError, ClientError):
            client.change_message_visibility_batch(QueueUrl=url, Entries=entries)
