"""moto's queues, corrected: safe in several threads, and quick with many messages.

moto 5.2 deletes a message by replacing the list of the queue without a lock, so a message that arrives at the same time
can be lost. And for every message received it computes every attribute of the queue, for several of which it reads all
messages. Both are corrected while the in-process AWS is open. Everything else about a queue is moto's.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.sqs import models


class _Queue(models.Queue):
    """A queue that keeps what arrives while a message is deleted."""

    def delete_message(self, receipt_handle: str) -> None:
        """Delete under the lock that adding takes too."""
        with self._messages_lock:
            super().delete_message(receipt_handle)


def _is_retained(self: Any, queue_name: str, message: Any) -> bool:
    """Whether the message is still within the retention period, without computing the other attributes of the queue."""
    seconds: int = self.get_queue(queue_name).message_retention_period
    sent: float = message.sent_timestamp / 1000
    return sent + seconds > time.time()


def _milliseconds() -> float:
    return time.time() * 1000


@contextmanager
def mended_queues() -> Iterator[None]:
    """Inside, every new queue is of this kind."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(models, "Queue", _Queue))
        stack.enter_context(patch.object(models, "unix_time_millis", _milliseconds))
        stack.enter_context(patch.object(models.SQSBackend, "is_message_valid_based_on_retention_period", _is_retained))
        yield
