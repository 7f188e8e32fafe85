"""The archive in S3. Puts are conditional, so a repeated batch never rewrites evidence."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError
from auditwire.archive.keys import HourGroup, object_key
from auditwire.archive.store import PutResult, QuarantineNote, Record
from auditwire.aws.conditional_put import conditional_put
from auditwire.aws.object_lock import Retain
from auditwire.events.gzipping import gzip_bytes, gzip_lines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef


class S3Archive:
    """An Archive in one bucket. Timeouts and retries of single requests are set in the client.

    ``sleep`` waits seconds before a put that met another writer is repeated. ``retain`` has events retained; what is
    put aside is not.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        retain: Retain = lambda request: None,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._sleep = sleep
        self._retain = retain

    def place(self, cluster: str, group: HourGroup, digest: str) -> str:
        """The key of one object; see object_key."""
        return object_key(cluster, group.hour, group.t, digest)

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        """Stores the lines as one gzipped object; see Archive.put_events. The client alone limits the time this
        takes."""
        del deadline
        request = self._request(place, gzip_lines(record.line for record in records))
        # S3 works it out of the bytes that came and keeps it: by it they can be told from others without reading them.
        request["ChecksumAlgorithm"] = "SHA256"
        self._retain(request)
        return self._put(request)

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        """Stores the gzipped bytes, with the note as object metadata; see Archive.put_quarantine."""
        return self._put(self._request(key, gzip_bytes(raw), note.as_metadata()))

    def _request(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> "PutObjectRequestTypeDef":
        return {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": "application/gzip",
            "Metadata": metadata or {},
            "IfNoneMatch": "*",
        }

    def _put(self, request: "PutObjectRequestTypeDef") -> PutResult:
        try:
            stored = conditional_put(self._client, request, self._sleep)
        except (ClientError, BotoCoreError) as error:
            raise ArchiveError(f"s3://{self._bucket}/{request['Key']} could not be stored: {error}") from error
        return "exists" if stored is None else "stored"
