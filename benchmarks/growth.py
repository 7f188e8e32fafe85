"""How cost grows: with the number of rules, with the size of a batch, and with the level of its events."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Final

import batch
import timing
from decide import rule_set_of
from traffic import at_level, batches

from auditwire.events import decode
from auditwire.events.gzipping import gzip_lines
from auditwire.pipeline import decide_batch
from auditwire.rules import RuleSet
from auditwire.senders.kind import SenderKind

RULES: Final = (6, 60, 120, 180, 240, 300, 420, 540)
BATCHES: Final = (1, 4, 16, 25, 64, 256, 400)
LEVELS: Final = ("Metadata", "Request", "RequestResponse")

_WARM: Final = 25


def by_rules() -> dict[str, float]:
    """Microseconds an event of deciding, as ``rules N``."""
    bodies = batches(4)
    return {f"rules {size}": _decide_cost(rule_set_of(size), bodies) for size in RULES}


def by_batch() -> dict[str, float]:
    """Microseconds a batch of everything but the network, with 60 rules, as ``batch N``."""
    rules = batch.rules_keeping(batch.KEPT["alerts and writes"])
    return {f"batch {size}": _whole_cost(rules, batches(max(4, 64 // size), size)) for size in BATCHES}


def by_level(sizes: Sequence[int] = BATCHES) -> dict[str, float]:
    """What an event costs at each level: ``LEVEL batch N`` microseconds a batch of N; ``LEVEL body`` bytes as sent,
    ``LEVEL line`` bytes as archived and compressed with its batch, ``LEVEL item`` alone; and ``kept``, the share that
    is archived."""
    rules = batch.rules_keeping(batch.KEPT["alerts and writes"])
    figures: dict[str, float] = {}
    for level in LEVELS:
        for size in sizes:
            bodies = [at_level(body, level) for body in batches(max(4, 64 // size), size)]
            figures[f"{level} batch {size}"] = _whole_cost(rules, bodies)
        body = at_level(batches(1)[0], level)
        count = len(decode(body).events)
        decisions = decide_batch(batch.settled(body), sender=SenderKind.KUBERNETES, rules=rules)
        figures[f"{level} body"] = len(body) / count
        figures[f"{level} line"] = len(batch.whole(body, rules)) / len(decisions.kept)
        figures[f"{level} item"] = mean([len(gzip_lines([line])) for line in batch.lines_of(decisions)])
        figures["kept"] = len(decisions.kept) / count
    return figures


def tables(figures: Mapping[str, float]) -> str:
    """The growth with rules and with batch size, in Markdown."""
    rules = ["| rules | decide, µs an event |", "| ---: | ---: |"]
    rules += [f"| {size} | {figures[f'rules {size}']:.2f} |" for size in RULES]
    sizes = ["| events a batch | " + " | ".join(f"{level}, µs an event" for level in LEVELS) + " |"]
    sizes += ["| ---: |" + " ---: |" * len(LEVELS)]
    for size in BATCHES:
        row = " | ".join(f"{figures[f'{level} batch {size}'] / size:.1f}" for level in LEVELS)
        sizes.append(f"| {size} | {row} |")
    return "\n".join(rules) + "\n\n" + "\n".join(sizes)


def _decide_cost(rules: RuleSet, bodies: list[bytes]) -> float:
    for body in bodies * _WARM:
        _decide_all(rules, body)
    with timing.quiet():
        costs = []
        for body in bodies:
            decoded = timing.least(lambda body=body: decode(body))  # type: ignore[misc]
            both = timing.least(lambda body=body: _decide_all(rules, body))  # type: ignore[misc]
            costs.append((both - decoded) / len(decode(body).events) * 1e6)
    return mean(costs)


def _decide_all(rules: RuleSet, body: bytes) -> None:
    decide = rules.decide
    for event in decode(body).events:
        decide(event)


def _whole_cost(rules: RuleSet, bodies: list[bytes]) -> float:
    for body in bodies * _WARM:
        batch.whole(body, rules)
    return timing.side_by_side(bodies, {"whole": lambda body: batch.whole(body, rules)})["whole"] / len(bodies) * 1e6
