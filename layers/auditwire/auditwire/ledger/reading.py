"""Where the ledger's counts come from: metrics of CloudWatch, the outbox, and the queues."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from auditwire.alerts.counting import UNKNOWN, counted_under, message_counted_under
from auditwire.alerts.outbox import S3Outbox
from auditwire.alerts.redrive import peek, waiting
from auditwire.ledger.balance import HOUR, SET_ASIDE, SOURCES, Row, Waiting, ledger
from auditwire.measured import counts_measured

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from auditwire.measured import Hours

SETTLE: Final = timedelta(minutes=15)
"""How long after an hour its counts may still come: metrics that go through logs may be minutes late."""

LOOK_AHEAD: Final = timedelta(days=4)
"""How long after they came in alerts may go out: no queue keeps them for longer."""

MAX_LETTERS: Final = 10_000
"""How many dead letters are looked at."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Where a stack counts, and where its alerts wait: ``namespace`` is that of its metrics, ``bucket`` has the outbox.

    A stack without a relay has no queues; their addresses are empty then.
    """

    cloudwatch: "CloudWatchClient"
    s3: "S3Client"
    sqs: "SQSClient"
    namespace: str
    bucket: str
    alerts_queue: str = ""
    dead_letters: str = ""


def read_ledger(
    counters: Counters,
    cluster: str | None,
    shown: tuple[datetime, datetime],
    now: datetime,
    *,
    judge_all: bool = False,
    max_letters: int = MAX_LETTERS,
) -> tuple[list[Row], Waiting]:
    """The rows of the hours from the first moment to the second, both on the hour, and what waits now.

    An hour is settled 15 minutes after its end, with ``judge_all`` at once. All clusters are counted for the rows of
    one, since what waits in the queue may be of any of them. Raises CountsWithheldError where CloudWatch withholds an
    answer, and AlertsError, ClientError and BotoCoreError.
    """
    start, end = shown
    clusters = clusters_measured(counters.cloudwatch, counters.namespace) | ({cluster} if cluster else set())
    known_until = on_the_hour(now) + HOUR
    until = min(known_until, end + LOOK_AHEAD)
    counts = counts_measured(counters.cloudwatch, counters.namespace, clusters, SOURCES, start, until)
    held = waiting_now(counters)
    settled_before = known_until if judge_all else now - SETTLE
    has_relay = bool(counters.alerts_queue)
    rows = ledger(counts, held, settled_before=settled_before, has_relay=has_relay)
    if counters.dead_letters and any(row.queue.missing for row in rows):
        _add_set_aside(counters, counts, max_letters)
        rows = ledger(counts, held, settled_before=settled_before, has_relay=has_relay)
    return [row for row in rows if row.hour < end and cluster in (None, row.cluster)], held


def clusters_measured(cloudwatch: Any, namespace: str) -> set[str]:
    """The clusters of the metrics of the last two weeks; CloudWatch lists no older ones."""
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    return {
        dimension["Value"]
        for page in pages
        for metric in page["Metrics"]
        for dimension in metric["Dimensions"]
        if dimension["Name"] == "cluster"
    }


def waiting_now(counters: Counters) -> Waiting:
    """What waits in the alerts queue (about) and in the outbox now."""
    outbox = S3Outbox(counters.s3, counters.bucket)
    contents = (outbox.read(entry) for entry in outbox.listing().waiting)
    held = Counter(message_counted_under(message) for one in contents if one for message in one.messages)
    return Waiting(waiting(counters.sqs, counters.alerts_queue) if counters.alerts_queue else 0, held)


def on_the_hour(moment: datetime) -> datetime:
    """The beginning of the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _add_set_aside(counters: Counters, hours: "Hours", most: int) -> None:
    """Counts the alerts that SQS or SNS itself moved to the dead letters, in the hour in which they were published.

    Looking hides them from others for a moment, so this is only done when something is missing.
    """
    for letter in peek(counters.sqs, counters.dead_letters, most):
        # The relay moved the others there, and counted them.
        if not letter.by_relay:
            cluster = counted_under(letter.alert.labels) if letter.alert else UNKNOWN
            hour = on_the_hour(letter.sent)
            if (cluster, hour) in hours:
                hours[cluster, hour][SET_ASIDE] += 1
