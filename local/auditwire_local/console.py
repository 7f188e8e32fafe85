"""Keeps what functions print off the terminal.

Lambda sends the standard output and standard error of a function to its log. Here functions share the process with the
command line. So while one runs, both streams are replaced by stand-ins that look at who writes: a thread inside
``captured`` writes to its sink, every other thread to the stream that was there before. Loggers write to the
stand-in, whatever stood there when they were made; it outlives every system, and afterwards passes everything on.
"""

import logging
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
        """Write to the sink of the function that runs in this thread, or else to the real stream."""
        sink = _sink.get()
        if sink is None:
            return self._target().write(text)
        sink(text)
        return len(text)

    def flush(self) -> None:
        """Flush the real stream; sinks keep nothing."""
        if _sink.get() is None:
            self._target().flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target(), name)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Replace the stream for as long as anybody needs that."""
        with self._lock:
            self._users += 1
            current = getattr(sys, self._name)
            # Test runners may replace the stream at any time. One that wraps this stand-in must not become its target.
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


def log_to_stand_in(logger: str) -> None:
    """Let the handlers of a logger write to the stand-in for standard output.

    A logger is made once in a process and kept. Made while somebody else, such as a test runner, had replaced the
    stream, it would write to that one's for ever, and what a function says would be lost.
    """
    for handler in logging.getLogger(logger).handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(cast("TextIO", _STAND_INS[0]))


@contextmanager
def captured(sink: Sink) -> Iterator[None]:
    """Inside, what this thread prints goes to a sink."""
    with ExitStack() as stack:
        for stand_in in _STAND_INS:
            stack.enter_context(stand_in.in_place())
        token = _sink.set(sink)
        stack.callback(_sink.reset, token)
        yield
