"""The ingest function: wires the library to AWS. API Gateway HTTP API in (payload format 2.0), HTTP answer out."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from auditwire import aws
from auditwire.alerts import SnsPublisher
from auditwire.archive import S3Archive
from auditwire.clusters import Directory
from auditwire.ingest import Ingest, Request
from auditwire.rule_source import RuleSource, RulesProblem

logger = Logger()
metrics = Metrics()


@cache
def _ingest() -> Ingest:
    config = aws.IngestConfig.from_env(os.environ)
    s3 = aws.s3_client()
    return Ingest(
        directory=Directory(aws.dynamodb_client(), config.clusters_table),
        rules=RuleSource(s3, config.rules_bucket, config.rules_prefix, on_problem=_report_problem),
        archive=S3Archive(s3, config.archive_bucket),
        publisher=SnsPublisher(aws.sns_client(), config.alerts_topic_arn),
        archive_url=aws.archive_url(config.archive_bucket, s3.meta.region_name),
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one request; anything not foreseen is raised, which API Gateway answers with 500."""
    del context
    answer = _ingest().handle(Request.from_event(event))
    if answer.status == 401:
        logger.warning("unauthorized")
        _measure({"Unauthorized": 1})
    if answer.error:
        logger.error("not stored", extra={"error": answer.error})
    if answer.account:
        logger.info("batch", extra=answer.account.log_fields())
        _measure(answer.account.metrics(), cluster=answer.account.cluster)
    return {"statusCode": answer.status, "headers": {"content-type": "text/plain"}, "body": answer.body}


def _measure(counts: dict[str, int], **dimensions: str) -> None:
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()


def _report_problem(problem: RulesProblem) -> None:
    findings = [found.as_json() for found in problem.diagnostics[:20]]
    logger.error("rules refused", extra={"problem": problem.message, "diagnostics": findings})
