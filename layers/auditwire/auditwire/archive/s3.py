"""The archive in S3. Puts are conditional, so a repeated batch never rewrites evidence."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError
from auditwire.archive.keys import HourGroup, object_key
from auditwire.archive.store import PutResult, QuarantineNote, Record
from auditwire.aws.conditional_put import conditional_put
from auditwire.events.gzipping import gzip_bytes, gzip_lines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef


class S3Archive:
    """An Archive in one bucket. Timeouts and retries of single requests are set in the client.

    ``sleep`` waits seconds before a put that met another writer is repeated.
    """

    def __init__(self, client: "S3Client", bucket: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._bucket = bucket
        self._sleep = sleep

    def place(self, cluster: str, group: HourGroup, digest: str) -> str:
        """The key of one object; see object_key."""
        return object_key(cluster, group.hour, group.t, digest)

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        """Stores the lines as one gzipped object; see Archive.put_events. The client alone limits the time this
        takes."""
        del deadline
        return self._put(place, gzip_lines(record.line for record in records))

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        """Stores the gzipped bytes, with the note as object metadata; see Archive.put_quarantine."""
        return self._put(key, gzip_bytes(raw), note.as_metadata())

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> PutResult:
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": "application/gzip",
            "Metadata": metadata or {},
            "IfNoneMatch": "*",
        }
        try:
            stored = conditional_put(self._client, request, self._sleep)
        except (ClientError, BotoCoreError) as error:
            raise ArchiveError(f"s3://{self._bucket}/{key} could not be stored: {error}") from error
        return "exists" if stored is None else "stored"
