"""What is in the dead-letter queue, counted for alarms.

SQS counts its messages, but not why they are there, and its age of the oldest message leaves out every message that was
received three times, as by somebody who looks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.alerts.dead_letters import NO_RECEIVER
from auditwire.alerts.redrive import peek, waiting

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True)
class DeadLetterCounts:
    """How many alerts are there because something went wrong, how many because no Alertmanager is configured, and how
    many seconds ago the oldest that was seen was sent."""

    letters: int = 0
    without_receiver: int = 0
    oldest_seconds: float = 0.0


def count_dead_letters(client: "SQSClient", queue_url: str, now: datetime, wait: int = 1) -> DeadLetterCounts:
    """Counts the messages of the dead-letter queue without consuming any. Nothing is received from an empty queue.
    Without ``queue_url`` there is no such queue, and nothing to count.

    At most 1,000 are looked at. The others count among those that went wrong, because nobody knows why they are there.
    ``wait`` is for how many seconds the end of the queue is waited for. Raises DeadLetterError.
    """
    about = waiting(client, queue_url) if queue_url else 0
    if not about:
        return DeadLetterCounts()
    seen = peek(client, queue_url, MAX_LOOKED_AT, wait)
    without = sum(letter.reason == NO_RECEIVER for letter in seen)
    others = about - len(seen) if len(seen) >= MAX_LOOKED_AT else 0
    oldest = max((now - letter.sent).total_seconds() for letter in seen) if seen else 0.0
    return DeadLetterCounts(len(seen) - without + max(0, others), without, max(0.0, oldest))
