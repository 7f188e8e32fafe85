"""What counting the matches of rules with thresholds costs: write and read units of DynamoDB, by recording.

    .venv/bin/python benchmarks/thresholds.py [--batch 64]

Every recording goes through ingest in memory, with the rules that ship, in batches. A write costs one unit for each kB
of the item that it leaves, a consistent read one for each 4 kB.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from auditwire.events import decode
from auditwire.rules import RuleSet, load_rule_set
from auditwire.thresholds.store import Added, Addition, MemoryThresholds
from captures import logs, own_bodies
from memory_road import Road

RULES = Path(__file__).parents[1] / "rules"
RECEIVED = datetime(2026, 11, 29, tzinfo=UTC)
ITEM_BYTES = 110
"""Of an item without members: names of attributes, key, rule and time."""
MEMBER_BYTES = 16


@dataclass
class Metered(MemoryThresholds):
    """A store that adds up what its requests would cost. A closed window takes no more writes."""

    writes: int = 0
    write_units: int = 0
    read_units: int = 0
    sizes: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, additions: Sequence[Addition], deadline: float) -> Added:
        for one in additions:
            key = one.group, one.window
            if self.sizes.get(key, 0) >= one.at_least:
                continue
            self.sizes[key] = self.sizes.get(key, 0) + len(one.members)
            self.writes += 1
            self.write_units += 1 + (ITEM_BYTES + MEMBER_BYTES * self.sizes[key]) // 1024
            for window in (one.window - 1, one.window + 1):
                self.read_units += 1 + (MEMBER_BYTES * self.sizes.get((one.group, window), 0)) // 4096
        return MemoryThresholds.add(self, additions, deadline)


class Shipped:
    """A source of the rules that ship."""

    def __init__(self) -> None:
        self._rules = load_rule_set([RULES])

    def current(self) -> RuleSet:
        return self._rules


def batches(lines: Sequence[bytes], size: int) -> Iterator[list[bytes]]:
    """The events of a recording, so many at a time."""
    events = [bytes(event.raw) for line in lines for event in decode(line).events]
    for at in range(0, len(events), size):
        yield events[at : at + size]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    size = parser.parse_args().batch
    rules = Shipped()
    print(f"events in batches of {size}, and by themselves; units for a million events\n")
    print("| recording | events | matches | writes | write units | read units | write units, one event a batch |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for capture in [*logs(), *own_bodies()]:
        meters = {}
        events = matches = 0
        for number in (size, 1):
            meters[number] = store = Metered()
            road = Road(rules=rules, thresholds=store)
            events = matches = 0
            for some in batches(capture.lines, number):
                answer = road.post(b'{"kind":"EventList","items":[%b]}' % b",".join(some), received=RECEIVED)
                if answer.account is not None:
                    events += answer.account.received
                    matches += answer.account.pending.total()
        many, alone = meters[size], meters[1]
        million = 1e6 / events
        figures = [
            events,
            matches,
            round(many.writes * million),
            round(many.write_units * million),
            round(many.read_units * million),
            round(alone.write_units * million),
        ]
        print(f"| {capture.name} | {' | '.join(f'{figure:,}' for figure in figures)} |")


if __name__ == "__main__":
    main()
