"""What each mechanism of deciding is worth: all of them against all but one.

    .venv/bin/python benchmarks/ablation.py

Prints a Markdown table. Each row takes one mechanism out, in this process, and gives the time to decide as a multiple
of the time with all of them, on three kinds of traffic: the generated one, the same with values that never come back,
and what was captured from a real kube-apiserver. All variants decide the same events in turn, and must decide them
alike. About 1.00 means that the mechanism is worth nothing there.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from decide import rule_set_of
from timing import quiet
from traffic import batches, captured, never_again

from auditwire.condition import codegen, matcher
from auditwire.condition.evaluate import Atom
from auditwire.condition.reach import quick_judge
from auditwire.condition.screen import Screen
from auditwire.events import Event, decode
from auditwire.rules import RuleSet

RULES: Final = 300
ROUNDS: Final = 7
_NEVER: Final = 1 << 62


class _NoScreen(Screen):
    """Leaves every condition open, whole."""

    def __init__(self, conditions: Sequence[Any]) -> None:
        super().__init__(conditions)
        self.rests = list(conditions)
        everything = (1 << len(conditions)) - 1
        self.possible = lambda _event: everything


@contextmanager
def _no_hot_functions() -> Iterator[None]:
    with patch.dict(matcher.Matcher.__init__.__kwdefaults__, {"hot": _NEVER}):
        yield


def _judge(atom: Atom) -> Callable[[Any], bool]:
    return atom.judge


@contextmanager
def _no_judges_made() -> Iterator[None]:
    with patch.object(codegen, "quick_judge", _judge), patch.object(codegen, "_judge_of_texts", _judge):
        yield


VARIANTS: Final[dict[str, Callable[[], Any]]] = {
    "all of them": lambda: patch.object(matcher, "Screen", Screen),
    "no screen": lambda: patch.object(matcher, "Screen", _NoScreen),
    "no generated functions": _no_hot_functions,
    "no judges made for a path (`reach`)": lambda: patch.object(codegen, "quick_judge", _judge),
    "no loops written into judges of arrays": lambda: patch.object(codegen, "_judge_of_texts", quick_judge),
    "neither of these two": _no_judges_made,
}


def costs(bodies: Sequence[bytes]) -> dict[str, float]:
    """The time of each variant as a multiple of the first one's. Raises SystemExit where they do not agree."""
    sums: dict[str, float] = dict.fromkeys(VARIANTS, 0.0)
    with quiet():
        rule_sets = {}
        for name, without in VARIANTS.items():
            with without():
                rule_sets[name] = rule_set_of(RULES)
                # What is generated is generated now, with the mechanism taken out.
                for body in bodies:
                    for _ in range(matcher.HOT // 10 + 2):
                        _decide_all(rule_sets[name], decode(body).events)
        expected = None
        for body in bodies:
            for name, rule_set in rule_sets.items():
                with VARIANTS[name]():
                    sums[name] += min(_time(rule_set, body) for _ in range(ROUNDS))
                    found = [(one.archiving, one.alerting) for one in map(rule_set.decide, decode(body).events)]
                if expected is not None and found != expected:
                    raise SystemExit(f"{name}: decides otherwise")
                expected = found
            expected = None
    whole = sums["all of them"]
    return {name: total / whole for name, total in sums.items()}


def _time(rule_set: RuleSet, body: bytes) -> float:
    events = decode(body).events
    start = time.process_time_ns()
    _decide_all(rule_set, events)
    return time.process_time_ns() - start


def _decide_all(rule_set: RuleSet, events: list[Event]) -> None:
    decide = rule_set.decide
    for event in events:
        decide(event)


def table() -> str:
    """The Markdown table over the three kinds of traffic."""
    generated = batches(6)
    traffic = {"generated": generated, "values never come back": never_again(generated), "captured": captured()}
    columns = {}
    for kind, bodies in traffic.items():
        columns[kind] = costs(bodies)
        gc.collect()
    lines = [
        f"| {RULES} rules, time against all of them | {' | '.join(columns)} |",
        "| --- |" + " ---: |" * len(columns),
    ]
    rows = (
        f"| {name} | " + " | ".join(f"{column[name]:.2f}" for column in columns.values()) + " |" for name in VARIANTS
    )
    return "\n".join([*lines, *rows])


if __name__ == "__main__":
    print(table())
