"""The AWS clients: how long each may wait, and how often it repeats a request by itself."""

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
