"""What each mechanism of deciding is worth: all of them against all but one.

    .venv/bin/python benchmarks/ablation.py [--generated]

Of the shipped rules, or of 60 generated ones. Prints a Markdown table. Each row takes one mechanism out, in this
process, and gives the time to decide as a multiple of the time with all of them, on three kinds of traffic: the
generated one, the same with values that never come back, and what was captured from a real kube-apiserver. All variants
decide the same events in turn, and must decide them alike. About 1.00 means that the mechanism is worth nothing there.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from decide import rule_set_of
from timing import quiet
from traffic import batches, captured, never_again

from auditwire.condition import codegen, matcher, screen
from auditwire.condition.body_screen import BodyScreen
from auditwire.condition.evaluate import Atom
from auditwire.condition.reach import quick_judge
from auditwire.condition.screen import Screen
from auditwire.condition.value_table import ValueTable
from auditwire.events import decode
from auditwire.rules import RuleSet, load_rule_set

SHIPPED: Final = Path(__file__).parents[1] / "rules"
RULES: Final = 60
WARM_UP: Final = 3
ROUNDS: Final = 7
_NEVER: Final = 1 << 62


class _NoScreen(Screen):
    """Leaves every condition open, whole."""

    def __init__(self, conditions: Sequence[Any], searches: Any) -> None:
        super().__init__(conditions, searches)
        self.rests = list(conditions)
        everything = (1 << len(conditions)) - 1
        self.possible = lambda _event: everything


class _NoBodyScreen(BodyScreen):
    """Rules nothing out."""

    def __init__(self, conditions: Sequence[Any]) -> None:
        super().__init__(conditions)
        self.looked_at = 0


class _NoClasses(ValueTable):
    """Judges every new value by every test."""

    def close(self) -> None:
        super().close()
        self._named = _Everything()  # type: ignore[assignment]


class _Everything:
    def __contains__(self, value: object) -> bool:
        return True


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
    "no walk through bodies at once (`body_screen`)": lambda: patch.object(matcher, "BodyScreen", _NoBodyScreen),
    "no `or` taken apart (`alternatives`)": lambda: patch.object(matcher, "alternatives_of", lambda one: [one]),
    "no classes of new values (`value_table`)": lambda: patch.object(screen, "ValueTable", _NoClasses),
    "no generated functions": _no_hot_functions,
    "no judges made for a path (`reach`)": lambda: patch.object(codegen, "quick_judge", _judge),
    "no loops written into judges of arrays": lambda: patch.object(codegen, "_judge_of_texts", quick_judge),
    "neither of these two": _no_judges_made,
    "no shared search for patterns (`pattern_set`)": lambda: patch.object(matcher, "shared_searches", lambda atoms: {}),
}


def costs(fresh: Callable[[int], Sequence[bytes]], rules: Callable[[], RuleSet]) -> dict[str, float]:
    """The time of each variant as a multiple of the first one's. Raises SystemExit where they do not agree.

    ``fresh`` gives the bodies of a round by its number. The first rounds are not timed: in them functions are
    generated, with the mechanism taken out.
    """
    times: dict[str, list[float]] = {name: [] for name in VARIANTS}
    with quiet():
        rule_sets = {}
        for name, without in VARIANTS.items():
            with without():
                rule_sets[name] = rules()
        for number in range(WARM_UP + ROUNDS):
            bodies = fresh(number)
            expected = None
            for name, rule_set in rule_sets.items():
                with VARIANTS[name]():
                    taken, found = _decided(rule_set, bodies)
                if expected is not None and found != expected:
                    raise SystemExit(f"{name}: decides otherwise")
                expected = found
                if number >= WARM_UP:
                    times[name].append(taken)
    whole = median(times["all of them"])
    return {name: median(taken) / whole for name, taken in times.items()}


def _decided(rule_set: RuleSet, bodies: Sequence[bytes]) -> tuple[float, list[object]]:
    """The seconds of deciding, and what was decided."""
    decide, seconds, found = rule_set.decide, 0.0, list[object]()
    for body in bodies:
        events = decode(body).events
        start = time.process_time_ns()
        verdicts = [decide(event) for event in events]
        seconds += (time.process_time_ns() - start) / 1e9
        found += [(one.archiving, one.alerting) for one in verdicts]
    return seconds, found


def of_generated() -> str:
    """The table for generated rules."""
    return _table(lambda: rule_set_of(RULES), f"{RULES} rules")


def of_shipped() -> str:
    """The table for the shipped rules."""
    return _table(lambda: load_rule_set([SHIPPED]), "the shipped rules")


def _table(rules: Callable[[], RuleSet], title: str) -> str:
    """The Markdown table over the three kinds of traffic."""
    generated, real = batches(4), captured()
    columns = {
        "generated": costs(lambda _: generated, rules),
        "values never come back": costs(lambda number: never_again(batches(2, seed=number)), rules),
        "captured": costs(lambda _: real, rules),
    }
    lines = [
        f"| {title}, time against all of them | {' | '.join(columns)} |",
        "| --- |" + " ---: |" * len(columns),
    ]
    lines += [
        f"| {name} | " + " | ".join(f"{column[name]:.2f}" for column in columns.values()) + " |" for name in VARIANTS
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(of_generated() if "--generated" in sys.argv else of_shipped())
