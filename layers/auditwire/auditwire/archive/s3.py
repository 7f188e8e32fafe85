"""The archive in S3: conditional puts, so that a repeat never rewrites evidence."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError
from auditwire.archive.keys import HourGroup, object_key
from auditwire.archive.store import PutResult, QuarantineNote, Record, gzip_bytes, gzip_lines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPTS: Final = 4
_FIRST_WAIT_SECONDS: Final = 0.05


class S3Archive:
    """An Archive in one bucket. Timeouts and retries of single requests are the client's own.

    ``sleep`` waits the given seconds between attempts that met another writer.
    """

    def __init__(self, client: "S3Client", bucket: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._bucket = bucket
        self._sleep = sleep

    def place(self, cluster: str, group: HourGroup, digest: str) -> str:
        """The key of one object; see object_key."""
        return object_key(cluster, group.hour, group.t, digest)

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        """Stores the lines as one object, gzipped; see Archive.put_events. It takes as long as its client does."""
        del deadline
        return self._put(place, gzip_lines(record.line for record in records))

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        """Puts the bytes aside, gzipped, the note as object metadata; see
        Archive.put_quarantine."""
        return self._put(key, gzip_bytes(raw), note.as_metadata())

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> PutResult:
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType="application/gzip",
                    Metadata=metadata or {},
                    IfNoneMatch="*",
                )
            except ClientError as error:
                match error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"):
                    case 412:
                        return "exists"
                    case 409:
                        # Another copy of the same batch is being written this moment; who is first, is open.
                        continue
                    case _:
                        raise self._failure(key, str(error)) from error
            except BotoCoreError as error:
                raise self._failure(key, str(error)) from error
            return "stored"
        raise self._failure(key, f"another writer was in the way {_ATTEMPTS} times")

    def _failure(self, key: str, why: str) -> ArchiveError:
        return ArchiveError(f"s3://{self._bucket}/{key} could not be stored: {why}")
