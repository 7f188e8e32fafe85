"""Counting events in several processes: each makes the rules ready once, and counts chunk by chunk.

Only a few chunks are on their way at any time, so memory does not grow with the number of events. Results are added up
in the order of the chunks, whichever process was first, so the same events always give the same report.
"""

import os
import signal
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from auditwire.analysis.replay import Replay
from auditwire.events import Event, decode, settle
from auditwire.events.archived import Provenance, archived_event
from auditwire.events.exact import exact_event
from auditwire.rules.bundle import decode_bundle
from auditwire.senders.kind import SenderKind
from auditwire_cli.errors import CommandError
from auditwire_cli.replay.chunks import Chunk, Sized

if TYPE_CHECKING:
    from auditwire_cli.terminal.progress import Advance

_AHEAD: Final = 2
"""How many chunks are waiting for each worker, so that none has to wait for its next one."""
MAX_JOBS: Final = 64


Result = TypeVar("Result", bound="Mergeable")


class Mergeable(Protocol):
    """Counts of events that can be added up."""

    events: int
    rejects: Counter[str]
    skipped: Counter[str]

    def merge(self, later: Any) -> None:
        """Adds what was counted of later events."""

    def note_unreadable(self, sentence: str) -> None:
        """Counts something stored that could not be read."""

    def close(self) -> None:
        """Adds up what was only noted so far."""

    def judge(self) -> None:
        """Judges thresholds, once all events have been counted."""


class Counting(Protocol[Result]):
    """Something that counts events; it remembers nothing of them itself."""

    def tally(self) -> Result:
        """Where counts go, empty."""

    def take(self, event: Event, noted: Provenance | None, tally: Result) -> None:
        """Counts an event. ``noted`` is what the archive noted about it, if it comes from there."""


class Task(Protocol[Result]):
    """Work that travels to other processes."""

    def begin(self) -> Counting[Result]:
        """Makes ready what counts."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A replay: the two sets of rules as bundles, which is how they travel, and the sender whose settings apply."""

    old: bytes
    new: bytes
    sender: SenderKind | None = None

    def begin(self) -> Replay:
        """The rules made ready."""
        return Replay(decode_bundle(self.old).rule_set, decode_bundle(self.new).rule_set, sender=self.sender)


def count_all(task: Task[Result], chunks: Iterable[Sized], advance: "Advance", *, jobs: int | None = None) -> Result:
    """What a task counts of the events of all chunks. ``jobs`` is the number of processes; one chunk needs none.

    Raises CommandError for what cannot be read, and where a process ends by itself.
    """
    coming = iter(chunks)
    first = list(islice(coming, 2))
    jobs = min(jobs or usable_processors(), MAX_JOBS if len(first) > 1 else 1)
    results = (_here if jobs <= 1 else _in_processes)(task, chain(first, coming), jobs)
    total, done = task.begin().tally(), 0
    with closing(results):
        for sized, tally in results:
            total.merge(tally)
            done += sized.size
            advance(done, f"{total.events:,} events, {sized.text}" if sized.text else f"{total.events:,} events")
    total.judge()
    return total


def usable_processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _here(task: Task[Result], chunks: Iterator[Sized], _jobs: int) -> Generator[tuple[Sized, Result], None, None]:
    counting = task.begin()
    for sized in chunks:
        yield sized, count(counting, sized.chunk)


def _in_processes(
    task: Task[Result], chunks: Iterator[Sized], jobs: int
) -> Generator[tuple[Sized, Result], None, None]:
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (task,)) as pool:
        waiting: deque[tuple[Sized, Future[Any]]] = deque()
        try:
            for sized in islice(chunks, jobs * _AHEAD):
                waiting.append((sized, pool.submit(_count, sized.chunk)))
            while waiting:
                sized, future = waiting.popleft()
                yield sized, future.result()
                for following in islice(chunks, 1):
                    waiting.append((following, pool.submit(_count, following.chunk)))
        except BrokenProcessPool:
            raise CommandError(
                "a process of the replay ended by itself", "is there enough memory? try --jobs 1"
            ) from None
        finally:
            for _, future in waiting:
                future.cancel()


_counting: Counting[Any] | None = None


def _begin(task: Task[Any]) -> None:
    # Ctrl-C ends the process that gives out the work, and that ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _counting  # noqa: PLW0603 - what a worker process keeps between chunks
    _counting = task.begin()


def _count(chunk: Chunk) -> Any:
    if _counting is None:
        raise RuntimeError("the worker was not begun")
    return count(_counting, chunk)


def count(counting: Counting[Result], chunk: Chunk) -> Result:
    """What is counted of the events of a chunk."""
    tally, now, take = counting.tally(), datetime.now(UTC), counting.take
    for text in chunk.items(tally.note_unreadable):
        archived = archived_event(text)
        if archived is not None:
            take(*archived, tally)
            continue
        item = text.strip()
        if not item:
            continue
        event = exact_event(item)
        if event is not None:
            settle(event, cluster=event.cluster, received=now)
            take(event, None, tally)
            continue
        decoded = decode(item)
        for event in decoded.events:
            settle(event, cluster=event.cluster, received=now)
            take(event, None, tally)
        tally.rejects.update(reject.reason for reject in decoded.rejects)
        tally.skipped.update(decoded.skipped)
    tally.close()
    return tally
