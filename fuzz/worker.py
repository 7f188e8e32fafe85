"""One fuzzing process: turns from target to target, and keeps what it tries where its parent can see it."""

import faulthandler
import gc
import mmap
import os
import resource
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from random import Random
from typing import TYPE_CHECKING

from fuzz.coverage import Coverage
from fuzz.findings import Finding, kind_of, minimise
from fuzz.mutation import LARGEST
from fuzz.target import Target

if TYPE_CHECKING:
    from collections.abc import Hashable

SLICE_SECONDS = 3.0
MEMORY_LIMIT = 3 * 1024**3
"""Bytes of address space; what needs more gets MemoryError, which is a finding."""
MEMORY_JUMP = 400 * 1024**2
"""Bytes one input may add to the peak of the process."""
SLOT_SIZE = LARGEST + 64

_MAX_CORPUS = 3_000
_MAX_KEPT_BYTES = 4 * 1024
_TRACED = 128


class Slot:
    """Shared memory that says what a worker is trying: a crash or a hang leaves its input there."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOT_SIZE)

    def put(self, target: int, data: bytes) -> None:
        """Before an input is tried."""
        memory = self._memory
        memory[0:8] = len(data).to_bytes(8, "little")
        memory[8:16] = target.to_bytes(8, "little")
        memory[64 : 64 + len(data)] = data

    def get(self) -> tuple[int, bytes]:
        """The number of the target and the input that was put last."""
        memory = self._memory
        size = int.from_bytes(memory[0:8], "little")
        return int.from_bytes(memory[8:16], "little"), memory[64 : 64 + size]


@dataclass(slots=True)
class Progress:
    """What one worker did with one target since it last said so."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    outcomes: int = 0
    lines: int = 0
    corpus: int = 0
    findings: list[Finding] = field(default_factory=list)


class _Lane:
    """A target with its corpus and what is known of it."""

    def __init__(self, target: Target, rng: Random) -> None:
        self.target = target
        self.rng = rng
        self.corpus = target.seeds()
        self.outcomes: set[Hashable] = set()
        self.coverage = Coverage()
        self.known: set[str] = set()
        self.waiting = list(self.corpus)

    def next_input(self) -> bytes:
        return self.waiting.pop() if self.waiting else self.target.mutate(self.rng, self.corpus)

    def keep(self, data: bytes) -> None:
        if len(data) > _MAX_KEPT_BYTES:
            return
        if len(self.corpus) >= _MAX_CORPUS:
            self.corpus[int(self.rng.random() * len(self.corpus))] = data
        else:
            self.corpus.append(data)


def work(targets: list[Target], seed: int, slot: Slot, pipe: Connection, ends: float) -> None:
    """Fuzz all targets in turn until ``ends`` (of time.monotonic); progress goes into the pipe."""
    os.nice(5)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    lanes = [_Lane(target, Random(f"{seed} {target.name}")) for target in targets]
    gc.freeze()
    while time.monotonic() < ends:
        for number, lane in enumerate(lanes):
            until = min(ends, time.monotonic() + SLICE_SECONDS * lane.target.share)
            pipe.send(_slice(lane, number, slot, until))
            if time.monotonic() >= ends:
                break
    pipe.send(None)


def _slice(lane: _Lane, number: int, slot: Slot, until: float) -> Progress:
    """Try inputs of one target for a while."""
    progress = Progress(lane.target.name)
    run, clock, limit = lane.target.run, time.thread_time, lane.target.seconds
    began = time.monotonic()
    peak = _peak()
    while True:
        data = lane.next_input()
        slot.put(number, data)
        progress.inputs += 1
        before = clock()
        try:
            outcome = run(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            _found(lane, progress, kind_of(error), traceback.format_exc(), data)
        else:
            taken = clock() - before
            if taken > progress.slowest:
                progress.slowest = taken
                if taken > limit and _is_slow(lane.target, data):
                    _found(lane, progress, "slow", f"{taken:.2f} s of CPU time for {len(data)} bytes", data)
            if outcome not in lane.outcomes:
                lane.outcomes.add(outcome)
                lane.keep(data)
            elif progress.inputs % _TRACED == 0 and taken < 0.02 and lane.coverage.run(run, data):
                lane.keep(data)
        if progress.inputs % 32 == 0 or len(data) > _MAX_KEPT_BYTES:
            peak, before_peak = _peak(), peak
            if peak - before_peak > MEMORY_JUMP:
                detail = f"the peak went up by {(peak - before_peak) >> 20} MB near this input of {len(data)} bytes"
                _found(lane, progress, "memory", detail, data)
            if time.monotonic() >= until:
                break
    progress.seconds = time.monotonic() - began
    progress.outcomes, progress.lines, progress.corpus = len(lane.outcomes), lane.coverage.lines, len(lane.corpus)
    return progress


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _is_slow(target: Target, data: bytes) -> bool:
    """Once more: the first time may have built what is built once."""
    before = time.thread_time()
    target.run(data)
    return time.thread_time() - before > target.seconds


def _found(lane: _Lane, progress: Progress, kind: str, detail: str, data: bytes) -> None:
    if kind in lane.known:
        return
    lane.known.add(kind)
    finding = Finding(lane.target.name, kind, detail, data)
    progress.findings.append(finding if kind == "memory" else minimise(lane.target, finding))
