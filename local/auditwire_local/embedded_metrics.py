"""Makes metrics of what functions print, as CloudWatch Logs does with the embedded metric format.

A function prints a line of JSON that says which of its members are metrics, and with which dimensions. On one machine
nobody reads logs. So the lines are read here when they are printed, and about once a second a thread puts their sums
into the in-process CloudWatch; no request waits for that.

moto lists a metric with several dimensions once for each of their values, in a time that grows with the square of their
number. That is corrected.

The format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import orjson
from moto.cloudwatch.models import CloudWatchBackend, Dimension

_EVERY_SECONDS = 1.0
# CloudWatch keeps one value a minute of a metric of standard resolution.
_MINUTE = 60_000
# One PutMetricData takes this many metrics at most.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in one minute; ``minute`` is the start of it, in milliseconds since the epoch."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    minute: int


def measured(line: str) -> Iterator[tuple[Metric, list[float]]]:
    """The metrics of a log line with their values; none for a line that does not follow the format."""
    if not line.startswith("{") or '"_aws"' not in line:
        return
    try:
        entry = orjson.loads(line)
        about = entry["_aws"]
        minute = int(about["Timestamp"]) // _MINUTE * _MINUTE
        found = [
            (_metric(entry, directive, names, one, minute), _values(entry[one["Name"]]))
            for directive in about["CloudWatchMetrics"]
            for names in directive["Dimensions"]
            for one in directive["Metrics"]
        ]
    except (ValueError, KeyError, TypeError):
        return
    yield from found


def _metric(entry: Any, directive: Any, names: Sequence[str], one: Any, minute: int) -> Metric:
    dimensions = tuple(sorted((name, str(entry[name])) for name in names))
    return Metric(str(directive["Namespace"]), str(one["Name"]), str(one.get("Unit", "None")), dimensions, minute)


def _values(given: Any) -> list[float]:
    return [float(value) for value in (given if isinstance(given, list) else [given])]


class EmbeddedMetrics:
    """Takes what functions print, and gives the metrics in it to CloudWatch. Where that fails, ``trouble`` is called
    while the exception is being handled."""

    def __init__(self, cloudwatch: Any, trouble: Callable[[], None], every: float = _EVERY_SECONDS) -> None:
        self._cloudwatch = cloudwatch
        self._trouble = trouble
        self._every = every
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._ending = Event()
        self._thread = Thread(target=self._run, name="embedded metrics", daemon=True)

    def add(self, lines: Sequence[str]) -> None:
        """Take what one call of a function printed."""
        for line in lines:
            self._lines.put(line)

    def __enter__(self) -> "EmbeddedMetrics":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        """Wait until CloudWatch has everything that was taken."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._every):
            self._put()
        self._put()

    def _put(self) -> None:
        found: dict[Metric, list[float]] = {}
        while not self._lines.empty():
            for metric, values in measured(self._lines.get()):
                found.setdefault(metric, []).extend(values)
        try:
            for namespace in sorted({metric.namespace for metric in found}):
                data = [_datum(metric, one) for metric, one in found.items() if metric.namespace == namespace]
                for at in range(0, len(data), _AT_ONCE):
                    self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[at : at + _AT_ONCE])
        except Exception:  # noqa: BLE001 - whatever it is, it must not end the thread unseen
            self._trouble()


def _datum(metric: Metric, values: list[float]) -> dict[str, Any]:
    return {
        "MetricName": metric.name,
        "Unit": metric.unit,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
        "Timestamp": datetime.fromtimestamp(metric.minute / 1000, UTC),
        "StatisticValues": {
            "SampleCount": len(values),
            "Sum": sum(values),
            "Minimum": min(values),
            "Maximum": max(values),
        },
    }


def _each_once(self: Any, metric_name: str | None, namespace: str | None, dimensions: list[dict[str, str]]) -> Any:
    """The metrics that match, each of them once, however many values it has."""
    found = {
        (one.namespace, one.name, tuple(sorted((each.name, each.value) for each in one.dimensions))): one
        for one in self.get_all_metrics()
        if one.filter(namespace, metric_name, dimensions)
    }
    return list(found.values())


def _is_less(self: Dimension, other: Dimension) -> bool:
    """An order of dimensions. Moto's own compares values with names, so that two equal sets may differ when sorted."""
    return (self.name or "", self.value or "") < (other.name or "", other.value or "")


@contextmanager
def mended_metrics() -> Iterator[None]:
    """Inside, each metric is listed once, and found by its dimensions in whichever order."""
    with (
        patch.object(CloudWatchBackend, "get_filtered_metrics", _each_once),
        patch.object(Dimension, "__lt__", _is_less),
    ):
        yield
