"""The seal function: wires the library to AWS. On schedule it sends each cluster's order, from the queue it seals."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.aws import environment
from auditwire.evidence.wiring import tools_of
from auditwire.evidence.work import Tools, Worked, send_orders, work_on
from auditwire.measure import measure_by_cluster

# What is left of an invocation when the rest of its work goes to the next one.
RESERVED_SECONDS = 120.0

logger = Logger()
metrics = Metrics()


@cache
def _tools() -> Tools:
    return tools_of(environment.SealConfig.from_env(os.environ))


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Works on the order of a message, or sends orders, whatever else comes in. Raises EvidenceError."""
    for record in event.get("Records", ()):
        seconds = max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
        worked = work_on(_tools(), record["body"], context.aws_request_id, seconds, _tell)
        measure_by_cluster(metrics, {cluster: {"AlertsPublished": count} for cluster, count in worked.alerts.items()})
        # After those of clusters, which write what was added before them: with nothing left Powertools would warn.
        metrics.add_metric("ObjectsSealed", MetricUnit.Count, worked.objects)
        if worked.exported is not None:
            log = logger.error if worked.exported.failure else logger.info
            log("exported", extra=worked.exported.log_fields())
            metrics.add_metric("OcsfEventsExported", MetricUnit.Count, worked.exported.events)
            if worked.exported.behind is not None:
                metrics.add_metric("OcsfBehindSeconds", MetricUnit.Seconds, worked.exported.behind)
        worked.confirm()
    if "Records" in event:
        return {}
    sent = send_orders(_tools(), event)
    logger.info("orders", extra=sent.log_fields())
    metrics.add_metric("SealBehindSeconds", MetricUnit.Seconds, sent.behind)
    return sent.as_response()


def _tell(worked: Worked) -> None:
    logger.info("sealed", extra=worked.log_fields())
