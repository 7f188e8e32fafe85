"""moto's queues, corrected: safe in several threads, and quick with many messages.

moto 5.2 deletes a message by replacing the list of the queue without a lock, so a message that arrives at the same time
can be lost. For every message received, and for every message sent, it computes every attribute of the queue, for
several of which it reads all messages; and to delete one it goes through all of them twice. So what a message costs
grows with the messages that wait. All this is corrected while the in-process AWS is open. Everything else about a queue
is moto's.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from moto.sqs import models

_sending: ContextVar[bool] = ContextVar("a message is being sent", default=False)


class _Queue(models.Queue):
    """A queue that keeps what arrives while a message is deleted, and looks at no more of its messages than needed."""

    def delete_message(self, receipt_handle: str) -> None:
        """Delete under the lock that adding takes too. What is deleted was mostly received first, so is among the
        first."""
        with self._messages_lock:
            for at, message in enumerate(self._messages):
                if message.receipt_handle == receipt_handle:
                    self.pending_messages.discard(message)
                    self.deleted_messages.update(message.all_receipt_handles)  # type: ignore[arg-type]
                    del self._messages[at]
                    return
            super().delete_message(receipt_handle)

    @property
    def messages(self) -> list[models.Message]:
        """Those that can be received."""
        now = _now()
        return [one for one in list(self._messages) if one.visible_at < now and one.delayed_until <= now]

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many are to be received later."""
        now = _now()
        return sum(one.delayed_until > now for one in list(self._messages))

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many somebody has received."""
        now = _now()
        return sum(one.visible_at >= now for one in list(self._messages))

    @property
    def attributes(self) -> dict[str, Any]:
        """All attributes; none while a message is sent, for which no queue but a FIFO queue has one that matters."""
        return {} if _sending.get() and not self.fifo_queue else super().attributes


def _now() -> float:
    """moto's clock, which tests move."""
    now: float = models.unix_time_millis()  # type: ignore[attr-defined]
    return now


_send_message = models.SQSBackend.send_message


def _send(self: Any, *args: Any, **given: Any) -> Any:
    token = _sending.set(True)
    try:
        return _send_message(self, *args, **given)
    finally:
        _sending.reset(token)


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
        stack.enter_context(patch.object(models.SQSBackend, "send_message", _send))
        stack.enter_context(patch.object(models.SQSBackend, "is_message_valid_based_on_retention_period", _is_retained))
        yield
