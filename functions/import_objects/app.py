"""The import_objects function: wires the library to AWS. Takes an object that arrived in the import bucket."""

import os
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.aws import clients, environment
from auditwire.bundles.active_rules import RulesProblem
from auditwire.ingest.account import Account
from auditwire.ingest.import_queue import ImportQueue, Order, take_order
from auditwire.ingest.ingest import Ingest
from auditwire.ingest.wiring import Clients, wire
from auditwire.measure import measure_by_cluster

# What is left of an invocation when the rest of an object goes to the next one: a piece that was begun, and its alerts.
RESERVED_SECONDS = 120.0

logger, metrics = Logger(), Metrics()


@cache
def _wired() -> tuple[Ingest, ImportQueue, timedelta]:
    s3, dynamodb = clients.s3_client(patient=True), clients.dynamodb_client()
    thresholds, sns = clients.thresholds_client(), clients.sns_client()
    using = Clients(s3, s3, dynamodb, thresholds, archive_table=clients.archive_client, sns=sns)
    config = environment.ImportConfig.from_env(os.environ)
    queue = ImportQueue(s3, clients.sqs_client(), config.queue_url)
    return (
        wire(environment.IngestConfig.from_env(os.environ), using, _report),
        queue,
        timedelta(hours=config.backfill_hours),
    )


def _report(problem: RulesProblem) -> None:
    logger.error("rules not taken", extra={"problem": problem.message})


def _told(account: Account) -> None:
    logger.info("batch", extra=account.log_fields())
    measure_by_cluster(metrics, {account.cluster: account.metrics()})


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Takes the objects of the messages. Raises for what could not be taken, and the message comes again."""
    ingest, queue, backfill = _wired()
    deadline = time.time() + context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
    for record in event["Records"]:
        order = Order.of_message(record["body"])
        quiet_before = datetime.now(UTC) - backfill
        taken = take_order(ingest, queue, order, quiet_before=quiet_before, deadline=deadline, told=_told)
        logger.info("object", extra={"object": order.key, "pieces": taken.pieces, "whole": taken.is_whole})
