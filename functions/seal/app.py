"""The seal function: wires the library to AWS. On schedule it sends each cluster's order, from the queue it seals."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.alerts import SnsPublisher
from auditwire.aws import clients, environment
from auditwire.evidence.arrivals import ArrivalsQueue
from auditwire.evidence.books import LedgerBooks
from auditwire.evidence.dispatch import OrdersQueue
from auditwire.evidence.s3 import S3Store
from auditwire.evidence.signing import KmsSigner
from auditwire.evidence.work import Tools, send_orders, work_on
from auditwire.measure import measure_by_cluster

# What is left of an invocation when the rest of its work goes to the next one.
RESERVED_SECONDS = 120.0

logger = Logger()
metrics = Metrics()


@cache
def _tools() -> Tools:
    config = environment.SealConfig.from_env(os.environ)
    s3, sqs, sns = clients.s3_client(patient=True), clients.sqs_client(), clients.sns_client()
    return Tools(
        config,
        store=S3Store(s3, config.archive_bucket, config.evidence_lock),
        signer=KmsSigner(clients.kms_client(), config.key_arn),
        notices=ArrivalsQueue(sqs, config.arrivals_queue_url),
        orders=OrdersQueue(sqs, config.orders_queue_url),
        publisher=SnsPublisher(sns, config.alerts_topic_arn),
        read_books=LedgerBooks(clients.cloudwatch_client(), config.metrics_namespace),
        sns=sns,
        s3=s3,
    )


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Works on the order of a message, or sends orders, whatever else comes in. Raises EvidenceError."""
    for record in event.get("Records", ()):
        seconds = max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
        worked = work_on(_tools(), record["body"], context.aws_request_id, seconds)
        logger.info("sealed", extra=worked.log_fields())
        measure_by_cluster(metrics, {cluster: {"AlertsPublished": count} for cluster, count in worked.alerts.items()})
        metrics.add_metric("ObjectsSealed", MetricUnit.Count, worked.objects)
        worked.confirm()
    if "Records" in event:
        return {}
    sent = send_orders(_tools(), event)
    logger.info("orders", extra=sent.log_fields())
    metrics.add_metric("SealBehindSeconds", MetricUnit.Seconds, sent.behind)
    return sent.as_response()
