"""What the functions take from their environment, and how much time their clients may take."""

import pytest

from auditwire import aws
from auditwire.bundles.active_rules import PROMPT_SECONDS
from auditwire.ingest.ingest import ARCHIVE_SECONDS, DEADLINE_SECONDS, OUTBOX_SECONDS

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


INGEST = {
    "RULES_BUCKET": "rules",
    "ARCHIVE_BUCKET": "archive",
    "ARCHIVE_TABLE": "",
    "ARCHIVE_RETENTION_DAYS": "365",
    "ALERTS_TOPIC_ARN": "arn",
    "CLUSTERS_TABLE": "clusters",
    "RUNBOOKS_URL": "r.md",
}


def test_an_archive_table_may_be_named_and_its_days_are_a_number() -> None:
    assert aws.IngestConfig.from_env(INGEST).archive_table == ""
    config = aws.IngestConfig.from_env({**INGEST, "ARCHIVE_TABLE": "events", "ARCHIVE_RETENTION_DAYS": "36500"})
    assert (config.archive_table, config.archive_days) == ("events", 36_500)
    for days in ("", "0", "-1", "1.5", "x", "¹"):
        with pytest.raises(aws.ConfigurationError, match="ARCHIVE_RETENTION_DAYS"):
            aws.IngestConfig.from_env({**INGEST, "ARCHIVE_RETENTION_DAYS": days})


def test_an_archive_table_that_hangs_leaves_time_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = aws.archive_client().meta.config

    assert config.retries["total_max_attempts"] == 1
    last_begins = DEADLINE_SECONDS - ARCHIVE_SECONDS
    assert last_begins + config.read_timeout <= DEADLINE_SECONDS
    assert last_begins + config.connect_timeout + config.read_timeout < KS_APISERVER_WAITS_SECONDS


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
