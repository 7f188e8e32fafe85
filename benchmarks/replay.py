"""What replaying an archive costs, against inflating it and reading its JSON at all.

    .venv/bin/python benchmarks/replay.py [--events 1000000] [--jobs 2]

Prints Markdown. First the ratio, in one process: both sides of a replay over gzipped lines of the archive, against
inflating the same objects and `orjson.loads` of their lines. Then whole runs in processes, with the processor time of
all processes and the memory of the largest: KubeSphere's six rules against the generated detections, and the shipped
rules against themselves.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, islice

import orjson
from isal import igzip
from rule_packs import pack
from timing import side_by_side
from traffic import batches

from auditwire.events import decode, encode_line, settle
from auditwire.rules import load_sources
from auditwire.rules.bundle import encode_bundle
from auditwire.rules.files import default_rules
from auditwire_cli.replay.chunks import Packed, Sized
from auditwire_cli.replay.workers import Sides, count, count_all

SIZE = 400
RECEIVED = datetime(2026, 11, 21, 23, tzinfo=UTC)
NOTED = {
    "received": "2026-11-21T23:00:00.000000Z",
    "batch": "ab" * 32,
    "bundle": "cd" * 32,
    "archiving": [],
    "alerting": [],
}


def objects(number: int) -> list[bytes]:
    """This many objects of the archive, 400 events each."""
    made = []
    for body in batches(number, SIZE):
        lines = []
        for event in decode(body).events:
            settle(event, cluster="prod", received=RECEIVED)
            lines.append(encode_line(event, NOTED))
        made.append(igzip.compress(b"\n".join(lines)))
    return made


def bundle(size: int | None) -> bytes:
    """The rules of this many as a bundle; those that ship with None."""
    sources = default_rules() if size is None else pack(size)
    rule_set = load_sources(sources).rule_set
    if rule_set is None:
        raise SystemExit("the generated rules do not load")
    return encode_bundle(rule_set, sources)


def ratio(stored: list[bytes], old: int | None, new: int | None) -> tuple[float, float]:
    """The time of a replay over that of inflating and reading the same objects, and its microseconds an event."""
    replay = Sides(bundle(old), bundle(new)).begin()
    costs = side_by_side(
        stored,
        {
            "replay": lambda one: count(replay, Packed([("benchmark", one)])),
            "read": lambda one: [orjson.loads(line) for line in _inflated(one).split(b"\n")],
        },
    )
    return costs["replay"] / costs["read"], costs["replay"] / (len(stored) * SIZE) * 1e6


def _inflated(packed: bytes) -> bytes:
    return bytes(igzip.decompress(packed))  # type: ignore[no-untyped-call]


def run(stored: list[bytes], old: int | None, new: int | None, events: int, jobs: int) -> str:
    """One replay of this many events in processes, as a line of a table."""

    def chunks() -> Iterator[Sized]:
        coming = islice(cycle(stored), events // SIZE)
        while some := list(islice(coming, 10)):
            yield Sized(Packed([("benchmark", one) for one in some]), len(some))

    before, began = _processor_seconds(), time.monotonic()
    tally = count_all(Sides(bundle(old), bundle(new)), chunks(), lambda _done, _text: None, jobs=jobs)
    seconds, used = time.monotonic() - began, _processor_seconds() - before
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    largest = max(usage.ru_maxrss for usage in usages) / 1024
    gained = sum(counted.gained for counted in tally.rules.values())
    figures = (
        _name(old), _name(new), f"{tally.events:,}", str(jobs), f"{seconds:.1f} s", f"{used:.1f} s",
        f"{tally.events / used:,.0f}", f"{largest:.0f} MiB", f"{gained:,}",
    )  # fmt: skip
    return f"| {' | '.join(figures)} |"


def _name(rules: int | None) -> str:
    return "shipped" if rules is None else str(rules)


def _processor_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    stored = objects(12)
    print("| old rules | new rules | replay / inflate + `orjson.loads` | µs an event |\n| ---: | ---: | ---: | ---: |")
    for old, new in ((6, 6), (6, 300), (300, 300), (None, None), (6, None)):
        found, microseconds = ratio(stored, old, new)
        print(f"| {_name(old)} | {_name(new)} | {found:.2f} | {microseconds:.1f} |")
    heads = ("old rules", "new rules", "events", "processes", "time", "processor time", "events a processor second",
             "largest process", "gained")  # fmt: skip
    print(f"\n| {' | '.join(heads)} |\n|{' ---: |' * len(heads)}")
    many = objects(250)
    for old, new in ((6, 300), (None, None)):
        print(run(many, old, new, given.events, given.jobs))


if __name__ == "__main__":
    main()
