"""moto's queues, made fit for several threads and for more than a few messages.

moto 5.2 deletes a message by replacing the queue's list without a lock: a message that arrives meanwhile can be lost.
And for every single message received it works out every attribute of the queue, several of them a walk over all
messages. Both are mended here for as long as the in-process AWS is open; what a queue does stays moto's business.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.sqs import models


class _Queue(models.Queue):
    """A queue that keeps what arrives while something is deleted."""

    def delete_message(self, receipt_handle: str) -> None:
        """Delete under the lock under which messages are added."""
        with self._messages_lock:
            super().delete_message(receipt_handle)


def _is_retained(self: Any, queue_name: str, message: Any) -> bool:
    """Whether the retention period of a message has not passed, without working out the queue's other attributes."""
    seconds: int = self.get_queue(queue_name).message_retention_period
    sent: float = message.sent_timestamp / 1000
    return sent + seconds > time.time()


def _milliseconds() -> float:
    return time.time() * 1000


@contextmanager
def mended_queues() -> Iterator[None]:
    """Use these queues for every queue made inside."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(models, "Queue", _Queue))
        stack.enter_context(patch.object(models, "unix_time_millis", _milliseconds))
        stack.enter_context(patch.object(models.SQSBackend, "is_message_valid_based_on_retention_period", _is_retained))
        yield
