"""Replaying in several processes: each makes the rules ready once, and counts chunk by chunk.

Only a few chunks are on their way at any time, so memory does not grow with the number of events. Results are added up
in the order of the chunks, whichever process was first, so the same events always give the same report.
"""

import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from auditwire.analysis.replay import Replay
from auditwire.analysis.tally import Tally
from auditwire.events import decode, settle
from auditwire.events.archived import archived_event
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


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sets of rules as bundles, which is how they travel, and the sender whose settings apply."""

    old: bytes
    new: bytes
    sender: SenderKind | None = None

    def replay(self) -> Replay:
        """The rules made ready."""
        return Replay(decode_bundle(self.old).rule_set, decode_bundle(self.new).rule_set, sender=self.sender)


def replay_all(sides: Sides, chunks: Iterable[Sized], advance: "Advance", *, jobs: int | None = None) -> Tally:
    """What both sides decide about the events of all chunks. ``jobs`` is the number of processes; one chunk needs none.

    Raises CommandError for what cannot be read, and where a process ends by itself.
    """
    coming = iter(chunks)
    first = list(islice(coming, 2))
    jobs = min(jobs or usable_processors(), MAX_JOBS if len(first) > 1 else 1)
    results = (_here if jobs <= 1 else _in_processes)(sides, chain(first, coming), jobs)
    total, done = Tally(), 0
    with closing(results):
        for sized, tally in results:
            total.merge(tally)
            done += sized.size
            advance(done, f"{total.events:,} events, {sized.text}" if sized.text else f"{total.events:,} events")
    return total


def usable_processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _here(sides: Sides, chunks: Iterator[Sized], _jobs: int) -> Generator[tuple[Sized, Tally], None, None]:
    replay = sides.replay()
    for sized in chunks:
        yield sized, count(replay, sized.chunk)


def _in_processes(sides: Sides, chunks: Iterator[Sized], jobs: int) -> Generator[tuple[Sized, Tally], None, None]:
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (sides,)) as pool:
        waiting: deque[tuple[Sized, Future[Tally]]] = deque()
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


_replay: Replay | None = None


def _begin(sides: Sides) -> None:
    # Ctrl-C ends the process that gives out the work, and that ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _replay  # noqa: PLW0603 - what a worker process keeps between chunks
    _replay = sides.replay()


def _count(chunk: Chunk) -> Tally:
    if _replay is None:
        raise RuntimeError("the worker was not begun")
    return count(_replay, chunk)


def count(replay: Replay, chunk: Chunk) -> Tally:
    """What a replay says about the events of a chunk."""
    tally, now, take = Tally(), datetime.now(UTC), replay.take
    for text in chunk.items(tally.note_unreadable):
        item = text.strip()
        if not item:
            continue
        archived = archived_event(item)
        if archived is not None:
            take(*archived, tally)
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
    return tally
