"""What the index takes, and what searching by it saves, as ratios to decoding every line.

    .venv/bin/python benchmarks/search.py [--events 1000000]

Makes an archive of one cluster over seven days in a folder, seals it, which builds the index, and asks the same
questions of each engine. Every answer is compared first. CPU time of the whole process, DuckDB's threads included; the
least of three runs. Reading over a network is not measured.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from archived import CLUSTER, archived

from auditwire.archive.keys import object_key
from auditwire.events import inflate
from auditwire.events.gzipping import gzip_bytes
from auditwire.evidence.folder import FolderReader
from auditwire.evidence.indexing import Indexing
from auditwire.evidence.reading import read_object
from auditwire.search import (
    AllOf,
    Coverage,
    Engine,
    Groups,
    Histogram,
    Interval,
    Page,
    Query,
    Summary,
    Test,
    Wanted,
)
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.scan import Scan

HOURS: Final = 168
START: Final = datetime(2026, 11, 14, tzinfo=UTC)
BATCH: Final = 400
RUNS: Final = 2

Ask = Callable[[Engine], Any]


@dataclass(frozen=True, slots=True)
class Unscreened:
    """True of what another filter is true of, but no text is known that must be in the line: every line is decoded."""

    part: Test

    def matches(self, found: Any) -> bool:
        """See Filter."""
        return self.part.matches(found)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the same question in a way that has every line decoded."""

    name: str
    ask: Ask
    plainly: Ask


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        packed, count = make(place, events)
        index, seconds = seal(place)
        print(f"{count:,} events, {packed / count:.1f} bytes an event")
        print(f"index: {index / count:.1f} bytes an event, {index / packed:.2f} of the archive")
        print(f"reading, hashing and indexing: {seconds / count * 1e6:.1f} µs an event, peak memory {peak()} MB\n")
        print("| question | scan / decoding | duckdb / decoding | decoding, CPU seconds |")
        print("| --- | ---: | ---: | ---: |")
        reader = FolderReader(place)
        for question in questions(reader):
            plain = least(lambda question=question: question.plainly(Scan(reader)))  # type: ignore[misc]
            ways = [
                least(lambda engine=engine, question=question: question.ask(engine(reader)))  # type: ignore[misc]
                for engine in (Scan, DuckDBEngine)
            ]
            answers = [plain[1], *(way[1] for way in ways)]
            if any(answer != answers[0] for answer in answers):
                raise SystemExit(f"{question.name}: the engines do not answer alike")
            ratios = [ratio(way[0], plain[0]) for way in ways]
            print(f"| {question.name} | {ratios[0]} | {ratios[1]} | {plain[0]:.2f} |", flush=True)
    print(f"\npeak memory of everything: {peak()} MB")


def ratio(time: float, other: float) -> str:
    """One time over another."""
    return f"1/{other / time:.0f}" if time * 2 < other else f"{time / other:.2f}"


def peak() -> int:
    """The highest memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def make(folder: Path, events: int, hours: int = HOURS) -> tuple[int, int]:
    """An archive with about so many events in so many hours: its stored bytes, and how many events it has."""
    size = count = 0
    for number, (t, packed) in enumerate(archived(events // BATCH, BATCH)):
        hour = START + timedelta(hours=number % hours)
        before, after = f"{t[:4]}-{t[4:6]}-{t[6:11]}".encode(), hour.strftime("%Y-%m-%dT%H").encode()
        content = inflate(packed, "gzip").replace(before, after)
        stored = gzip_bytes(content)
        key = object_key(CLUSTER, after.decode(), hour.strftime("%Y%m%dT%H") + t[11:], sha256(stored).hexdigest())
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(stored)
        size += len(stored)
        count += content.count(b"\n")
    return size, count


def seal(folder: Path) -> tuple[int, float]:
    """Reads and indexes everything as the seal function does, hour by hour: bytes of the index, and CPU seconds."""
    reader, size = FolderReader(folder), 0

    def put(key: str, content: bytes) -> None:
        nonlocal size
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
        size += len(content)

    begun = time.process_time()
    arrived = datetime(2026, 11, 22, tzinfo=UTC)
    with Indexing(put) as indexing:
        for day in reader.folders(f"events/cluster={CLUSTER}/").prefixes:
            for hour in reader.folders(day).prefixes:
                entries = []
                for listed in list(reader.listing(hour)):
                    read = read_object(listed.key, reader.read(listed.key), arrived)
                    indexing.take(read)
                    entries.append(read.entry)
                indexing.sealed(None, entries)  # type: ignore[arg-type]
    return size, time.process_time() - begun


def questions(reader: FolderReader) -> Iterator[Question]:
    """The questions that people ask most."""
    first = next(iter(Scan(reader).rows(Query(), Page(1), Coverage()))).found
    day, end = START + timedelta(days=3), START + timedelta(days=4)
    by_user = Test("user", ("user-7@example.com",))
    by_id = Test("audit_id", (first.audit_id,))
    yield _rows(
        "a user's events of a day",
        Query(by_user, day, end),
        Query(Unscreened(by_user), day, end),
        Page(),
    )
    yield _rows("an auditID in 7 days", Query(by_id), Query(Unscreened(by_id)), Page())
    newest = Page(50, newest=True)
    yield _rows("the newest 50 of a user in 7 days", Query(by_user), Query(Unscreened(by_user)), newest)
    yield _counts("count by user and verb, 7 days", Wanted(Groups(("user", "verb"))))
    yield _counts("histogram of 10 minutes, 7 days", Wanted(histogram=Histogram(Interval.parse("10m"))))
    text = "web-7"
    yield _rows("a text in 7 days", Query(texts=(text,)), Query(Has(text)), Page())


@dataclass(frozen=True, slots=True)
class Has:
    """The events with a text, every line decoded."""

    text: str

    def matches(self, found: Any) -> bool:
        """See Filter."""
        return self.text.encode() in found.line


def _rows(name: str, query: Query, plainly: Query, page: Page) -> Question:
    def ask(query: Query) -> Ask:
        return lambda engine: [(hit.key, hit.number) for hit in engine.rows(query, page, Coverage())]

    return Question(name, ask(query), ask(plainly))


def _counts(name: str, wanted: Wanted) -> Question:
    def ask(engine: Engine) -> Summary:
        return engine.summarise(Query(AllOf()), wanted, Coverage())

    return Question(name, ask, ask)


def least(action: Callable[[], Any]) -> tuple[float, Any]:
    """The least CPU time of an action, and what it gives."""
    times, given = [], None
    for _ in range(RUNS):
        begun = time.process_time()
        given = action()
        times.append(time.process_time() - begun)
    return min(times), given


if __name__ == "__main__":
    main()
