"""What the functions take from their environment."""

import pytest

from auditwire.aws import environment


@pytest.mark.parametrize("missing", ["ARCHIVE_BUCKET", "ALERTS_TOPIC_ARN", "THRESHOLDS_TABLE"])
def test_publish_outbox_needs_every_variable(missing: str) -> None:
    env = {"ARCHIVE_BUCKET": "archive", "ALERTS_TOPIC_ARN": "arn", "THRESHOLDS_TABLE": "thresholds"}
    assert environment.OutboxConfig.from_env(env) == environment.OutboxConfig("archive", "arn", "thresholds")
    with pytest.raises(environment.ConfigurationError, match=missing):
        environment.OutboxConfig.from_env({**env, missing: ""})


@pytest.mark.parametrize("missing", ["CLUSTERS_TABLE", "RULES_BUCKET", "ALERTS_TOPIC_ARN", "RUNBOOKS_URL"])
def test_watch_needs_every_variable(missing: str) -> None:
    env = {"CLUSTERS_TABLE": "clusters", "RULES_BUCKET": "rules", "ALERTS_TOPIC_ARN": "arn", "RUNBOOKS_URL": "r.md"}
    assert environment.WatchConfig.from_env(env) == environment.WatchConfig("clusters", "rules", "arn", "r.md")
    with pytest.raises(environment.ConfigurationError, match=missing):
        environment.WatchConfig.from_env({**env, missing: ""})


INGEST = {
    "RULES_BUCKET": "rules",
    "ARCHIVE_BUCKET": "archive",
    "ARCHIVE_TABLE": "",
    "ARCHIVE_RETENTION_DAYS": "365",
    "ALERTS_TOPIC_ARN": "arn",
    "CLUSTERS_TABLE": "clusters",
    "THRESHOLDS_TABLE": "thresholds",
    "RUNBOOKS_URL": "r.md",
}


def test_an_archive_table_may_be_named_and_its_days_are_a_number() -> None:
    assert environment.IngestConfig.from_env(INGEST).archive_table == ""
    config = environment.IngestConfig.from_env({**INGEST, "ARCHIVE_TABLE": "events", "ARCHIVE_RETENTION_DAYS": "36500"})
    assert (config.archive_table, config.archive_days) == ("events", 36_500)
    for days in ("", "0", "-1", "1.5", "x", "¹"):
        with pytest.raises(environment.ConfigurationError, match="ARCHIVE_RETENTION_DAYS"):
            environment.IngestConfig.from_env({**INGEST, "ARCHIVE_RETENTION_DAYS": days})


CONSOLE = {
    "ARCHIVE_BUCKET": "archive",
    "RULES_BUCKET": "rules",
    "CLUSTERS_TABLE": "clusters",
    "VIEWERS_TABLE": "viewers",
    "SESSIONS_TABLE": "sessions",
    "CONSOLE_ISSUER": "https://login.example.com",
    "CONSOLE_CLIENT_ID": "console",
    "CONSOLE_SCOPES": "openid email",
    "CONSOLE_GROUPS_CLAIM": "groups",
    "CONSOLE_SESSION_HOURS": "8",
    "CONSOLE_SEARCH_CENTS": "25",
    "CONSOLE_ATHENA_MEGABYTES": "500",
    "POWERTOOLS_METRICS_NAMESPACE": "auditwire/x",
    "STACK": "x",
}


def test_the_console_needs_everything_but_what_a_stack_may_do_without() -> None:
    config = environment.ConsoleConfig.from_env(CONSOLE)
    assert (config.search_dollars, config.athena_above_bytes, config.session_hours) == (0.25, 500_000_000, 8)
    assert {config.seal_key_arn, config.alerts_queue_url, config.athena_workgroup, config.client_secret_arn} == {""}
    for missing in CONSOLE:
        with pytest.raises(environment.ConfigurationError, match=missing):
            environment.ConsoleConfig.from_env({**CONSOLE, missing: ""})


LAKE = {"OCSF_BUCKET": "lake", "OCSF_REGION": "eu-west-1", "OCSF_ACCOUNT": "123456789012"}


def test_nothing_is_exported_without_a_bucket() -> None:
    assert environment.OcsfConfig.from_env({**LAKE, "OCSF_BUCKET": ""}) is None
    assert environment.OcsfConfig.from_env({}) is None


@pytest.mark.parametrize("missing", ["OCSF_REGION", "OCSF_ACCOUNT"])
def test_an_export_needs_its_region_and_account(missing: str) -> None:
    assert environment.OcsfConfig.from_env(LAKE) == environment.OcsfConfig("lake", "", "eu-west-1", "123456789012")
    role = {**LAKE, "OCSF_PREFIX": "ext/a/", "OCSF_ROLE_ARN": "arn", "OCSF_EXTERNAL_ID": "x"}
    assert environment.OcsfConfig.from_env(role) == environment.OcsfConfig(
        "lake", "ext/a/", "eu-west-1", "123456789012", "arn", "x"
    )
    with pytest.raises(environment.ConfigurationError, match=missing):
        environment.OcsfConfig.from_env({**LAKE, missing: ""})
