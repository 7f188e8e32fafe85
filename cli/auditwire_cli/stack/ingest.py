"""The ingest of a stack, run here with the permissions of whoever runs the command."""

from typing import TYPE_CHECKING

from auditwire_cli.errors import CommandError
from auditwire_cli.stack.stack import Deployment

if TYPE_CHECKING:
    from auditwire.bundles.active_rules import RulesProblem
    from auditwire.ingest.ingest import Ingest


def ingest_of(found: Deployment) -> "Ingest":
    """The same Ingest as in the stack's function, with the permissions of whoever runs the command."""
    from auditwire.alerts.self_alerts import RUNBOOKS
    from auditwire.aws.environment import IngestConfig
    from auditwire.aws.object_lock import parse_lock
    from auditwire.ingest.wiring import Clients, wire

    config = IngestConfig(
        rules_bucket=found.output("RulesBucket"),
        rules_poll_seconds=float(found.parameters.get("RulesPollSeconds", 30)),
        archive_bucket=found.output("ArchiveBucket"),
        archive_table=found.outputs.get("ArchiveTable", ""),
        archive_days=int(found.parameters.get("ArchiveRetentionDays", 0)),
        alerts_topic_arn=found.output("AlertsTopicArn"),
        clusters_table=found.output("ClustersTable"),
        thresholds_table=found.output("ThresholdsTable"),
        runbooks_url=found.parameters.get("RunbooksUrl", RUNBOOKS),
        evidence_lock=parse_lock(found.parameters.get("EvidenceLock", "none")),
    )
    s3, dynamodb = found.client("s3"), found.client("dynamodb")
    return wire(config, Clients(s3, s3, dynamodb, dynamodb, lambda: dynamodb, found.client("sns")), _no_rules)


def _no_rules(problem: "RulesProblem") -> None:
    """A function goes on with older rules. Here that could ignore events which the rules in force would archive."""
    raise CommandError(f"the rules in force cannot be read: {problem.message}", "nothing was processed; try again")
