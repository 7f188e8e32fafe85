"""Where the ledger's counts come from: metrics of CloudWatch, the outbox, and what lies in the queues."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Deployment

if TYPE_CHECKING:
    from auditwire.ledger import Waiting

Hours = dict[tuple[str, datetime], Counter[str]]
"""(cluster, beginning of an hour) → name of a metric → count."""

PERIOD_SECONDS = 3600
"""CloudWatch keeps values of an hour for 455 days, finer ones for 63 or less."""

_QUERIES_AT_ONCE = 500
_DATAPOINTS_AT_ONCE = 100_800
_MAX_LETTERS = 10_000


def clusters_measured(cloudwatch: Any, namespace: str) -> set[str]:
    """The clusters that metrics of the last two weeks are about; CloudWatch lists no older ones."""
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    return {
        dimension["Value"]
        for page in pages
        for metric in page["Metrics"]
        for dimension in metric["Dimensions"]
        if dimension["Name"] == "cluster"
    }


def counts_measured(cloudwatch: Any, namespace: str, clusters: Iterable[str], start: datetime, end: datetime) -> Hours:
    """What was counted from ``start`` to ``end``, both on the hour. Raises CommandError where CloudWatch keeps an
    answer back."""
    from auditwire.ledger import SOURCES

    wanted = [
        (cluster, metric, service)
        for cluster in sorted(clusters)
        for metric, services in SOURCES.items()
        for service in services
    ]
    hours: Hours = {}
    for at in range(0, len(wanted), _QUERIES_AT_ONCE):
        some = wanted[at : at + _QUERIES_AT_ONCE]
        queries = [_query(f"m{number}", namespace, *one) for number, one in enumerate(some)]
        for result in _results(cloudwatch, queries, start, end):
            cluster, metric, _ = some[int(result["Id"].removeprefix("m"))]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                hours.setdefault((cluster, moment.astimezone(UTC)), Counter())[metric] += round(value)
    return hours


def waiting_now(found: Deployment) -> "Waiting":
    """What waits in the alerts queue (about) and in the outbox at this moment."""
    from auditwire.alerts.counting import message_counted_under
    from auditwire.alerts.outbox import S3Outbox
    from auditwire.alerts.redrive import waiting
    from auditwire.ledger import Waiting

    outbox = S3Outbox(found.client("s3"), found.output("ArchiveBucket"))
    contents = (outbox.read(entry) for entry in outbox.listing().waiting)
    held = Counter(message_counted_under(message) for one in contents if one for message in one.messages)
    return Waiting(waiting(found.client("sqs"), found.output("AlertsQueueUrl")), held)


def add_set_aside(found: Deployment, hours: Hours) -> None:
    """Count the alerts that SQS or SNS put among the dead letters by itself, in the hour they were published in.

    Looking hides them from others for a moment, so this is for when something is missing.
    """
    from auditwire.alerts.counting import UNKNOWN, counted_under
    from auditwire.alerts.redrive import peek
    from auditwire.ledger import SET_ASIDE

    for letter in peek(found.client("sqs"), found.output("DeadLetterQueueUrl"), _MAX_LETTERS):
        # The others were put there by the relay, which counted them.
        if not letter.proven_bad:
            cluster = counted_under(letter.alert.labels) if letter.alert else UNKNOWN
            hour = letter.sent.replace(minute=0, second=0, microsecond=0)
            if (cluster, hour) in hours:
                hours[cluster, hour][SET_ASIDE] += 1


def _query(identifier: str, namespace: str, cluster: str, metric: str, service: str) -> dict[str, Any]:
    dimensions = [{"Name": "service", "Value": service}, {"Name": "cluster", "Value": cluster}]
    named = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": named, "Period": PERIOD_SECONDS, "Stat": "Sum"}}


def _results(
    cloudwatch: Any, queries: Sequence[dict[str, Any]], start: datetime, end: datetime
) -> Iterator[dict[str, Any]]:
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end, MaxDatapoints=_DATAPOINTS_AT_ONCE
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            if result["StatusCode"] in ("InternalError", "Forbidden"):
                raise CommandError(f"CloudWatch keeps counts back ({result['StatusCode']})", "try again in a minute")
            yield result
