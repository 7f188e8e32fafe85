"""The watch function: wires the library to AWS. Every five minutes it looks for what no function would notice."""

import os
import time
from collections import Counter
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.alerts import SnsPublisher
from auditwire.alerts.counting import counted_under
from auditwire.alerts.dead_letter_counts import count_dead_letters
from auditwire.alerts.self_alerts import publish_self_alerts
from auditwire.aws import clients, environment
from auditwire.bundles.rules_bucket import S3RulesBucket
from auditwire.clusters import ClustersTable
from auditwire.measure import measure_by_cluster
from auditwire.watch import WatchError, watch

RESERVED_SECONDS = 5.0  # at the end of an invocation: a last request to SNS

logger, metrics = Logger(), Metrics()


@cache
def _wired() -> tuple[environment.WatchConfig, ClustersTable, S3RulesBucket, Any, SnsPublisher]:
    config = environment.WatchConfig.from_env(os.environ)
    table = ClustersTable(clients.dynamodb_client(), config.clusters_table)
    rules = S3RulesBucket(clients.s3_client(patient=True), config.rules_bucket)
    return config, table, rules, clients.sqs_client(), SnsPublisher(clients.sns_client(), config.alerts_topic_arn)


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Publishes alerts about what is silent or stale, whatever the event. Raises WatchError if something could not be
    checked or published. An alarm watches these errors, and the next run follows soon."""
    del event
    config, table, rules, sqs, publisher = _wired()
    deadline = time.time() + max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
    letters = partial(count_dead_letters, sqs, config.dead_letter_queue_url, datetime.now(UTC))
    seen = watch(table.list, rules, rules_bucket=config.rules_bucket, now=datetime.now(UTC), dead_letters=letters)
    told, untold = publish_self_alerts(publisher, seen.alerts, deadline, config.runbooks_url)
    problems = [*seen.problems, *untold]
    counts = {"silent": seen.silent, "stale": int(seen.stale), "published": len(told)}
    (logger.error if problems else logger.info)("watch", extra={**counts, "problems": problems})
    clusters = Counter(counted_under(alert.labels) for alert in told)
    measure_by_cluster(metrics, {cluster: {"AlertsPublished": count} for cluster, count in clusters.items()})
    metrics.add_metric("SilentClusters", MetricUnit.Count, seen.silent)
    metrics.add_metric("StaleRules", MetricUnit.Count, int(seen.stale))
    if seen.dead_letters:
        metrics.add_metric("DeadLetters", MetricUnit.Count, seen.dead_letters.letters)
        metrics.add_metric("DeadLettersWithoutReceiver", MetricUnit.Count, seen.dead_letters.without_receiver)
        metrics.add_metric("OldestDeadLetterSeconds", MetricUnit.Seconds, seen.dead_letters.oldest_seconds)
    if problems:
        raise WatchError("; ".join(problems))
    return counts
