"""Everything that docs/performance.md says, measured: `make bench`.

    .venv/bin/python benchmarks/bench.py [--runs 5] [--out build/bench]

Each run is a process of its own. Of every figure the median of the runs is given with the least and the most. Writes
figures.json, figures.md, rules.svg and batches.svg; prints the Markdown.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import ablation
import batch
import cold_start
import decide
import growth
import memory
import orjson
import package_engine
import timing
from cost_table import cost_table
from plot import draw
from traffic import batches, captured, never_again

Figures = Mapping[str, float]

KUBESPHERE_EVENTS_A_SECOND: Final = 5_385
"""Of KubeSphere's engine (Go, event-rule-engine), decoding and deciding with the six default rules on one core."""

KEPT: Final = "alerts and writes"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the table: what it is, the name it is measured under, and its bounds ("" for none)."""

    what: str
    name: str
    reach: str = ""
    aim: str = ""
    unit: str = ""


LINES: Final = (
    Line("decide / `orjson.loads`, 6 rules", "decide 6", "≤ 0.35", "0.20"),
    Line("decide / `orjson.loads`, 60 rules", "decide 60", "≤ 1.6", "0.55"),
    Line("decide / `orjson.loads`, 300 rules", "decide 300", "≤ 2.6", "0.65"),
    Line("the same of 60 rules, values that never come back", "never again 60"),
    Line("the same of 300 rules, values that never come back", "never again 300"),
    Line("the same of 60 rules, captured traffic", "captured 60"),
    Line("the same of 300 rules, captured traffic", "captured 300"),
    Line("time of 300 rules / of 60", "300 / 60", "≤ 1.7", "1.3"),
    Line("hand-written Python detections / decide, 60 rules", "by hand", "≥ 10", "25"),
    Line("tree-walking evaluator / decide, 60 rules", "walker"),
    Line("package rule-engine / decide, 60 rules", "rule-engine"),
    Line("decode + decide against KubeSphere's Go engine, 6 rules", "kubesphere", "≥ 25"),
    Line("decode / `orjson.loads`", "decode"),
    Line("the same, captured traffic", "captured decode"),
    Line("whole batch / plain Python with gzip 6, 60 rules", "whole", "≤ 0.40"),
    Line("peak memory over a body of 5 MB, 300 rules / body", "memory", "≤ 1.5", "1.0"),
    Line("the same, writes kept too (44 % of the events)", "memory writes"),
    Line("the same, everything kept", "memory all"),
    Line("300 rules from the bundle to ready", "ready", "≤ 60", "", "ms"),
    Line("first 400 events after that", "first batch", "≤ 50", "", "ms"),
    Line("CPU of importing and initialising ingest / boto3 and its clients", "cold start", "≤ 1.3"),
    Line("one rule on one hostile value of 10 kB, the slowest", "hostile", "≤ 1", "", "ms"),
    Line("the same with large counted repeats in its pattern", "counted", "≤ 1", "", "ms"),
)


def measure() -> dict[str, float]:
    """One run: every figure of LINES by name, and the points of the plots."""
    bodies = batches(decide.BATCHES, decide.SIZE)
    costs = decide.decide_costs(bodies)
    whole = batch.ratios(batch.rules_keeping(batch.KEPT[KEPT]), bodies)
    cold = decide.cold_costs(300, bodies[0])
    figures = {f"decide {size}": costs[size]["decide / loads"] for size in decide.SIZES}
    figures |= {
        "300 / 60": costs[300]["decide"] / costs[60]["decide"],
        "by hand": costs[60]["by hand / decide"],
        "walker": costs[60]["walker / decide"],
        "rule-engine": _package_cost(bodies[0]) / costs[60]["decide"],
        "kubesphere": 1e6 / (whole["decode"] + costs[6]["decide"]) / KUBESPHERE_EVENTS_A_SECOND,
        "decode": whole["decode / loads"],
        "whole": whole["whole / plain"],
        "memory": memory.peak_over_body(),
        "memory writes": memory.peak_over_body(batch.KEPT[KEPT]),
        "memory all": memory.peak_over_body(batch.KEPT["everything"]),
        "ready": cold["ready"],
        "first batch": cold["first"],
        "cold start": cold_start.ratio(),
        "hostile": max(decide.hostile_costs().values()),
        "counted": max(decide.hostile_costs(decide.COUNTED).values()),
    }
    for name, traffic in (("never again", never_again(bodies)), ("captured", captured())):
        for size in (60, 300):
            # Each body once: what comes again is remembered.
            figures[f"{name} {size}"], figures[f"{name} decode"] = decide.against_loads(traffic, size, rounds=1)
    return figures | growth.by_rules() | growth.by_batch() | growth.by_level()


def _package_cost(body: bytes) -> float:
    """Microseconds an event of the package rule-engine with the 60 rules; a few events, for it takes milliseconds."""
    rules = package_engine.translated(decide.rule_set_of(60))
    if rules.left_out:
        raise SystemExit(f"{rules.left_out} rules have no words in the package's language")
    items = orjson.loads(body)["items"][:40]
    with timing.quiet():
        return timing.least(lambda: [rules.matches(item) for item in items], 3) / len(items) * 1e6


def runs(count: int, say: Callable[[str], None]) -> list[Figures]:
    """The figures of this many runs, each in a process of its own."""
    found: list[Figures] = []
    for number in range(1, count + 1):
        say(f"run {number} of {count}")
        done = subprocess.run(  # noqa: S603 - this very file
            [sys.executable, __file__, "--once"], check=True, stdout=subprocess.PIPE, text=True
        )
        found.append(json.loads(done.stdout))
    return found


def table(found: Sequence[Figures]) -> str:
    """LINES in Markdown: median, and least to most."""
    rows = ["| what | reach | aim | median | least to most |", "| --- | ---: | ---: | ---: | ---: |"]
    for line in LINES:
        values = [figures[line.name] for figures in found]
        unit = f" {line.unit}".rstrip() if line.unit else ""
        spread = f"{_short(min(values))} to {_short(max(values))}"
        rows.append(f"| {line.what} | {line.reach} | {line.aim} | {_short(median(values))}{unit} | {spread} |")
    return "\n".join(rows)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def medians(found: Sequence[Figures]) -> dict[str, float]:
    """The median of every figure."""
    return {name: median([figures[name] for figures in found]) for name in found[0]}


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description="Measure everything that docs/performance.md says.")
    parser.add_argument("--runs", type=int, default=5, help="how many separate processes measure (default 5)")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder to write to")
    parser.add_argument("--once", action="store_true", help="one run, its figures as JSON on standard output")
    given = parser.parse_args()
    if given.once:
        print(json.dumps(measure()))
        return
    found = runs(given.runs, lambda text: print(text, file=sys.stderr, flush=True))
    typical = medians(found)
    text = "\n\n".join([table(found), growth.tables(typical), ablation.of_shipped(), cost_table(typical)]) + "\n"
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "figures.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (given.out / "figures.md").write_text(text, encoding="utf-8")
    draw(typical, given.out)
    print(text)


if __name__ == "__main__":
    main()
