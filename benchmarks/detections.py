"""What the shipped rules find, what they cost, and what they archive beyond writes.

    .venv/bin/python benchmarks/detections.py

Attack events are those of the firing tests, as each kind of sender sends them; harmless ones those that a test keeps
silent, each of which differs from an attack in one value, so another rule may well alert on it. Times are ratios.
"""

import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import orjson
from decide import BATCHES, SIZE, against_loads, decide_all, rule_set_of
from timing import least, quiet
from traffic import batches, captured, never_again

from auditwire.analysis.cases import Case, read_cases
from auditwire.analysis.trial import Trials, event_of
from auditwire.documents.source import Source
from auditwire.events import decode, settle
from auditwire.rules import RuleSet, load_rule_set, rule_test_files

ROOT: Final = Path(__file__).parents[1]
RULES: Final = ROOT / "rules"
RECEIVED: Final = datetime(2026, 11, 29, tzinfo=UTC)


def cases() -> list[Case]:
    """The tests of all shipped rules."""
    return [case for path in rule_test_files(RULES) for case in read_cases(Source(str(path), path.read_text())).cases]


def found(rules: RuleSet) -> None:
    """Print how many attack events are found, by sender, and by whom."""
    by_sender: dict[str, Counter[str]] = {}
    trials = Trials(rules)
    for case in cases():
        rule = trials.rule_of(case.rule)
        if case.expect not in ("alert", "archive") or isinstance(rule, str) or "runbook" not in rule.annotations:
            continue
        if rule.threshold is not None:  # no single event of theirs is an attack
            continue
        for number, one in enumerate(case.events):
            verdict = rules.decide(event_of(one, f"{case.name}#{number}"))
            named = rule.qualified in verdict.alerting
            outcome = "not found" if not named else "alert" if verdict.alerts else "archived and named"
            by_sender.setdefault(one.template, Counter())[outcome] += 1
    print("| sender | attack events | alert | archived and named | not found |\n| --- | ---: | ---: | ---: | ---: |")
    for sender, counts in by_sender.items():
        cells = [counts.total(), counts["alert"], counts["archived and named"], counts["not found"]]
        print(f"| {sender} | {' | '.join(map(str, cells))} |")


def costs(rules: RuleSet) -> None:
    """Print what deciding costs."""
    generated = batches(BATCHES, SIZE)
    print("\n| decide / orjson.loads | the shipped rules | 300 rules |\n| --- | ---: | ---: |")
    many = rule_set_of(300)
    for name, bodies in (
        ("captured", captured()),
        ("generated", generated),
        ("400 new users, names, addresses and agents a batch", never_again(generated)),
    ):
        print(f"| {name} | {against_loads(bodies, rules)[0]:.2f} | {against_loads(bodies, many)[0]:.2f} |")
    print(f"| the same, every batch decided once | {never_seen(rules):.2f} | {never_seen(many):.2f} |")


def never_seen(rules: RuleSet) -> float:
    """The same where nothing was ever decided before: each batch is decided once, so no value was seen in a round
    before. The median over batches, after some that warm up what is generated."""
    ratios = []
    with quiet():
        for body in never_again(batches(3 * BATCHES, SIZE, seed=7)):
            reading = least(lambda body=body: orjson.loads(body))  # type: ignore[misc]
            events = decode(body).events
            deciding = least(lambda events=events: decide_all(rules, events), rounds=1)  # type: ignore[misc]
            ratios.append(deciding / reading)
    return median(ratios[BATCHES:])


def archived(rules: RuleSet) -> None:
    """Print what the archiving of reads costs in bytes."""
    kept: dict[bool, list[bytes]] = {True: [], False: []}
    for body in captured():
        for event in decode(body).events:
            settle(event, cluster="c", received=RECEIVED)
            verdict = rules.decide(event)
            if verdict.outcome != "ignore":
                kept[set(verdict.archiving) >= {"archiving-rule.archiving"}].append(event.raw)
    writes, reads = b"\n".join(kept[True]), b"\n".join(kept[False])
    more = len(gzip.compress(writes + reads, 1)) - len(gzip.compress(writes, 1))
    print(f"\narchived of the captures: {len(kept[True])} writes with {len(writes):,} bytes,", end=" ")
    print(f"{len(kept[False])} reads with {len(reads):,} bytes, {more:,} of them compressed")


if __name__ == "__main__":
    shipped = load_rule_set([RULES])
    found(shipped)
    archived(shipped)
    costs(shipped)
