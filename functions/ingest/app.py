"""The ingest function: wires the library to AWS. API Gateway HTTP API in (payload format 2.0), HTTP answer out."""

import gc
import os
from contextlib import suppress
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from auditwire.aws.environment import ConfigurationError, IngestConfig
from auditwire.aws.snapshots import after_restore
from auditwire.bundles.active_rules import RulesProblem
from auditwire.ingest.ingest import Ingest
from auditwire.ingest.request import Request
from auditwire.ingest.wiring import Clients, wire
from auditwire.measure import measure_by_cluster

gc.set_threshold(50_000)  # clients and batches make many objects that live on, and hardly any garbage
_clients = Clients.of_requests()
logger, metrics = Logger(), Metrics()


@cache
def _ingest() -> Ingest:
    return wire(IngestConfig.from_env(os.environ), _clients, _report)


def _renew() -> None:
    _clients.close()
    _ingest().renew()


def _report(problem: RulesProblem) -> None:
    logger.error("rules not taken", extra={"problem": problem.message})


with suppress(ConfigurationError):  # a request is to say which variable is missing
    _ingest().rules.prepare()
    after_restore(_renew)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers one request. Unexpected errors are raised, and API Gateway answers them with 500."""
    answer = _ingest().handle(Request.from_event(event))
    if answer.error:
        logger.error("not stored", extra={"error": answer.error})
    if answer.status == 401:
        logger.warning("unauthorized", extra={"ended": answer.ended})
        metrics.add_metric("Unauthorized", MetricUnit.Count, 1)
        metrics.add_metric("UnauthorizedKnown", MetricUnit.Count, bool(answer.ended))
    if answer.account:
        logger.info("batch", extra=answer.account.log_fields())
        # Measured per environment, whichever cluster it serves. An alarm watches the oldest.
        for name, seconds in _ingest().rules.ages().items():
            metrics.add_metric(name, MetricUnit.Seconds, seconds)
    measure_by_cluster(metrics, {answer.account.cluster: answer.account.metrics()} if answer.account else {})
    return {"statusCode": answer.status, "headers": {"content-type": answer.content_type}, "body": answer.body}
