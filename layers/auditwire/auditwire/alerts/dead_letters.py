"""The dead-letter queue: messages that no Alertmanager will ever take, or that none is configured for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.errors import DeadLetterError
from auditwire.alerts.text import annotation_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

MALFORMED: Final = "malformed"
REFUSED: Final = "refused"
NO_RECEIVER: Final = "no_receiver"
"""Why the relay sends a message there: it contains no alert, an Alertmanager refuses this alert alone, or no
Alertmanager is configured."""

_MAX_ATTRIBUTES: Final = 8


class DeadLetters(Protocol):
    """A queue of messages that are kept for a person to look at."""

    def send(self, body: str, reason: str, detail: str, attributes: Mapping[str, str] | None = None) -> None:
        """Sends a message as it was received, with its attributes. ``reason`` is ``malformed``, ``refused`` or
        ``no_receiver``. Raises DeadLetterError."""


@dataclass(slots=True)
class MemoryDeadLetters:
    """Dead letters in memory, for tests and experiments: (body, reason, detail), and their attributes."""

    letters: list[tuple[str, str, str]] = field(default_factory=list)
    attributes: list[Mapping[str, str]] = field(default_factory=list)

    def send(self, body: str, reason: str, detail: str, attributes: Mapping[str, str] | None = None) -> None:
        """Keeps the message."""
        self.letters.append((body, reason, detail))
        self.attributes.append(attributes or {})


class SqsDeadLetters:
    """Dead letters in an SQS queue, with reason and detail as message attributes.

    The client is created when it is first needed. On most days it is not, and creating it would add 200 ms to a cold
    start.
    """

    def __init__(self, client: "Callable[[], SQSClient]", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, body: str, reason: str, detail: str, attributes: Mapping[str, str] | None = None) -> None:
        """Sends the message to the queue, with its first eight attributes if it has more."""
        if not self._queue_url:
            raise DeadLetterError("no dead-letter queue is configured")
        # SQS refuses empty attributes, and more than ten.
        texts = dict(islice((attributes or {}).items(), _MAX_ATTRIBUTES))
        texts |= {"reason": reason, "detail": annotation_value(detail) or "-"}
        sent: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
        }
        try:
            self._client().send_message(QueueUrl=self._queue_url, MessageBody=body, MessageAttributes=sent)
        except (BotoCoreError, ClientError) as error:
            raise DeadLetterError(f"a message could not be sent to the dead-letter queue: {error}") from error
