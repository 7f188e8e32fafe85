"""The environment variables of the functions. The template sets all of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from auditwire.aws.object_lock import Lock, parse_lock


class ConfigurationError(Exception):
    """An environment variable is missing or unusable."""


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """The environment of the ingest function."""

    rules_bucket: str
    rules_poll_seconds: float
    archive_bucket: str
    archive_table: str
    archive_days: int
    alerts_topic_arn: str
    clusters_table: str
    thresholds_table: str
    runbooks_url: str
    evidence_lock: Lock = "none"
    has_console: bool = True

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "IngestConfig":
        """Reads RULES_BUCKET, RULES_POLL_SECONDS (30), ARCHIVE_BUCKET, ARCHIVE_TABLE, ARCHIVE_RETENTION_DAYS,
        ALERTS_TOPIC_ARN, CLUSTERS_TABLE, THRESHOLDS_TABLE and RUNBOOKS_URL. The archive table may be empty. HAS_CONSOLE
        is "false" where no console of AWS shows what is archived."""
        return cls(
            rules_bucket=_required(env, "RULES_BUCKET"),
            rules_poll_seconds=_seconds(env, "RULES_POLL_SECONDS", "30"),
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            archive_table=env.get("ARCHIVE_TABLE", ""),
            archive_days=_days(env, "ARCHIVE_RETENTION_DAYS"),
            evidence_lock=_lock(env),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            clusters_table=_required(env, "CLUSTERS_TABLE"),
            thresholds_table=_required(env, "THRESHOLDS_TABLE"),
            runbooks_url=_required(env, "RUNBOOKS_URL"),
            has_console=env.get("HAS_CONSOLE", "true") != "false",
        )

    @property
    def has_links(self) -> bool:
        """Whether there is a page for an archived object: not for an item of a table, nor on one machine."""
        return self.has_console and not self.archive_table


@dataclass(frozen=True, slots=True)
class ImportConfig:
    """What the import_objects function needs beside the environment of ingest."""

    queue_url: str
    backfill_hours: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ImportConfig":
        """Reads IMPORT_QUEUE_URL and BACKFILL_HOURS."""
        return cls(queue_url=_required(env, "IMPORT_QUEUE_URL"), backfill_hours=_whole(env, "BACKFILL_HOURS"))


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """The environment of the relay function. Without ``alertmanager_urls`` the receivers of the Webhook document are
    used."""

    rules_bucket: str
    rules_poll_seconds: float
    alertmanager_urls: tuple[str, ...]
    alertmanager_secret_arn: str
    alert_ttl_seconds: float
    dead_letter_queue_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "RelayConfig":
        """Reads RULES_BUCKET, RULES_POLL_SECONDS (30), ALERTMANAGER_URLS (comma separated), ALERTMANAGER_SECRET_ARN,
        ALERT_TTL_SECONDS and DEAD_LETTER_QUEUE_URL. The URLs and the secret may be empty."""
        urls = (url.strip() for url in env.get("ALERTMANAGER_URLS", "").split(","))
        return cls(
            rules_bucket=_required(env, "RULES_BUCKET"),
            rules_poll_seconds=_seconds(env, "RULES_POLL_SECONDS", "30"),
            alertmanager_urls=tuple(url for url in urls if url),
            alertmanager_secret_arn=env.get("ALERTMANAGER_SECRET_ARN", ""),
            alert_ttl_seconds=_seconds(env, "ALERT_TTL_SECONDS"),
            dead_letter_queue_url=_required(env, "DEAD_LETTER_QUEUE_URL"),
        )


@dataclass(frozen=True, slots=True)
class CompileConfig:
    """The environment of the compile_rules function."""

    rules_bucket: str
    alerts_topic_arn: str
    runbooks_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "CompileConfig":
        """Reads RULES_BUCKET, ALERTS_TOPIC_ARN and RUNBOOKS_URL."""
        return cls(
            rules_bucket=_required(env, "RULES_BUCKET"),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            runbooks_url=_required(env, "RUNBOOKS_URL"),
        )


@dataclass(frozen=True, slots=True)
class OutboxConfig:
    """The environment of the publish_outbox function."""

    archive_bucket: str
    alerts_topic_arn: str
    thresholds_table: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "OutboxConfig":
        """Reads ARCHIVE_BUCKET, ALERTS_TOPIC_ARN and THRESHOLDS_TABLE."""
        return cls(
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            thresholds_table=_required(env, "THRESHOLDS_TABLE"),
        )


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """The environment of the watch function. Without ``dead_letter_queue_url`` there is no such queue."""

    clusters_table: str
    rules_bucket: str
    alerts_topic_arn: str
    runbooks_url: str
    dead_letter_queue_url: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WatchConfig":
        """Reads CLUSTERS_TABLE, RULES_BUCKET, ALERTS_TOPIC_ARN, RUNBOOKS_URL and DEAD_LETTER_QUEUE_URL, which may be
        empty."""
        return cls(
            dead_letter_queue_url=env.get("DEAD_LETTER_QUEUE_URL", ""),
            clusters_table=_required(env, "CLUSTERS_TABLE"),
            rules_bucket=_required(env, "RULES_BUCKET"),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            runbooks_url=_required(env, "RUNBOOKS_URL"),
        )


@dataclass(frozen=True, slots=True)
class OcsfConfig:
    """Where the seal function exports records of OCSF to. Without ``role_arn`` it writes with its own rights, to a
    bucket of its own ``account``."""

    bucket: str
    prefix: str
    region: str
    account: str
    role_arn: str = ""
    external_id: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "OcsfConfig | None":
        """Reads OCSF_BUCKET, OCSF_PREFIX, OCSF_REGION, OCSF_ACCOUNT, OCSF_ROLE_ARN and OCSF_EXTERNAL_ID; all but the
        region and the account may be empty. None without a bucket."""
        if not env.get("OCSF_BUCKET"):
            return None
        return cls(
            bucket=env["OCSF_BUCKET"],
            prefix=env.get("OCSF_PREFIX", ""),
            region=_required(env, "OCSF_REGION"),
            account=_required(env, "OCSF_ACCOUNT"),
            role_arn=env.get("OCSF_ROLE_ARN", ""),
            external_id=env.get("OCSF_EXTERNAL_ID", ""),
        )


@dataclass(frozen=True, slots=True)
class SealConfig:
    """The environment of the seal function."""

    archive_bucket: str
    archive_days: int
    evidence_lock: Lock
    key_arn: str
    max_bytes: int
    grace_seconds: float
    arrivals_queue_url: str
    orders_queue_url: str
    alerts_topic_arn: str
    operations_topic_arn: str
    heads_bucket: str
    metrics_namespace: str
    stack: str
    runbooks_url: str
    ocsf: OcsfConfig | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "SealConfig":
        """Reads ARCHIVE_BUCKET, ARCHIVE_RETENTION_DAYS, EVIDENCE_LOCK, SEAL_KEY_ARN, SEAL_MEGABYTES,
        SEAL_GRACE_SECONDS, ARRIVALS_QUEUE_URL, ORDERS_QUEUE_URL, ALERTS_TOPIC_ARN, OPERATIONS_TOPIC_ARN, HEADS_BUCKET,
        POWERTOOLS_METRICS_NAMESPACE, STACK, RUNBOOKS_URL and what OcsfConfig reads; the lock and HEADS_BUCKET may be
        empty, the grace 0."""
        return cls(
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            archive_days=_days(env, "ARCHIVE_RETENTION_DAYS"),
            evidence_lock=_lock(env),
            key_arn=_required(env, "SEAL_KEY_ARN"),
            max_bytes=_whole(env, "SEAL_MEGABYTES") * 1_000_000,
            grace_seconds=_whole(env, "SEAL_GRACE_SECONDS"),
            arrivals_queue_url=_required(env, "ARRIVALS_QUEUE_URL"),
            orders_queue_url=_required(env, "ORDERS_QUEUE_URL"),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            operations_topic_arn=_required(env, "OPERATIONS_TOPIC_ARN"),
            heads_bucket=env.get("HEADS_BUCKET", ""),
            metrics_namespace=_required(env, "POWERTOOLS_METRICS_NAMESPACE"),
            stack=_required(env, "STACK"),
            runbooks_url=_required(env, "RUNBOOKS_URL"),
            ocsf=OcsfConfig.from_env(env),
        )


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """The environment of the console function. Empty are ``seal_key_arn`` without seals, the queues without a relay,
    ``athena_workgroup`` and ``search_database`` without Athena, and ``client_secret_arn`` of a public client."""

    archive_bucket: str
    rules_bucket: str
    clusters_table: str
    viewers_table: str
    sessions_table: str
    seal_key_arn: str
    alerts_queue_url: str
    dead_letter_queue_url: str
    athena_workgroup: str
    search_database: str
    issuer: str
    client_id: str
    client_secret_arn: str
    scopes: str
    groups_claim: str
    session_hours: int
    search_dollars: float
    """What a search may cost without a question."""
    athena_above_bytes: int
    """What reads more is searched by Athena, where there is one."""
    metrics_namespace: str
    stack: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ConsoleConfig":
        """Reads ARCHIVE_BUCKET, RULES_BUCKET, CLUSTERS_TABLE, VIEWERS_TABLE, SESSIONS_TABLE, SEAL_KEY_ARN,
        ALERTS_QUEUE_URL, DEAD_LETTER_QUEUE_URL, ATHENA_WORKGROUP, SEARCH_DATABASE, CONSOLE_ISSUER, CONSOLE_CLIENT_ID,
        CONSOLE_CLIENT_SECRET_ARN, CONSOLE_SCOPES (separated by spaces), CONSOLE_GROUPS_CLAIM, CONSOLE_SESSION_HOURS,
        CONSOLE_SEARCH_CENTS, CONSOLE_ATHENA_MEGABYTES, POWERTOOLS_METRICS_NAMESPACE and STACK."""
        return cls(
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            rules_bucket=_required(env, "RULES_BUCKET"),
            clusters_table=_required(env, "CLUSTERS_TABLE"),
            viewers_table=_required(env, "VIEWERS_TABLE"),
            sessions_table=_required(env, "SESSIONS_TABLE"),
            seal_key_arn=env.get("SEAL_KEY_ARN", ""),
            alerts_queue_url=env.get("ALERTS_QUEUE_URL", ""),
            dead_letter_queue_url=env.get("DEAD_LETTER_QUEUE_URL", ""),
            athena_workgroup=env.get("ATHENA_WORKGROUP", ""),
            search_database=env.get("SEARCH_DATABASE", ""),
            issuer=_required(env, "CONSOLE_ISSUER"),
            client_id=_required(env, "CONSOLE_CLIENT_ID"),
            client_secret_arn=env.get("CONSOLE_CLIENT_SECRET_ARN", ""),
            scopes=_required(env, "CONSOLE_SCOPES"),
            groups_claim=_required(env, "CONSOLE_GROUPS_CLAIM"),
            session_hours=_whole(env, "CONSOLE_SESSION_HOURS"),
            search_dollars=_whole(env, "CONSOLE_SEARCH_CENTS") / 100,
            athena_above_bytes=_whole(env, "CONSOLE_ATHENA_MEGABYTES") * 1_000_000,
            metrics_namespace=_required(env, "POWERTOOLS_METRICS_NAMESPACE"),
            stack=_required(env, "STACK"),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigurationError(f"the environment variable {name} is not set; the template sets it")
    return value


def _seconds(env: Mapping[str, str], name: str, default: str = "") -> float:
    text = env.get(name) or default
    if not re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) or not float(text):
        raise ConfigurationError(f"{name} must be a number of seconds, not {text!r}")
    return float(text)


def _days(env: Mapping[str, str], name: str) -> int:
    text = _required(env, name)
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII):
        raise ConfigurationError(f"{name} must be a number of days, not {text!r}")
    return int(text)


def _lock(env: Mapping[str, str]) -> Lock:
    try:
        return parse_lock(env.get("EVIDENCE_LOCK") or "none")
    except ValueError as error:
        raise ConfigurationError(f"EVIDENCE_LOCK: {error}") from None


def _whole(env: Mapping[str, str], name: str) -> int:
    text = _required(env, name)
    if not re.fullmatch(r"\d{1,7}", text, re.ASCII):
        raise ConfigurationError(f"{name} must be a whole number, not {text!r}")
    return int(text)
