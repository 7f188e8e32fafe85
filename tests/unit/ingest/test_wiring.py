"""A deployment's names and clients become its road."""

from dataclasses import replace
from typing import Any

import pytest

from auditwire.archive import DynamoDBArchive, S3Archive
from auditwire.aws.environment import IngestConfig
from auditwire.ingest.wiring import Clients, open_archive

CONFIG = IngestConfig(
    rules_bucket="rules",
    rules_poll_seconds=30,
    archive_bucket="archive",
    archive_table="",
    archive_days=30,
    alerts_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts",
    clusters_table="clusters",
    thresholds_table="thresholds",
    runbooks_url="docs/runbooks.md",
)


def clients(archive_table: Any) -> Clients:
    nothing: Any = object()
    return Clients(nothing, nothing, nothing, nothing, archive_table, nothing)


def test_a_deployment_has_the_store_that_its_environment_names() -> None:
    def nobody() -> Any:
        pytest.fail("S3 needs no client of DynamoDB")

    assert isinstance(open_archive(replace(CONFIG, archive_table="events"), clients(object)), DynamoDBArchive)
    assert isinstance(open_archive(CONFIG, clients(nobody)), S3Archive)
