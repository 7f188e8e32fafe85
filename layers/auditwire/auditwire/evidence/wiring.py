"""What the seal function works with, made of its environment."""

from auditwire.alerts import SnsPublisher
from auditwire.aws import clients
from auditwire.aws.environment import OcsfConfig, SealConfig
from auditwire.evidence.arrivals import ArrivalsQueue
from auditwire.evidence.books import LedgerBooks
from auditwire.evidence.dispatch import OrdersQueue
from auditwire.evidence.exporting import Export
from auditwire.evidence.s3 import S3Store
from auditwire.evidence.signing import KmsSigner
from auditwire.evidence.work import Tools
from auditwire.ocsf.destination import AssumedRole, S3Destination
from auditwire.ocsf.layout import Place


def tools_of(config: SealConfig) -> Tools:
    """The stores, queues and clients of a configuration."""
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
        export=None if config.ocsf is None else _export(config.ocsf),
    )


def _export(config: OcsfConfig) -> Export:
    place = Place(config.prefix, config.region, config.account)
    if config.role_arn:
        role = AssumedRole(
            clients.sts_client().assume_role, config.role_arn, config.external_id, clients.foreign_s3_client
        )
        return Export(S3Destination(role, config.bucket), place)
    own = clients.s3_client(patient=True)
    # Nobody else can take a bucket's name and get what is meant for this account.
    return Export(S3Destination(lambda: own, config.bucket, owner=config.account), place)
