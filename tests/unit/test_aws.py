"""What the functions take from their environment, and how much time their clients may take."""

import pytest

from auditwire import aws
from auditwire.active_rules import PROMPT_SECONDS
from auditwire.ingest import DEADLINE_SECONDS, OUTBOX_SECONDS

KS_APISERVER_WAITS_SECONDS = 3.0


@pytest.mark.parametrize("missing", ["ARCHIVE_BUCKET", "ALERTS_TOPIC_ARN"])
def test_publish_outbox_needs_every_variable(missing: str) -> None:
    env = {"ARCHIVE_BUCKET": "archive", "ALERTS_TOPIC_ARN": "arn"}
    assert aws.OutboxConfig.from_env(env) == aws.OutboxConfig("archive", "arn")
    with pytest.raises(aws.ConfigurationError, match=missing):
        aws.OutboxConfig.from_env({**env, missing: ""})


@pytest.mark.parametrize("missing", ["CLUSTERS_TABLE", "RULES_BUCKET", "ALERTS_TOPIC_ARN", "RUNBOOKS_URL"])
def test_watch_needs_every_variable(missing: str) -> None:
    env = {"CLUSTERS_TABLE": "clusters", "RULES_BUCKET": "rules", "ALERTS_TOPIC_ARN": "arn", "RUNBOOKS_URL": "r.md"}
    assert aws.WatchConfig.from_env(env) == aws.WatchConfig("clusters", "rules", "arn", "r.md")
    with pytest.raises(aws.ConfigurationError, match=missing):
        aws.WatchConfig.from_env({**env, missing: ""})


def test_a_topic_that_hangs_leaves_time_for_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = aws.sns_client().meta.config

    # A client that repeats by itself would not know when to stop.
    assert config.retries["total_max_attempts"] == 1
    # On an open connection the last request ends in time; on a new one, before the sender goes.
    last_begins = DEADLINE_SECONDS - OUTBOX_SECONDS
    assert last_begins + config.read_timeout <= DEADLINE_SECONDS
    assert last_begins + config.connect_timeout + config.read_timeout < KS_APISERVER_WAITS_SECONDS


def test_a_rules_bucket_that_hangs_leaves_time_for_the_archive_and_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    config = aws.rules_client().meta.config

    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
    # At worst something else fails first, and is tried again just in time.
    assert PROMPT_SECONDS + config.connect_timeout + config.read_timeout <= DEADLINE_SECONDS - OUTBOX_SECONDS
