"""The archive bucket, as searching reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError
from auditwire.archive.objects import object_chunks
from auditwire.aws.listing import objects_below

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class _Listed(NamedTuple):
    key: str
    size: int
    modified: datetime | None


class _Folders(NamedTuple):
    prefixes: list[str]


class BucketObjects:
    """The Objects of one bucket. What cannot be listed is an ArchiveError; an object that cannot be read is an
    UnreadableError, unless no other could be read either."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def listing(self, prefix: str) -> Iterator[_Listed]:
        """See Objects.listing."""
        try:
            for each in objects_below(self._client, self._bucket, prefix):
                modified = each["LastModified"].astimezone(UTC).replace(microsecond=0)
                yield _Listed(each["Key"], each["Size"], modified)
        except (ClientError, BotoCoreError) as error:
            raise self._unlisted(prefix, error) from error

    def folders(self, prefix: str) -> _Folders:
        """See Objects.folders."""
        pages: Any = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        try:
            return _Folders([each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())])
        except (ClientError, BotoCoreError) as error:
            raise self._unlisted(prefix, error) from error

    def read(self, key: str) -> Iterator[bytes]:
        """See Objects.read."""
        yield from object_chunks(self._client, self._bucket, key)

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """See Objects.read_range."""
        return b"".join(object_chunks(self._client, self._bucket, key, f"bytes={start}-{end - 1}"))

    def name(self, key: str) -> str:
        """See Objects.name."""
        return f"s3://{self._bucket}/{key}"

    def _unlisted(self, prefix: str, error: Exception) -> ArchiveError:
        return ArchiveError(f"{self.name(prefix)}: could not be listed: {error}")
