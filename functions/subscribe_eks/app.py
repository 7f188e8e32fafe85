"""The subscribe_eks function: wires the library to AWS. Takes what a subscription filter of CloudWatch Logs delivers,
and what could not be taken before, from the queue."""

import json
import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.aws import clients, environment
from auditwire.bundles.active_rules import RulesProblem
from auditwire.ingest.ingest import Ingest, NotStoredError
from auditwire.ingest.log_groups import take_delivery
from auditwire.ingest.wiring import Clients, wire
from auditwire.measure import measure_by_cluster

# Reserved time at the end of an invocation: a last request to SNS, and the outbox.
RESERVED_SECONDS = 15.0

logger, metrics = Logger(), Metrics()


@cache
def _ingest() -> Ingest:
    s3, dynamodb = clients.s3_client(patient=True), clients.dynamodb_client()
    thresholds, sns = clients.thresholds_client(), clients.sns_client()
    using = Clients(s3, s3, dynamodb, thresholds, archive_table=clients.archive_client, sns=sns)
    return wire(environment.IngestConfig.from_env(os.environ), using, _report)


def _report(problem: RulesProblem) -> None:
    logger.error("rules not taken", extra={"problem": problem.message})


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Takes a delivery, or one that waits in the queue of those that failed. Raises NotStoredError, and Lambda tries
    again."""
    deadline = time.time() + max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
    for record in event.get("Records", ()):
        _take(json.loads(record["body"]).get("requestPayload") or {}, deadline)
    if "Records" not in event:
        _take(event, deadline)


def _take(delivery: dict[str, Any], deadline: float) -> None:
    answer = take_delivery(_ingest(), delivery, received=datetime.now(UTC), deadline=deadline)
    if answer.account:
        logger.info("batch", extra=answer.account.log_fields())
        measure_by_cluster(metrics, {answer.account.cluster: answer.account.metrics()})
    if answer.status != 200:
        raise NotStoredError(answer.error)
