"""Keeps what functions print off the terminal.

Lambda sends a function's standard output and error to its log. Here functions share the process with the command line,
so while one runs both streams are replaced by stand-ins that look at who is writing: a thread inside ``captured``
writes to its sink, any other on to the stream that was there. Loggers keep the stand-in they were made with, which
outlives every system and then passes everything on.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, TextIO, cast

Sink = Callable[[str], None]

_sink: ContextVar[Sink | None] = ContextVar("sink", default=None)


class _StandIn:
    """A stand-in for ``sys.stdout`` or ``sys.stderr``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._real: TextIO = getattr(sys, name)
        self._users = 0
        self._lock = Lock()

    def write(self, text: str) -> int:
        """To the sink of the function that writes, else to the real stream."""
        sink = _sink.get()
        if sink is None:
            return self._target().write(text)
        sink(text)
        return len(text)

    def flush(self) -> None:
        """Flush the real stream; sinks keep nothing back."""
        if _sink.get() is None:
            self._target().flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target(), name)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stand in for the stream for as long as anybody needs it."""
        with self._lock:
            self._users += 1
            current = getattr(sys, self._name)
            # Test runners swap the stream at any time. One that wraps this stand-in must not become its target.
            if current is not self and getattr(current, "rich_proxied_file", None) is not self:
                self._real = current
                setattr(sys, self._name, self)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users and getattr(sys, self._name) is self:
                    setattr(sys, self._name, self._real)

    def _target(self) -> TextIO:
        current = getattr(sys, self._name)
        wrapped = current is self or getattr(current, "rich_proxied_file", None) is self
        return self._real if wrapped else cast("TextIO", current)


_STAND_INS = (_StandIn("stdout"), _StandIn("stderr"))


@contextmanager
def captured(sink: Sink) -> Iterator[None]:
    """Send what this thread prints to a sink."""
    with ExitStack() as stack:
        for stand_in in _STAND_INS:
            stack.enter_context(stand_in.in_place())
        token = _sink.set(sink)
        stack.callback(_sink.reset, token)
        yield
