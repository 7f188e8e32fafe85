"""Progress on standard error: a bar on a terminal, now and then a line anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, int], None]
"""Called with the bytes read so far of all files, and the events answered so far."""

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(total_bytes: int | None) -> Iterator[Advance]:
    """Shows how far sending is; ``total_bytes`` of all files together, None where that is not known."""
    if sys.stderr.isatty():
        with _bar(total_bytes) as advance:
            yield advance
    else:
        yield _lines(total_bytes)


@contextmanager
def reading_progress() -> Iterator[Callable[[str], None]]:
    """Says now and then which hour of the archive is being read; a quick search says nothing."""
    last = time.monotonic()

    def tell(hour: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            sys.stderr.write(f"reading {hour}\n")
            sys.stderr.flush()

    yield tell


@contextmanager
def _bar(total_bytes: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("send", total=total_bytes, events=0)
        yield lambda position, events: bar.update(task, completed=position, events=events)


def _lines(total_bytes: int | None) -> Advance:
    last = time.monotonic()

    def advance(position: int, events: int) -> None:
        nonlocal last
        if time.monotonic() - last < _SECONDS_BETWEEN_LINES:
            return
        last = time.monotonic()
        share = f", {100 * position // total_bytes} % of the bytes" if total_bytes else ""
        sys.stderr.write(f"{events:,} events answered{share}\n")
        sys.stderr.flush()

    return advance
