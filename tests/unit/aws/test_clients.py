"""How much time the clients may take."""

from typing import Any

import pytest

from auditwire.aws import clients
from auditwire.bundles.active_rules import PROMPT_SECONDS
from auditwire.ingest.ingest import ARCHIVE_SECONDS, DEADLINE_SECONDS, OUTBOX_SECONDS

KS_APISERVER_WAITS_SECONDS = 3.0


def config_of(client: Any) -> Any:
    """A client's botocore settings, whose names only exist at run time."""
    return client.meta.config


def test_an_archive_table_that_hangs_leaves_time_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = config_of(clients.archive_client())

    assert config.retries["total_max_attempts"] == 1
    last_begins = DEADLINE_SECONDS - ARCHIVE_SECONDS
    assert last_begins + config.read_timeout <= DEADLINE_SECONDS
    assert last_begins + config.connect_timeout + config.read_timeout < KS_APISERVER_WAITS_SECONDS


def test_a_topic_that_hangs_leaves_time_for_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = config_of(clients.sns_client())

    # A client that repeats by itself would not know when to stop.
    assert config.retries["total_max_attempts"] == 1
    # On an open connection the last request ends in time; on a new one, before the sender goes.
    last_begins = DEADLINE_SECONDS - OUTBOX_SECONDS
    assert last_begins + config.read_timeout <= DEADLINE_SECONDS
    assert last_begins + config.connect_timeout + config.read_timeout < KS_APISERVER_WAITS_SECONDS


def test_a_rules_bucket_that_hangs_leaves_time_for_the_archive_and_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    config = config_of(clients.rules_client())

    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
    # At worst something else fails first, and is tried again just in time.
    assert PROMPT_SECONDS + config.connect_timeout + config.read_timeout <= DEADLINE_SECONDS - OUTBOX_SECONDS
