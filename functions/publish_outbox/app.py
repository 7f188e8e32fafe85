"""The publish_outbox function: wires the library to AWS. Every minute judges and publishes what waits in the outbox."""

import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.alerts import SnsPublisher
from auditwire.alerts.outbox import S3Outbox
from auditwire.alerts.publish_outbox import publish_outbox
from auditwire.aws import clients, environment
from auditwire.measure import measure_by_cluster
from auditwire.thresholds.table import ThresholdTable

# Reserved time at the end of an invocation: one more read, a last request to SNS, and writing back what it did not
# take.
RESERVED_SECONDS = 20.0

logger = Logger()
metrics = Metrics()


@cache
def _wired() -> tuple[S3Outbox, SnsPublisher, ThresholdTable]:
    config = environment.OutboxConfig.from_env(os.environ)
    outbox = S3Outbox(clients.s3_client(), config.archive_bucket)
    thresholds = ThresholdTable(clients.thresholds_client(), config.thresholds_table)
    return outbox, SnsPublisher(clients.sns_client(), config.alerts_topic_arn), thresholds


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Publishes what waits, whatever the event. Returns how much was published and how much still waits."""
    del event
    outbox, publisher, thresholds = _wired()
    deadline = time.time() + max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
    run = publish_outbox(outbox, publisher, thresholds, now=lambda: datetime.now(UTC), deadline=deadline)
    (logger.warning if run.waiting or run.refused or run.problems else logger.info)("outbox", extra=run.log_fields())
    measure_by_cluster(metrics, run.by_cluster)
    metrics.add_metric("OutboxObjects", MetricUnit.Count, run.waiting)
    metrics.add_metric("OutboxAgeSeconds", MetricUnit.Seconds, run.age_seconds)
    metrics.add_metric("RefusedObjects", MetricUnit.Count, run.kept_aside)
    return {"published": run.published, "refused": run.refused, "waiting": run.waiting}
