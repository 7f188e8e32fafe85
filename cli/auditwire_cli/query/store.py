"""Where archived events are kept."""

from enum import StrEnum


class Store(StrEnum):
    """The two stores of an archive."""

    S3 = "s3"
    DYNAMODB = "dynamodb"
