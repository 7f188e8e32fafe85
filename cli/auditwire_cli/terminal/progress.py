"""Progress of long work, on standard error: a bar on a terminal, now and then a line anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from auditwire_cli.terminal.output import tell

Advance = Callable[[int, str], None]
"""Called with how much is done, in the unit of the total, and with what is to be said about it."""

_SECONDS_BETWEEN_LINES = 5.0


class Occasionally:
    """Says something on standard error, at most once every ``seconds``; quick work says nothing."""

    def __init__(self, seconds: float = _SECONDS_BETWEEN_LINES, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._last = clock()

    def __call__(self, text: str) -> None:
        now = self._clock()
        if now - self._last >= self._seconds:
            self._last = now
            tell(text)


def reading_hours() -> Callable[[str], None]:
    """Says now and then which hour of the archive is being read."""
    occasionally = Occasionally()
    return lambda hour: occasionally(f"reading {hour}")


@contextmanager
def progress(
    total: int | None, *, is_bytes: bool = False, clock: Callable[[], float] = time.monotonic
) -> Iterator[Advance]:
    """Shows how far work is that has ``total`` parts, or None where nobody knows; ``is_bytes`` says that these are
    bytes."""
    if sys.stderr.isatty():
        with _bar(total, is_bytes=is_bytes) as advance:
            yield advance
    else:
        yield _lines(total, clock)


@contextmanager
def _bar(total: int | None, *, is_bytes: bool) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        DownloadColumn() if is_bytes else MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, text: bar.update(task, completed=done, description=text)


def _lines(total: int | None, clock: Callable[[], float]) -> Advance:
    occasionally = Occasionally(clock=clock)

    def advance(done: int, text: str) -> None:
        occasionally(text + (f", {100 * done // total} %" if total else ""))

    return advance
