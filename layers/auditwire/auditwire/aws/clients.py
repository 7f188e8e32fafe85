"""The AWS clients: how long each one may wait, and how often it retries by itself."""

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# ks-apiserver waits three seconds in all and never repeats a request. A client must fail while there is still time to
# do something about it.
_QUICK: Final = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 2, "mode": "standard"})
# For code that retries by itself until a deadline, which a client does not know.
_ONCE: Final = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 1, "mode": "standard"})
# For what a request waits for and can go on without, such as a poll of the rules: a service that hangs must not use up
# the request's time.
_BRIEF: Final = Config(connect_timeout=0.5, read_timeout=0.5, retries={"total_max_attempts": 1, "mode": "standard"})
# The relay has thirty seconds, and a queue behind it.
_PATIENT: Final = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})


def s3_client(*, patient: bool = False) -> "S3Client":
    """An S3 client for a request with a deadline, or, with ``patient``, for work that has time."""
    return boto3.client("s3", config=_PATIENT if patient else _QUICK)


def foreign_s3_client(credentials: "Mapping[str, Any]") -> "S3Client":
    """An S3 client for work that has time, with the credentials that STS has given for a role."""
    return boto3.client(
        "s3",
        config=_PATIENT,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def sts_client() -> Any:
    """STS, for work that has time."""
    return boto3.client("sts", config=_PATIENT)


def rules_client() -> "S3Client":
    """An S3 client to poll the rules while a request waits: at most one second, no retries."""
    return boto3.client("s3", config=_BRIEF)


def sns_client() -> "SNSClient":
    """An SNS client for a publisher that retries by itself. One attempt takes at most a second and a half."""
    return boto3.client("sns", config=_ONCE)


def dynamodb_client() -> "DynamoDBClient":
    """A DynamoDB client for a request with a deadline."""
    return boto3.client("dynamodb", config=_QUICK)


def thresholds_client() -> "DynamoDBClient":
    """A DynamoDB client to count matches while a request waits: at most one second, no retries. What is not counted in
    time is counted later."""
    return boto3.client("dynamodb", config=_BRIEF)


def archive_client() -> "DynamoDBClient":
    """A DynamoDB client for an archive that retries by itself. One attempt takes at most a second and a half."""
    return boto3.client("dynamodb", config=_ONCE)


def sqs_client() -> "SQSClient":
    """An SQS client for work that has time."""
    return boto3.client("sqs", config=_PATIENT)


def secretsmanager_client() -> "SecretsManagerClient":
    """A Secrets Manager client for work that has time."""
    return boto3.client("secretsmanager", config=_PATIENT)


def kms_client() -> "KMSClient":
    """KMS, for work that has time."""
    return boto3.client("kms", config=_PATIENT)


def cloudwatch_client() -> "CloudWatchClient":
    """CloudWatch, for work that has time."""
    return boto3.client("cloudwatch", config=_PATIENT)


def athena_client() -> "AthenaClient":
    """Athena, for work that has time."""
    return boto3.client("athena", config=_PATIENT)
