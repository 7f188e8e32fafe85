"""What a batch costs without the network, against reading its JSON and against doing the whole of it plainly.

    .venv/bin/python benchmarks/batch.py

Prints a Markdown table. The plain way is `orjson.loads`, the same decisions, `orjson.dumps` of what is kept, and gzip
at level 6. How much is kept decides how much there is to compress, so there are three sets of rules: 60 detections
alone, with an archiving rule for every write, and with one for everything.

CPU time with garbage collection off. Every step runs several times in a row on a batch, and all sides of a ratio in one
process, batch by batch; the least time per batch counts, summed over the batches. A step is timed with what it is given
made anew each time, for decoding and settling keep their results in the events.
"""

import gc
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from rule_packs import pack
from traffic import batches

from auditwire.archive import partition
from auditwire.events import Event, decode, encode_line, read, settle
from auditwire.events.gzipping import gzip_lines
from auditwire.pipeline import Deciding, Decisions, decide_batch
from auditwire.rules import RuleSet, Source, load_sources
from auditwire.senders.kind import SenderKind

RECEIVED: Final = datetime(2026, 11, 21, 23, tzinfo=UTC)
BATCHES: Final = 12
SIZE: Final = 400
ROUNDS: Final = 9

KEPT: Final = {
    "alerts only": "",
    "alerts and writes": 'Verb in ("create", "update", "patch", "delete")',
    "everything": "Verb exists",
}
"""What the rules keep, as the condition of the archiving rule beside the detections."""

_ARCHIVING: Final = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {{name: keep, labels: {{type: archiving}}}}
spec:
  rules:
  - {{name: kept, type: rule, priority: DEBUG, condition: '{condition}'}}
"""


def rules_keeping(condition: str, size: int = 60) -> RuleSet:
    """The detections of rule_packs and, unless the condition is empty, an archiving rule."""
    keep = [Source("keep.yaml", _ARCHIVING.format(condition=condition))] if condition else []
    rule_set = load_sources([*pack(size), *keep]).rule_set
    if rule_set is None:
        raise SystemExit("the generated rules do not load")
    return rule_set


def settled(body: bytes) -> list[Event]:
    """The events of a body, settled."""
    return settle_all(decode(body).events)


def settle_all(events: list[Event]) -> list[Event]:
    """The same events, settled."""
    for event in events:
        settle(event, cluster="bench", received=RECEIVED)
    return events


def lines_of(decisions: Decisions) -> Iterator[bytes]:
    """The archive lines of what is kept."""
    about = {"received": "2026-11-21T23:00:00.000000Z", "batch": "0" * 64, "bundle": "1" * 64}
    for kept in decisions.kept:
        about_it = {**about, "archiving": kept.verdict.archiving, "alerting": kept.verdict.alerting}
        yield encode_line(kept.event, about_it)


def whole(body: bytes, rules: RuleSet) -> bytes:
    """One batch down the road: decode, settle, decide, divide by hours, make lines, compress."""
    taken = read(body, lambda: Deciding(sender=SenderKind.KUBERNETES, rules=rules), _settle_and_take)
    decisions = taken.taker.decisions()
    partition(decisions.seen, RECEIVED)
    return gzip_lines(lines_of(decisions))


def _settle_and_take(deciding: Deciding, event: Event) -> None:
    settle(event, cluster="bench", received=RECEIVED)
    deciding.take(event)


def ratios(rules: RuleSet, bodies: list[bytes], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds an event by step, and the two ratios: ``decode / loads`` and ``whole / plain``; ``kept`` is the
    share of events."""
    sums: dict[str, float] = {}
    kept = 0
    for body in bodies:
        for _ in range(25):  # until what is remembered about values is warm, as after the first batches
            decisions = decide_batch(settled(body), sender=SenderKind.KUBERNETES, rules=rules)
        kept += len(decisions.kept)
        for name, least in _least(body, rules, [one.position for one in decisions.kept], rounds).items():
            sums[name] = sums.get(name, 0.0) + least
    count = len(bodies) * SIZE
    steps = {name: total / count / 1000 for name, total in sums.items()}
    plain = steps["loads"] + steps["decide"] + steps["dumps"] + steps["gzip 6"]
    return steps | {
        "kept": kept / count,
        "decode / loads": steps["decode"] / steps["loads"],
        "whole / plain": steps["whole"] / plain,
    }


def _least(body: bytes, rules: RuleSet, kept: list[int], rounds: int) -> dict[str, float]:
    """The least nanoseconds of every step on one batch."""
    items = orjson.loads(body)["items"]
    texts = [orjson.dumps(items[position]) for position in kept]
    joined = b"\n".join(texts)
    ready: dict[str, Callable[[], Any]] = {
        "settle": lambda: decode(body).events,
        "decide": lambda: settled(body),
        "lines": lambda: decide_batch(settled(body), sender=SenderKind.KUBERNETES, rules=rules),
    }
    steps: dict[str, Callable[[Any], object]] = {
        "loads": lambda _: orjson.loads(body),
        "decode": lambda _: decode(body),
        "settle": settle_all,
        "decide": lambda events: decide_batch(events, sender=SenderKind.KUBERNETES, rules=rules),
        "lines": lambda decisions: list(lines_of(decisions)),
        "gzip": lambda _: gzip_lines(texts),
        "dumps": lambda _: [orjson.dumps(items[position]) for position in kept],
        "gzip 6": lambda _: zlib.compress(joined, 6, wbits=31),
        "whole": lambda _: whole(body, rules),
    }
    least: dict[str, float] = {}
    for name, step in steps.items():
        for _ in range(rounds):
            given = ready[name]() if name in ready else None
            start = time.process_time_ns()
            step(given)
            taken = time.process_time_ns() - start
            least[name] = min(least.get(name, taken), taken)
            del given
    return least


def main() -> None:
    """Measure and print."""
    gc.disable()
    bodies = batches(BATCHES, SIZE)
    tables = {name: ratios(rules_keeping(condition), bodies) for name, condition in KEPT.items()}
    print(f"| us/event | {' | '.join(tables)} |")
    print("| --- |" + " ---: |" * len(tables))
    for step in next(iter(tables.values())):
        print(f"| {step} | {' | '.join(f'{table[step]:.2f}' for table in tables.values())} |")


if __name__ == "__main__":
    main()
