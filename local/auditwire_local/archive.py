"""Reads the archive of a running system."""

import gzip
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditwire.archive.search_table import TableReader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def archive_keys(s3: "S3Client", bucket: str, prefix: str = "events/") -> Iterator[str]:
    """The keys with this prefix, in order."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"]


def archive_lines(s3: "S3Client", bucket: str) -> Iterator[bytes]:
    """Every archived event as a line of JSON, object by object."""
    for key in archive_keys(s3, bucket):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        yield from gzip.decompress(body).splitlines()


def table_lines(dynamodb: "DynamoDBClient", table: str, s3: "S3Client", bucket: str) -> Iterator[bytes]:
    """Every event of an archive table as a line of JSON; those too large for an item come from the bucket."""
    reader = TableReader(dynamodb, table, s3, bucket)
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from (reader.found(item).line for item in page["Items"])
