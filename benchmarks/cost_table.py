"""The bill for a million events as a table over batch size and level, from measured work and listed prices."""

from collections.abc import Mapping
from typing import Final, Literal

from cost import Cost, Setting, Traffic, cost_of_a_million
from growth import LEVELS

SIZES: Final = (1, 25, 64, 400)
ALERTS: Final = 0.001
"""Alerts an event, after folding: one in a thousand."""


def traffic_of(figures: Mapping[str, float], level: str, size: int) -> Traffic:
    """The traffic of a level and batch size as it was measured."""
    return Traffic(
        batch=size,
        body=figures[f"{level} body"],
        line=figures[f"{level} line"],
        item=figures[f"{level} item"],
        archived=figures["kept"],
        alerts=ALERTS,
        cpu=figures[f"{level} batch {size}"] / 1e6,
    )


def cost_table(figures: Mapping[str, float]) -> str:
    """Dollars for a million events in Markdown: with the archive in S3, by part; and the total in DynamoDB."""
    rows = [
        "| level | events a batch | API | functions | archive | alerts | logs | **total, S3** | total, DynamoDB |",
        "| --- |" + " ---: |" * 8,
    ]
    for level in LEVELS:
        for size in SIZES:
            traffic = traffic_of(figures, level, size)
            s3, table = _cost(traffic, "s3"), _cost(traffic, "dynamodb")
            parts = (s3.api, s3.functions, s3.archive, s3.alerts, s3.logs)
            shown = " | ".join(f"{part:.3f}" for part in parts)
            rows.append(f"| {level} | {size} | {shown} | **{s3.total:.2f}** | {table.total:.2f} |")
    return "\n".join(rows)


def _cost(traffic: Traffic, store: Literal["s3", "dynamodb"]) -> Cost:
    return cost_of_a_million(traffic, store, setting=Setting())
