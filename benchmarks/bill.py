"""The bill of a month: what comes in, what is stored by then, and what is paid whatever comes.

    .venv/bin/python benchmarks/bill.py

The work and the sizes of events are measured on this machine; prices and assumptions are in cost.py.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import growth
from cost import Setting, cost_of_a_million, fixed_month, flood_day, month
from cost_table import traffic_of

from auditwire_local.deploy import read_template

ROOT: Final = Path(__file__).resolve().parents[1]
SIZES: Final = (1, 25, 400)
MILLIONS: Final = (1, 100, 10_000)
MONTHS: Final = 12
"""The default of ArchiveRetentionDays."""
LEVEL: Final[Mapping[int, str]] = {1: "Request", 25: "Request", 400: "Metadata"}
"""The level that goes with a size of batch, as `auditwire cluster kubeconfig` writes it."""

_STORES: Final[tuple[Literal["s3", "dynamodb"], ...]] = ("s3", "dynamodb")


def bill_table(figures: Mapping[str, float]) -> str:
    """Dollars a month in Markdown: for each store and size of batch, by how many events come, and storage's part."""
    heads = [f"{millions:,} M" for millions in MILLIONS]
    rows = [
        f"| store | events a batch | {' | '.join(heads)} | of that storage |",
        "| --- |" + " ---: |" * (len(heads) + 2),
    ]
    for store in _STORES:
        for size in SIZES:
            cost = cost_of_a_million(traffic_of(figures, LEVEL[size], size), store)
            months = [f"{month(cost, millions, MONTHS):,.2f}" for millions in MILLIONS]
            share = cost.storage_month * MONTHS / month(cost, 1, MONTHS)
            name = "S3" if store == "s3" else "DynamoDB"
            rows.append(f"| {name} | {size} | {' | '.join(months)} | {share:.0%} |")
    return "\n".join(rows)


def table_classes(figures: Mapping[str, float], months: int = MONTHS) -> tuple[float, float]:
    """A month of a million events in DynamoDB, kept so many months: in a table of the usual class, and of the class for
    infrequent access."""
    traffic = traffic_of(figures, "Request", 25)
    usual, rare = (
        cost_of_a_million(traffic, "dynamodb", setting=replace(Setting(), is_infrequent=rare)) for rare in (False, True)
    )
    return month(usual, 1, months), month(rare, 1, months)


def fixed() -> tuple[int, int, float]:
    """How many metrics the functions have that belong to no cluster, how many alarms there are with the archive in S3,
    and what a month of both costs."""
    resources = read_template(ROOT / "template.yaml")["Resources"].values()
    alarms = [one for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    usual = sum(one.get("Condition") in {None, "HasRelay", "HasSeals"} for one in alarms)
    apps = (path.read_text(encoding="utf-8") for path in (ROOT / "functions").glob("*/app.py"))
    metrics = sum(len(set(re.findall(r'add_metric\(\s*"(\w+)"', text))) for text in apps)
    metrics += sum(one["Type"] == "AWS::Logs::MetricFilter" for one in resources)
    return metrics, usual, fixed_month(metrics, usual)


def main() -> None:
    """Measure and print."""
    figures = growth.by_level(SIZES)
    metrics, alarms, dollars = fixed()
    throttle = read_template(ROOT / "template.yaml")["Parameters"]["ThrottleRatePerSecond"]["Default"]
    print(bill_table(figures))
    print(f"\nfixed: {metrics} metrics, {alarms} alarms: {dollars:.2f} a month")
    print(f"a day of flood at {throttle} requests a second: {flood_day(throttle):.2f}")
    for months in (1, 3, 6, MONTHS):
        usual, rare = table_classes(figures, months)
        print(f"table class, a million events kept {months} months: {usual:.2f} usual, {rare:.2f} infrequent access")


if __name__ == "__main__":
    main()
