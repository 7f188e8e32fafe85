"""Where the ledger's counts come from: metrics of CloudWatch, the outbox, and the queues."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Deployment

if TYPE_CHECKING:
    from auditwire.ledger import Waiting
    from auditwire.measured import Hours

_MAX_LETTERS = 10_000


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


def counts_measured(
    cloudwatch: Any, namespace: str, clusters: Iterable[str], start: datetime, end: datetime
) -> "Hours":
    """What was counted from ``start`` to ``end``, both on the hour. Raises CommandError where CloudWatch withholds
    an answer."""
    from auditwire import measured
    from auditwire.ledger import SOURCES

    try:
        return measured.counts_measured(cloudwatch, namespace, clusters, SOURCES, start, end)
    except measured.CountsWithheldError as error:
        raise CommandError(f"CloudWatch withholds counts ({error})", "try again in a minute") from None


def waiting_now(found: Deployment) -> "Waiting":
    """What waits in the alerts queue (about) and in the outbox now."""
    from auditwire.alerts.counting import message_counted_under
    from auditwire.alerts.outbox import S3Outbox
    from auditwire.alerts.redrive import waiting
    from auditwire.ledger import Waiting

    outbox = S3Outbox(found.client("s3"), found.output("ArchiveBucket"))
    contents = (outbox.read(entry) for entry in outbox.listing().waiting)
    held = Counter(message_counted_under(message) for one in contents if one for message in one.messages)
    queue = found.outputs.get("AlertsQueueUrl")
    return Waiting(waiting(found.client("sqs"), queue) if queue else 0, held)


def add_set_aside(found: Deployment, hours: "Hours") -> None:
    """Count the alerts that SQS or SNS itself moved to the dead letters, in the hour in which they were published.

    Looking hides them from others for a moment, so this is only done when something is missing.
    """
    from auditwire.alerts.counting import UNKNOWN, counted_under
    from auditwire.alerts.redrive import peek
    from auditwire.ledger import SET_ASIDE

    for letter in peek(found.client("sqs"), found.output("DeadLetterQueueUrl"), _MAX_LETTERS):
        # The relay moved the others there, and counted them.
        if not letter.by_relay:
            cluster = counted_under(letter.alert.labels) if letter.alert else UNKNOWN
            hour = letter.sent.replace(minute=0, second=0, microsecond=0)
            if (cluster, hour) in hours:
                hours[cluster, hour][SET_ASIDE] += 1
