"""The relay function: wires the library to AWS. A batch of SQS messages in, the messages to deliver again out."""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from auditwire.alerts import PeerSource, Relay, SqsDeadLetters
from auditwire.aws import clients, environment
from auditwire.measure import measure_by_cluster

# Reserved time at the end of an invocation: sending dead letters once the peers have had their time.
RESERVED_SECONDS = 8.0

logger, metrics = Logger(), Metrics()


@cache
def _relay() -> Relay:
    config = environment.RelayConfig.from_env(os.environ)
    arn = config.alertmanager_secret_arn
    secret = (lambda: clients.secretsmanager_client().get_secret_value(SecretId=arn)["SecretString"]) if arn else None
    return Relay(
        peers=PeerSource(config.alertmanager_urls, _receivers(config), secret),
        dead_letters=SqsDeadLetters(cache(clients.sqs_client), config.dead_letter_queue_url),
        ttl=timedelta(seconds=config.alert_ttl_seconds),
    )


def _receivers(config: environment.RelayConfig) -> Callable[[], Any]:
    @cache
    def source() -> Any:
        from auditwire.bundles.active_rules import ActiveRules  # noqa: PLC0415 - only where no addresses are configured
        from auditwire.bundles.rules_bucket import S3RulesBucket  # noqa: PLC0415

        return ActiveRules(
            S3RulesBucket(clients.s3_client(patient=True), config.rules_bucket),
            poll=config.rules_poll_seconds,
            on_problem=lambda problem: logger.error("rules not taken", extra={"problem": problem.message}),
        )

    return lambda: rules.settings.receivers if (rules := source().confirmed()) else None


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Relays a batch of alerts. What is not delivered returns to the queue."""
    seconds = max(1.0, context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
    done = _relay().handle(event, seconds)
    say = logger.warning if done.failed or done.problems else logger.info
    say("relay", extra=done.log_fields())
    measure_by_cluster(metrics, done.by_cluster)
    metrics.add_metric("PeerFailures", MetricUnit.Count, done.peer_failures)
    metrics.add_metric("OldestAlertSeconds", MetricUnit.Seconds, done.oldest_seconds)
    return done.as_response()
