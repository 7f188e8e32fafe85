"""The compile_rules function: wires the library to AWS. Whatever the event, it reads all documents."""

import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from auditwire.alerts import SnsPublisher, publish_self_alert, rules_refused, with_runbook
from auditwire.alerts.counting import counted_under
from auditwire.aws import clients, environment
from auditwire.bundles.compile_rules import Compiled, compile_rules, confirm_announced
from auditwire.bundles.rules_bucket import S3RulesBucket
from auditwire.measure import measure_by_cluster

PUBLISH_SECONDS = 10.0
MAX_LINES = 100

logger = Logger()
metrics = Metrics()


@cache
def _wired() -> tuple[environment.CompileConfig, S3RulesBucket, SnsPublisher]:
    config = environment.CompileConfig.from_env(os.environ)
    bucket = S3RulesBucket(clients.s3_client(patient=True), config.rules_bucket)
    return config, bucket, SnsPublisher(clients.sns_client(), config.alerts_topic_arn)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Brings the uploaded rules into force, or reports why not. Errors are raised, so that Lambda tries again."""
    del event, context
    config, bucket, publisher = _wired()
    compiled = compile_rules(bucket, now=lambda: datetime.now(UTC))
    _report(compiled)
    if compiled.announce:
        refused = compiled.diagnostics, compiled.digest, compiled.active
        alert = with_runbook(rules_refused(*refused, config.rules_bucket, datetime.now(UTC)), config.runbooks_url)
        publish_self_alert(publisher, alert, time.time() + PUBLISH_SECONDS)
        measure_by_cluster(metrics, {counted_under(alert.labels): {"AlertsPublished": 1}})
        confirm_announced(bucket, compiled)
    return {"verdict": compiled.verdict, "digest": compiled.digest, "active": compiled.active}


def _report(compiled: Compiled) -> None:
    """Writes a line and a count for the run, and a line for each finding: places and codes, but no documents."""
    errors = sum(found.is_error for found in compiled.diagnostics)
    said = {"verdict": compiled.verdict, "digest": compiled.digest, "active": compiled.active, "errors": errors}
    (logger.warning if errors else logger.info)("rules", extra={**said, "findings": len(compiled.diagnostics)})
    # Not repeated every five minutes. status.json has the findings.
    if compiled.verdict == "accepted" or compiled.announce:
        for found in compiled.diagnostics[:MAX_LINES]:
            (logger.warning if found.is_error else logger.info)("finding", extra={"diagnostic": found.as_json()})
    metrics.add_metric("RulesAccepted", MetricUnit.Count, compiled.verdict == "accepted")
    metrics.add_metric("RulesRefused", MetricUnit.Count, compiled.verdict == "refused")
    metrics.add_metric("RulesFindings", MetricUnit.Count, len(compiled.diagnostics))
    metrics.flush_metrics()
