"""How long the console's first screen takes over a million events, against reading their lines.

    PYTHONPATH=tests .venv/bin/python benchmarks/console.py [--events 1000000]

Prints a Markdown table. The archive is written into a folder with an index, as sealing makes one. ``reading`` inflates
and decodes every line once, in one thread. All times are CPU time of this process, each asked three times, the least.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from auditwire.events import inflate
from auditwire.evidence.folder import FolderReader
from auditwire.search import Engine, Facet, Histogram, Interval, Page, Query, Test, Wanted
from auditwire.search.answer import Coverage
from auditwire.search.duckdb_engine import DuckDBEngine
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
        engine = Visible(DuckDBEngine(FolderReader(Path(folder))), Viewer("bench", (ALL,)))
        wall, cpu = _least(lambda: _read(Path(folder)), 1)
        print(f"| of {count:,} events | ms | CPU, ms | CPU / reading |\n| --- | ---: | ---: | ---: |")
        print(f"| reading every line | {wall * 1e3:,.0f} | {cpu * 1e3:,.0f} | 1 |")
        for name, action in _screens(engine).items():
            took, spent = _least(action, 3)
            print(f"| {name} | {took * 1e3:,.0f} | {spent * 1e3:,.0f} | 1 / {cpu / spent:,.0f} |")


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
