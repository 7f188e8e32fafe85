"""Keeps what functions print off the terminal.

Lambda sends a function's standard output and error to its log. Here functions share the process with the
command line, so both streams are replaced by ones that look at who is writing: inside ``captured`` the text
goes to the given sink, anything else goes on to the real stream. Loggers keep the stream they were made with,
so it must outlive a system.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO, cast

Sink = Callable[[str], None]

_sink: ContextVar[Sink | None] = ContextVar("sink", default=None)


class _Stream:
    """A stand-in for ``sys.stdout`` or ``sys.stderr``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.real: TextIO = getattr(sys, name)

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

    def _target(self) -> TextIO:
        # A logger that outlives the system writes to whatever the stream is by then.
        current = getattr(sys, self._name)
        return self.real if current is self else cast("TextIO", current)


_streams = {"stdout": _Stream("stdout"), "stderr": _Stream("stderr")}


@contextmanager
def watching() -> Iterator[None]:
    """Put the stand-ins in place for the life of a system."""
    for name, stream in _streams.items():
        stream.real = getattr(sys, name)
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in _streams.items():
            if getattr(sys, name) is stream:
                setattr(sys, name, stream.real)


@contextmanager
def captured(sink: Sink) -> Iterator[None]:
    """Send what this thread prints to a sink."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)
