"""How long the console's first screen takes over a million events, against reading their lines.

    PYTHONPATH=tests .venv/bin/python benchmarks/console.py [--events 1000000]

Prints a Markdown table. The archive is written into a folder with an index, as sealing makes one. ``reading`` inflates
and decodes every line once, in one thread. All times are CPU time of this process, each asked three times, the least.
The memory is the highest of a process that asks this alone, Python and its modules included.
"""

import argparse
import os
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import orjson

from auditwire.events import inflate
from auditwire.evidence.folder import FolderReader
from auditwire.search import Engine, Facet, Histogram, Interval, Page, Query, Test, Wanted
from auditwire.search.answer import Coverage
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire_console import ON_LAMBDA
from auditwire_console.api import rows
from auditwire_console.viewer import ALL, Viewer, Visible
from many_events import write_archive

FACETS = tuple(Facet(name) for name in ("verb", "user", "cluster", "namespace", "resource", "code", "source", "rule"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the console's first screen.")
    parser.add_argument("--events", type=int, default=1_000_000, help="how many events the archive has")
    count = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        write_archive(Path(folder), count)
        peaks = {name: _peak(Path(folder), name) for name in _screens(_engine(Path(folder)))}
        engine = _engine(Path(folder))
        wall, cpu = _least(lambda: _read(Path(folder)), 1)
        print(f"| of {count:,} events | ms | CPU, ms | CPU / reading | MB |\n| --- | ---: | ---: | ---: | ---: |")
        print(f"| reading every line | {wall * 1e3:,.0f} | {cpu * 1e3:,.0f} | 1 | |")
        for name, action in _screens(engine).items():
            took, spent = _least(action, 3)
            shown = f"{took * 1e3:,.0f} | {spent * 1e3:,.0f} | 1 / {cpu / spent:,.0f} | {peaks[name]:,.0f}"
            print(f"| {name} | {shown} |")


def _engine(folder: Path) -> Engine:
    return Visible(DuckDBEngine(FolderReader(folder)), Viewer("bench", (ALL,)))


def _peak(folder: Path, name: str) -> float:
    """The MB of a process that asks for one screen."""
    asking = os.fork()
    if asking == 0:
        _screens(_engine(folder))[name]()
        os._exit(0)
    return os.wait4(asking, 0)[2].ru_maxrss / 1024


def _export(engine: Engine) -> int:
    """As much as the deployed console sends at most, compressed."""
    packer, sent = zlib.compressobj(), 0
    page = Page(limit=rows.MAX_EXPORTED, newest=True)
    for chunk in rows.as_json_lines(engine.rows(Query(), page, Coverage())):
        sent += len(packer.compress(chunk))
        if sent > (ON_LAMBDA.answer_bytes or 0):
            break
    return sent


def _screens(engine: Engine) -> dict[str, Callable[[], object]]:
    everything = Query()
    one_user = Query(where=Test("user", ("mallory",)))
    page = Page(limit=100, newest=True)
    hours = Wanted(histogram=Histogram(Interval.parse("1h")))
    return {
        "first 100 rows, the newest": lambda: rows.rows(engine, everything, page, Coverage()),
        "histogram by hours and the number": lambda: rows.summary(engine, everything, hours, Coverage()),
        "the same with eight facets": lambda: rows.summary(
            engine, everything, Wanted(histogram=hours.histogram, facets=FACETS), Coverage()
        ),
        "first 100 rows of one user": lambda: rows.rows(engine, one_user, page, Coverage()),
        "histogram of one user": lambda: rows.summary(engine, one_user, hours, Coverage()),
        "one event by its auditID": lambda: rows.rows(
            engine, Query(where=Test("audit_id", ("9c1f8a52-0000-4000-8000-000000000007",))), page, Coverage()
        ),
        "an export as large as a deployed console sends": lambda: _export(engine),
    }


def _read(folder: Path) -> int:
    return sum(
        1
        for path in folder.glob("events/**/*.jsonl.gz")
        for line in inflate(path.read_bytes(), "gzip").splitlines()
        if orjson.loads(line)
    )


def _least(action: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Wall and CPU seconds, the least of each."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


if __name__ == "__main__":
    main()
