"""A run over all targets: starts the workers, watches them, adds up, reports."""

import json
import multiprocessing
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fuzz.findings import FOLDER, Finding, write
from fuzz.target import Target
from fuzz.worker import SLICE_SECONDS, Progress, Slot, work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess
    from pathlib import Path

REPORT = FOLDER / "report.json"

# A worker reports after each slice; one that says nothing for so long hangs in one input.
_SILENCE_SECONDS = SLICE_SECONDS * 4 + 60.0
_SAY_EVERY_SECONDS = 15.0


class _Worker:
    def __init__(self, targets: list[Target], seed: int, ends: float) -> None:
        context = multiprocessing.get_context("fork")
        self.slot = Slot()
        self.pipe: Connection
        self.pipe, theirs = context.Pipe(duplex=False)
        self.process: ForkProcess = context.Process(target=work, args=(targets, seed, self.slot, theirs, ends))
        self.process.start()
        theirs.close()
        self.heard = time.monotonic()


class Campaign:
    """Counts of one run, by target."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = list(targets)
        self.totals = {target.name: Progress(target.name) for target in targets}
        self.findings: dict[tuple[str, str], Path] = {}
        self.began = time.monotonic()

    def run(self, minutes: float, processes: int, seed: int) -> None:
        """Fuzz for as long; a worker that dies or hangs is a finding and is replaced."""
        ends = self.began + minutes * 60
        workers = [_Worker(self.targets, seed + number, ends) for number in range(processes)]
        said = time.monotonic()
        while workers:
            for worker in list(workers):
                done, alive = self._listen(worker)
                if alive and not done:
                    continue
                workers.remove(worker)
                worker.process.join()
                if not done and time.monotonic() < ends:
                    seed += 1_000
                    workers.append(_Worker(self.targets, seed, ends))
            if time.monotonic() - said > _SAY_EVERY_SECONDS:
                said = time.monotonic()
                print(self.line(), flush=True)
        print(self.table())

    def _listen(self, worker: _Worker) -> tuple[bool, bool]:
        """Takes what a worker says; whether it is done, and whether it lives."""
        try:
            if worker.pipe.poll(0.5):
                said = worker.pipe.recv()
                worker.heard = time.monotonic()
                if said is None:
                    return True, False
                self._add(said)
                return False, True
        except EOFError:
            self._lost(worker, f"the process died with exit code {worker.process.exitcode}", "crash")
            return False, False
        if time.monotonic() - worker.heard > _SILENCE_SECONDS:
            worker.process.kill()
            self._lost(worker, f"no end after {_SILENCE_SECONDS:.0f} s", "hang")
            return False, False
        return False, True

    def _lost(self, worker: _Worker, detail: str, kind: str) -> None:
        number, data = worker.slot.get()
        self._write(Finding(self.targets[number].name, kind, detail, data))

    def _add(self, said: Progress) -> None:
        total = self.totals[said.target]
        total.inputs += said.inputs
        total.seconds += said.seconds
        total.slowest = max(total.slowest, said.slowest)
        total.outcomes = max(total.outcomes, said.outcomes)
        total.lines = max(total.lines, said.lines)
        total.corpus = max(total.corpus, said.corpus)
        for finding in said.findings:
            self._write(finding)

    def _write(self, finding: Finding) -> None:
        if (finding.target, finding.kind) not in self.findings:
            path = self.findings[finding.target, finding.kind] = write(finding)
            print(f"found: {finding.target}: {finding.kind} ({len(finding.data)} bytes), see {path}", flush=True)

    def line(self) -> str:
        """How far it is, on one line."""
        inputs = sum(total.inputs for total in self.totals.values())
        passed = time.monotonic() - self.began
        return f"{passed / 60:6.1f} min  {inputs:12,} inputs  {inputs / passed:8,.0f}/s  {len(self.findings)} findings"

    def table(self) -> str:
        """What was tried, by target."""
        rows = [
            f"{'target':<14}{'inputs':>14}{'seconds':>9}{'slowest ms':>12}{'outcomes':>10}{'lines':>7}{'corpus':>8}"
        ]
        rows += [
            f"{one.target:<14}{one.inputs:>14,}{one.seconds:>9.0f}{one.slowest * 1000:>12.1f}{one.outcomes:>10}"
            f"{one.lines:>7}{one.corpus:>8}"
            for one in self.totals.values()
        ]
        return "\n".join([*rows, f"{'all':<14}{sum(one.inputs for one in self.totals.values()):>14,}", self.line()])

    def report(self) -> dict[str, Any]:
        """The run as JSON values; appended to those before it in the report file."""
        return {
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.began),
            "inputs": {one.target: one.inputs for one in self.totals.values()},
            "slowest_seconds": {one.target: round(one.slowest, 4) for one in self.totals.values()},
            "lines_reached": {one.target: one.lines for one in self.totals.values()},
            "findings": [
                {"target": target, "kind": kind, "file": path.name} for (target, kind), path in self.findings.items()
            ],
        }


def append_report(report: dict[str, Any]) -> int:
    """Add a run to the report file; the inputs of all its runs together."""
    FOLDER.mkdir(exist_ok=True)
    runs = json.loads(REPORT.read_text(encoding="utf-8"))["runs"] if REPORT.exists() else []
    runs.append(report)
    total = sum(sum(run["inputs"].values()) for run in runs)
    REPORT.write_text(json.dumps({"inputs": total, "runs": runs}, indent=2) + "\n", encoding="utf-8")
    return total
