"""Building an ``Ingest`` from a deployment's names and clients: for the function, and for retries."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditwire.alerts import SnsPublisher
from auditwire.alerts.outbox import S3Outbox
from auditwire.archive import Archive, DynamoDBArchive, S3Archive
from auditwire.aws.console import archive_url
from auditwire.aws.environment import IngestConfig
from auditwire.aws.object_lock import retained_for
from auditwire.bundles.active_rules import ActiveRules, RulesProblem
from auditwire.bundles.rules_bucket import S3RulesBucket
from auditwire.clusters import Directory
from auditwire.ingest.ingest import Ingest
from auditwire.thresholds.table import ThresholdTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True)
class Clients:
    """The AWS clients of ingest. ``archive_table`` is called only if the archive is a table."""

    s3: "S3Client"
    rules: "S3Client"
    dynamodb: "DynamoDBClient"
    thresholds: "DynamoDBClient"
    archive_table: "Callable[[], DynamoDBClient]"
    sns: "SNSClient"

    @classmethod
    def of_requests(cls) -> "Clients":
        """Clients for requests that have a deadline. Asks AWS for nothing."""
        from auditwire.aws import clients  # noqa: PLC0415 - a retry from the command line has clients of its own

        return cls(
            s3=clients.s3_client(),
            rules=clients.rules_client(),
            dynamodb=clients.dynamodb_client(),
            thresholds=clients.thresholds_client(),
            archive_table=clients.archive_client,
            sns=clients.sns_client(),
        )

    def close(self) -> None:
        """Closes pooled connections; requests open new ones."""
        for client in (self.s3, self.rules, self.dynamodb, self.thresholds, self.sns):
            client.close()


def wire(config: IngestConfig, clients: Clients, on_problem: Callable[[RulesProblem], None]) -> Ingest:
    """The ingest of the deployment that ``config`` names. Sends no request to AWS yet."""
    bucket = S3RulesBucket(clients.rules, config.rules_bucket)
    region = clients.s3.meta.region_name
    return Ingest(
        directory=Directory(clients.dynamodb, config.clusters_table),
        rules=ActiveRules(bucket, poll=config.rules_poll_seconds, on_problem=on_problem),
        archive=open_archive(config, clients),
        publisher=SnsPublisher(clients.sns, config.alerts_topic_arn),
        archive_url=archive_url(config.archive_bucket, region) if config.has_links else "",
        outbox=S3Outbox(clients.s3, config.archive_bucket),
        runbooks=config.runbooks_url,
        region=region,
        thresholds=ThresholdTable(clients.thresholds, config.thresholds_table),
    )


def open_archive(config: IngestConfig, clients: Clients) -> Archive:
    """The archive of a deployment: its table, or its bucket if it has no table."""
    objects = S3Archive(
        clients.s3, config.archive_bucket, retain=retained_for(config.evidence_lock, config.archive_days)
    )
    if not config.archive_table:
        return objects
    return DynamoDBArchive(clients.archive_table(), config.archive_table, objects, config.archive_days)
