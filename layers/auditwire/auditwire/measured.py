"""Reading from CloudWatch what the functions counted, by cluster and hour."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

Hours = dict[tuple[str, datetime], Counter[str]]
"""(cluster, beginning of an hour) → name of a metric → count."""

PERIOD_SECONDS: Final = 3600
"""CloudWatch keeps values per hour for 455 days, finer ones for at most 63 days."""

_MAX_QUERIES: Final = 500
_MAX_DATAPOINTS: Final = 100_800


class CountsWithheldError(Exception):
    """CloudWatch withholds an answer. The message is its status code."""


def counts_measured(
    cloudwatch: Any,
    namespace: str,
    clusters: Iterable[str],
    sources: Mapping[str, Sequence[str]],
    start: datetime,
    end: datetime,
) -> Hours:
    """The counts from ``start`` to ``end``, both on the hour. ``sources`` are metrics, each with the services that
    count it.

    Raises CountsWithheldError, ClientError and BotoCoreError.
    """
    wanted = [
        (cluster, metric, service)
        for cluster in sorted(clusters)
        for metric, services in sources.items()
        for service in services
    ]
    hours: Hours = {}
    for at in range(0, len(wanted), _MAX_QUERIES):
        some = wanted[at : at + _MAX_QUERIES]
        queries = [_query(f"m{number}", namespace, *one) for number, one in enumerate(some)]
        for result in _results(cloudwatch, queries, start, end):
            cluster, metric, _ = some[int(result["Id"].removeprefix("m"))]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                hours.setdefault((cluster, moment.astimezone(UTC)), Counter())[metric] += round(value)
    return hours


def _query(identifier: str, namespace: str, cluster: str, metric: str, service: str) -> dict[str, Any]:
    dimensions = [{"Name": "service", "Value": service}, {"Name": "cluster", "Value": cluster}]
    named = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": named, "Period": PERIOD_SECONDS, "Stat": "Sum"}}


def _results(cloudwatch: Any, queries: Any, start: datetime, end: datetime) -> Iterator[Any]:
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end, MaxDatapoints=_MAX_DATAPOINTS
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            if result["StatusCode"] in ("InternalError", "Forbidden"):
                raise CountsWithheldError(result["StatusCode"])
            yield result
