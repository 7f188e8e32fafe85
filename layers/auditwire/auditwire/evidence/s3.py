"""Evidence in the archive bucket."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.aws.conditional_put import conditional_put
from auditwire.aws.errors import code_of, status_of
from auditwire.aws.listing import objects_below
from auditwire.aws.object_lock import Lock, retain
from auditwire.evidence.errors import DeniedError, EvidenceError, NotThereError
from auditwire.evidence.store import Folders, Listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_CHUNK: Final = 1 << 20
_GONE: Final = frozenset(("NoSuchKey", "404", "NotFound"))


class S3Store:
    """A Writer of one bucket. ``lock`` is the Object Lock under which it puts objects that are to be retained."""

    def __init__(self, client: "S3Client", bucket: str, lock: "Lock" = "none") -> None:
        self._client = client
        self.bucket = bucket
        self._lock = lock

    def listing(self, prefix: str) -> Iterator[Listed]:
        """See Reader.listing."""
        try:
            yield from map(_listed, objects_below(self._client, self.bucket, prefix))
        except (ClientError, BotoCoreError) as error:
            raise self._failure(prefix, "could not be listed", error) from error

    def folders(self, prefix: str) -> Folders:
        """See Reader.folders."""
        found = Folders([], [])
        for page in self._pages("list_objects_v2", Prefix=prefix, Delimiter="/"):
            found.prefixes.extend(each["Prefix"] for each in page.get("CommonPrefixes", ()))
            found.objects.extend(map(_listed, page.get("Contents", ())))
        return found

    def read(self, key: str) -> Iterator[bytes]:
        """See Reader.read."""
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"]
            yield from body.iter_chunks(_CHUNK)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, "could not be read", error) from error

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """See Reader.read_range."""
        try:
            asked = f"bytes={start}-{end - 1}"
            return self._client.get_object(Bucket=self.bucket, Key=key, Range=asked)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, "could not be read", error) from error

    def name(self, key: str) -> str:
        """See Reader.name."""
        return f"s3://{self.bucket}/{key}"

    def checksum(self, key: str) -> str | None:
        """See Reader.checksum."""
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, "could not be read", error) from error
        given = head.get("ChecksumSHA256")
        # That of an object put in parts is a hash of hashes, and says so at its end.
        return base64.b64decode(given).hex() if given and "-" not in given else None

    def put_new(self, key: str, content: bytes, retain_until: datetime | None) -> bool:
        """See Writer.put_new."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": key,
            "Body": content,
            "ContentType": "application/json",
            "ChecksumAlgorithm": "SHA256",
            "IfNoneMatch": "*",
        }
        if retain_until is not None:
            retain(request, self._lock, retain_until)
        try:
            return conditional_put(self._client, request) is not None
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, "could not be stored", error) from error

    def put(self, key: str, content: bytes) -> None:
        """See Writer.put."""
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, "could not be stored", error) from error

    def keys_ever(self, prefix: str) -> Iterator[str]:
        """See Writer.keys_ever: versions that are not the latest, and markers of deletion, count."""
        for page in self._pages("list_object_versions", Prefix=prefix):
            yield from (each["Key"] for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())))

    def _pages(self, operation: Any, **request: Any) -> Iterator[Any]:
        try:
            yield from self._client.get_paginator(operation).paginate(Bucket=self.bucket, **request)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(request["Prefix"], "could not be listed", error) from error

    def _failure(self, key: str, what: str, error: ClientError | BotoCoreError) -> EvidenceError:
        place = self.name(key)
        if isinstance(error, ClientError):
            if code_of(error) in _GONE:
                return NotThereError(f"{place}: is not there")
            # 400: it wants a key that only its writer has; 403: no permission, a foreign key, or cold storage.
            if status_of(error) in (400, 403):
                return DeniedError(f"{place}: {what}: {error}")
        return EvidenceError(f"{place}: {what}: {error}")


def _listed(each: Any) -> Listed:
    return Listed(each["Key"], each["Size"], each["LastModified"].astimezone(UTC).replace(microsecond=0))
