"""What the functions take from their environment, and the AWS clients they use: in one place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# ks-apiserver gives a request three seconds in all and never repeats one: a client must fail while there is still
# time to do something about it.
_QUICK: Final = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 2, "mode": "standard"})
# Who publishes or archives repeats by itself, until a deadline that no client knows of.
_ONCE: Final = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 1, "mode": "standard"})
# Rules are looked at on a request's way, which goes on without them: a bucket that hangs may not use up its time.
_BRIEF: Final = Config(connect_timeout=0.5, read_timeout=0.5, retries={"total_max_attempts": 1, "mode": "standard"})
# The relay has thirty seconds, and a queue behind it.
_PATIENT: Final = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})


class ConfigurationError(Exception):
    """An environment variable is missing or unusable. The template sets every one of them."""


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
    runbooks_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "IngestConfig":
        """Reads RULES_BUCKET, RULES_POLL_SECONDS (30), ARCHIVE_BUCKET, ARCHIVE_TABLE, ARCHIVE_RETENTION_DAYS,
        ALERTS_TOPIC_ARN, CLUSTERS_TABLE and RUNBOOKS_URL; the archive table may be empty."""
        return cls(
            rules_bucket=_required(env, "RULES_BUCKET"),
            rules_poll_seconds=_seconds(env, "RULES_POLL_SECONDS", "30"),
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            archive_table=env.get("ARCHIVE_TABLE", ""),
            archive_days=_days(env, "ARCHIVE_RETENTION_DAYS"),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            clusters_table=_required(env, "CLUSTERS_TABLE"),
            runbooks_url=_required(env, "RUNBOOKS_URL"),
        )


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """The environment of the relay function. No ``alertmanager_urls``: the Webhook document's receivers count."""

    rules_bucket: str
    rules_poll_seconds: float
    alertmanager_urls: tuple[str, ...]
    alertmanager_secret_arn: str
    alert_ttl_seconds: float
    dead_letter_queue_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "RelayConfig":
        """Reads RULES_BUCKET, RULES_POLL_SECONDS (30), ALERTMANAGER_URLS (comma separated), ALERTMANAGER_SECRET_ARN,
        ALERT_TTL_SECONDS and DEAD_LETTER_QUEUE_URL; the URLs and the secret may be empty."""
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

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "OutboxConfig":
        """Reads ARCHIVE_BUCKET and ALERTS_TOPIC_ARN."""
        return cls(archive_bucket=_required(env, "ARCHIVE_BUCKET"), alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"))


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """The environment of the watch function."""

    clusters_table: str
    rules_bucket: str
    alerts_topic_arn: str
    runbooks_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WatchConfig":
        """Reads CLUSTERS_TABLE, RULES_BUCKET, ALERTS_TOPIC_ARN and RUNBOOKS_URL."""
        return cls(
            clusters_table=_required(env, "CLUSTERS_TABLE"),
            rules_bucket=_required(env, "RULES_BUCKET"),
            alerts_topic_arn=_required(env, "ALERTS_TOPIC_ARN"),
            runbooks_url=_required(env, "RUNBOOKS_URL"),
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


def s3_client(*, patient: bool = False) -> "S3Client":
    """S3, for a request's deadline or, ``patient``, for work that has time."""
    return boto3.client("s3", config=_PATIENT if patient else _QUICK)


def rules_client() -> "S3Client":
    """S3, for a look at the rules while a request waits; a second at most, and no repeats."""
    return boto3.client("s3", config=_BRIEF)


def sns_client() -> "SNSClient":
    """SNS, for a publisher that repeats what fails; one attempt takes at most a second and a half."""
    return boto3.client("sns", config=_ONCE)


def dynamodb_client() -> "DynamoDBClient":
    """DynamoDB, for a request's deadline."""
    return boto3.client("dynamodb", config=_QUICK)


def archive_client() -> "DynamoDBClient":
    """DynamoDB, for an archive that repeats what fails; one attempt takes at most a second and a half."""
    return boto3.client("dynamodb", config=_ONCE)


def sqs_client() -> "SQSClient":
    """SQS, for work that has time."""
    return boto3.client("sqs", config=_PATIENT)


def secretsmanager_client() -> "SecretsManagerClient":
    """Secrets Manager, for work that has time."""
    return boto3.client("secretsmanager", config=_PATIENT)


def archive_url(bucket: str, region: str) -> str:
    """The start of a console link to an object of the bucket; its URL-encoded key comes behind it."""
    suffix = {"cn": "amazonaws.cn", "us-gov": "amazonaws-us-gov.com"}
    domain = next((domain for start, domain in suffix.items() if region.startswith(start + "-")), "aws.amazon.com")
    return f"https://{region}.console.{domain}/s3/object/{bucket}?region={region}&prefix="
