"""The watch function: wires the library to AWS. Looks for silent clusters and stale rules every five minutes."""

import os
import time
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.alerts import SnsPublisher
from auditwire.alerts.counting import counted_under
from auditwire.alerts.self_alerts import publish_self_alerts
from auditwire.aws import clients, environment
from auditwire.bundles.rules_bucket import S3RulesBucket
from auditwire.clusters import ClustersTable
from auditwire.measure import measure_by_cluster
from auditwire.watch import WatchError, watch

# Reserved time at the end of an invocation: a last request to SNS.
RESERVED_SECONDS = 5.0

logger = Logger()
metrics = Metrics()


@cache
def _wired() -> tuple[environment.WatchConfig, ClustersTable, S3RulesBucket, SnsPublisher]:
    config = environment.WatchConfig.from_env(os.environ)
    table = ClustersTable(clients.dynamodb_client(), config.clusters_table)
    rules = S3RulesBucket(clients.s3_client(patient=True), config.rules_bucket)
    return config, table, rules, SnsPublisher(clients.sns_client(), config.alerts_topic_arn)


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Publishes alerts about what is silent or stale, whatever the event. Raises WatchError if something could not be
    checked or published. An alarm watches these errors, and the next run follows soon."""
    del event
    config, table, rules, publisher = _wired()
    deadline = time.time() + max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
    seen = watch(table.list, rules, rules_bucket=config.rules_bucket, now=datetime.now(UTC))
    told, untold = publish_self_alerts(publisher, seen.alerts, deadline, config.runbooks_url)
    problems = [*seen.problems, *untold]
    counts = {"silent": seen.silent, "stale": int(seen.stale), "published": len(told)}
    (logger.error if problems else logger.info)("watch", extra={**counts, "problems": problems})
    clusters = Counter(counted_under(alert.labels) for alert in told)
    measure_by_cluster(metrics, {cluster: {"AlertsPublished": count} for cluster, count in clusters.items()})
    metrics.add_metric("SilentClusters", MetricUnit.Count, seen.silent)
    metrics.add_metric("StaleRules", MetricUnit.Count, int(seen.stale))
    if problems:
        raise WatchError("; ".join(problems))
    return counts
