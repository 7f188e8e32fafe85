"""Lets the in-process AWS forget what is gone.

moto keeps a list of every instance of its models that was ever made, and every topic keeps all that was published to
it. So a process that runs for days would grow with each message that was delivered long ago.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.common_models import BaseModel
from moto.s3.models import FakeKey, FakeMultipart
from moto.sns import models

# At its end moto closes the files of these.
_CLOSED_AT_THE_END = (FakeKey, FakeMultipart)


class _Topic(models.Topic):
    """A topic that keeps nothing of what it has handed on."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.sent_notifications = deque(maxlen=0)  # type: ignore[assignment]


def _made(cls: Any, *args: Any, **given: Any) -> Any:
    del args, given
    instance = object.__new__(cls)
    if issubclass(cls, _CLOSED_AT_THE_END):
        cls.instances_tracked.append(instance)
    return instance


@contextmanager
def forgetting() -> Iterator[None]:
    """Inside, what is deleted or handed on takes no memory any more."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(BaseModel, "__new__", _made))
        stack.enter_context(patch.object(models, "Topic", _Topic))
        yield
