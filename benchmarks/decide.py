"""What deciding costs, against reading the JSON at all and against other ways to decide the same.

    .venv/bin/python benchmarks/decide.py

Prints Markdown tables. CPU time, garbage collection off, each batch nine times in a row, the least time per batch of
each side, summed over the batches. Events are decoded anew before every round, untimed: what a rule asks of a body is
decoded within the time of deciding. All sides decide the same events, which is checked before anything is timed.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from handwritten import handwritten
from rule_packs import pack
from timing import ROUNDS, least, quiet
from traffic import batches

from auditwire.condition import EvaluationError, compile_condition
from auditwire.condition.evaluate import evaluate
from auditwire.events import Event, decode, settle
from auditwire.pipeline import decide_batch
from auditwire.rules import RuleSet, load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.fields import EventFields
from auditwire.senders.kind import SenderKind

BATCHES: Final = 12
SIZE: Final = 400
SIZES: Final = (6, 60, 300)
RECEIVED: Final = datetime(2026, 11, 21, 23, tzinfo=UTC)

HOSTILE: Final = (
    ('RequestURI regex "(a+)+$"', "a" * 10_000 + "!"),
    ('RequestURI regex "(x+x+)+y"', "x" * 10_000),
    ('RequestURI regex "(a|b)*a(a|b){12}"', "ab" * 5_000),
    ('RequestURI regex ".*.*.*=.*"', "=" * 10_000),
    ('RequestURI regex "(?i)[a-z]{1,200}[0-9]"', "aB" * 5_000),
    ('RequestURI like "*a*a*a*a*a*a*a*b"', "a" * 10_000),
    ('RequestURI like "*ab*ab*ab*ab*?b"', "ab" * 5_000),
    ('RequestURI contains "aaaaaaaaaaaaaaaab"', "a" * 10_000),
    ("RequestURI > 5", "9" * 10_000),
)
"""Conditions and values of 10 kB on which an engine that backtracks takes seconds or years."""

COUNTED: Final = (
    ('RequestURI regex "(.{0,300}a){3}b"', "a" * 10_000),
    ('RequestURI regex "(a?){500}a{500}b"', "a" * 10_000),
)
"""The same with large counted repeats: still linear, but more states than RE2 keeps at once."""


def rule_set_of(size: int) -> RuleSet:
    """The rule set of this many rules."""
    rule_set = load_sources(pack(size)).rule_set
    if rule_set is None:
        raise SystemExit("the generated rules do not load")
    return rule_set


def decide_costs(
    bodies: Sequence[bytes], sizes: Sequence[int] = SIZES, rounds: int = ROUNDS
) -> dict[int, dict[str, float]]:
    """Microseconds an event, by number of rules and side; names that hold a slash are ratios of two sides.

    ``loads`` reads the bytes, ``decide`` is RuleSet.decide, ``step`` is decide_batch with all it does besides (policy,
    settings, redaction of what is kept), ``walker`` the reference evaluator, ``by hand`` a Python function per rule.
    """
    rule_sets = {size: rule_set_of(size) for size in sizes}
    sums: dict[int, dict[str, float]] = {size: {} for size in sizes}
    with quiet():
        for body in bodies:
            for size, rule_set in rule_sets.items():
                for name, (prepare, action) in _sides(body, rule_set).items():
                    slow = name in ("walker", "by hand")
                    taken = _least_prepared(prepare, action, min(rounds, 3) if slow else rounds)
                    sums[size][name] = sums[size].get(name, 0.0) + taken
    count = sum(len(decode(body).events) for body in bodies)
    costs = {size: {name: total / count * 1e6 for name, total in sides.items()} for size, sides in sums.items()}
    for sides in costs.values():
        sides["decide / loads"] = sides["decide"] / sides["loads"]
        sides["walker / decide"] = sides["walker"] / sides["decide"]
        sides["by hand / decide"] = sides["by hand"] / sides["decide"]
    return costs


def against_loads(bodies: Sequence[bytes], rules: int | RuleSet, rounds: int = ROUNDS) -> tuple[float, float]:
    """What deciding costs with these rules, or this many, and what decoding costs, as multiples of ``orjson.loads``."""
    rule_set = rule_set_of(rules) if isinstance(rules, int) else rules
    sums = {"loads": 0.0, "decode": 0.0, "decide": 0.0}
    with quiet():
        for body in bodies:
            sums["loads"] += _least_prepared(lambda: None, lambda _, body=body: orjson.loads(body), rounds)  # type: ignore[misc]
            sums["decode"] += _least_prepared(lambda: None, lambda _, body=body: decode(body), rounds)  # type: ignore[misc]
            sums["decide"] += _least_prepared(
                lambda body=body: decode(body).events,  # type: ignore[misc]
                lambda seen: decide_all(rule_set, seen),
                rounds,
            )
    return sums["decide"] / sums["loads"], sums["decode"] / sums["loads"]


def cold_costs(size: int, body: bytes, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds: rules of a bundle made ready; the first batch decided with them; the same batch decided again."""
    sources = pack(size)
    data = encode_bundle(rule_set_of(size), sources)
    least_of: dict[str, float] = {}
    with quiet():
        for _ in range(rounds):
            events = [decode(body).events for _ in range(2)]
            moments = [time.process_time_ns()]
            rule_set = decode_bundle(data).rule_set
            moments.append(time.process_time_ns())
            for seen in events:
                decide_all(rule_set, seen)
                moments.append(time.process_time_ns())
            for name, start, end in zip(("ready", "first", "second"), moments, moments[1:], strict=False):
                least_of[name] = min(least_of.get(name, 1e9), (end - start) / 1e6)
    return least_of


def hostile_costs(given: Sequence[tuple[str, str]] = HOSTILE, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds that one rule takes on one hostile value, by condition."""
    costs = {}
    for text, value in given:
        condition = compile_condition(text, fields=EventFields())
        event = Event(level="Metadata", auditID="a", stage="ResponseComplete", verb="get", requestURI=value)
        costs[text] = least(lambda condition=condition, event=event: _outcome(condition, event), rounds) * 1e3  # type: ignore[misc]
    return costs


def _sides(body: bytes, rule_set: RuleSet) -> dict[str, tuple[Callable[[], Any], Callable[[Any], object]]]:
    """For each side what is made ready for it, untimed, and what is timed. Raises where they do not agree."""
    by_hand = handwritten(rule_set)
    bound = [rule.bound for rule in (*rule_set.archiving, *rule_set.alerting)]

    def events() -> list[Event]:
        return decode(body).events

    def settled() -> list[Event]:
        found = events()
        for event in found:
            settle(event, cluster="bench", received=RECEIVED)
        return found

    def walk(seen: list[Event]) -> list[int]:
        return [sum([evaluate(node, event) for node in bound]) for event in seen]

    def run_by_hand(items: list[dict[str, Any]]) -> list[int]:
        return [sum([function(item) for function in by_hand]) for item in items]

    walked = walk(events())
    if run_by_hand(orjson.loads(body)["items"]) != walked:
        raise SystemExit("the rules by hand decide otherwise")
    verdicts = [rule_set.decide(event) for event in events()]
    if [len(verdict.archiving) + len(verdict.alerting) for verdict in verdicts] != walked:
        raise SystemExit("the walker decides otherwise")
    return {
        "loads": (lambda: None, lambda _: orjson.loads(body)),
        "decide": (events, lambda seen: decide_all(rule_set, seen)),
        "step": (settled, lambda seen: decide_batch(seen, sender=SenderKind.KUBERNETES, rules=rule_set)),
        "walker": (events, walk),
        "by hand": (lambda: orjson.loads(body)["items"], run_by_hand),
    }


def decide_all(rule_set: RuleSet, events: list[Event]) -> None:
    """Decides about all of them."""
    decide = rule_set.decide
    for event in events:
        decide(event)


def _least_prepared(prepare: Callable[[], Any], action: Callable[[Any], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        given = prepare()
        start = time.process_time_ns()
        result = action(given)
        times.append(time.process_time_ns() - start)
        # What was made is freed outside of the time: freeing what loads made costs a third of making it.
        del given, result
    return min(times) / 1e9


def _outcome(condition: Any, event: Event) -> object:
    try:
        return condition.evaluate(event)
    except EvaluationError as error:
        return error


def main() -> None:
    """Measure and print."""
    bodies = batches(BATCHES, SIZE)
    costs = decide_costs(bodies)
    print("| rules | " + " | ".join(name if "/" in name else f"{name}, us" for name in costs[SIZES[0]]) + " |")
    print("| ---: |" + " ---: |" * len(costs[SIZES[0]]))
    for size, sides in costs.items():
        print(f"| {size} | " + " | ".join(f"{value:.2f}" for value in sides.values()) + " |")
    print(f"\n300 rules against 60: {costs[300]['decide'] / costs[60]['decide']:.2f} times the time\n")
    print("| rules | from the bundle, ms | first batch, ms | second batch, ms |\n| ---: | ---: | ---: | ---: |")
    for size in SIZES:
        print(f"| {size} | " + " | ".join(f"{value:.1f}" for value in cold_costs(size, bodies[0]).values()) + " |")
    print("\n| condition | on 10 kB, ms |\n| --- | ---: |")
    for text, value in hostile_costs((*HOSTILE, *COUNTED)).items():
        print(f"| `{text.replace('|', chr(92) + '|')}` | {value:.3f} |")


if __name__ == "__main__":
    main()
