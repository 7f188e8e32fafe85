"""Listing, reading and removing what is in quarantine."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import DamagedError, QuarantineError
from auditwire.archive.store import QuarantineNote
from auditwire.aws.errors import status_of
from auditwire.aws.listing import objects_below
from auditwire.events import BodyError, inflate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

MIN_DIGEST_LENGTH: Final = 8
"""The fewest hex digits of a digest that identify an object."""

NO_NOTE: Final = "no_note"
"""The reason given for an object that was put there by hand. Its cluster is taken from the key, its time from the
object."""

_PREFIX: Final = "quarantine/"
_KEY = re.compile(r"quarantine/cluster=([a-z0-9-]{1,63})/([0-9a-f]{64})\.gz")
# S3 lists keys without their metadata; each object's metadata costs one request. A client keeps ten connections.
_MAX_SIDE_BY_SIDE: Final = 10


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """An object in quarantine: ``size`` is in bytes as stored (gzipped), ``stored`` is when it was put there."""

    key: str
    cluster: str
    digest: str
    size: int
    stored: datetime


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An object in quarantine with its note."""

    entry: QuarantineEntry
    note: QuarantineNote


class Quarantine:
    """The quarantine of one archive bucket. Timeouts and retries of single requests are set in the client.

    All methods raise QuarantineError if S3 does not do what was asked. Keys of another form are ignored.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def entries(self, cluster: str | None = None) -> list[QuarantineEntry]:
        """All objects, or those of one cluster, newest first."""
        prefix = f"{_PREFIX}cluster={cluster}/" if cluster else _PREFIX
        found: list[QuarantineEntry] = []
        try:
            for listed in objects_below(self._client, self._bucket, prefix):
                key = _KEY.fullmatch(listed["Key"])
                if key:
                    found.append(QuarantineEntry(key[0], key[1], key[2], listed["Size"], listed["LastModified"]))
        except (ClientError, BotoCoreError) as error:
            raise QuarantineError(f"s3://{self._bucket}/{prefix}: could not be listed: {error}") from error
        return sorted(found, key=lambda entry: (entry.stored, entry.key), reverse=True)

    def describe(self, entries: list[QuarantineEntry]) -> Iterator[Quarantined]:
        """Yields the entries with their notes, in order. Notes are read a few at a time as they are needed. Entries
        that have been removed meanwhile are left out."""
        waiting = iter(entries)
        with ThreadPoolExecutor(_MAX_SIDE_BY_SIDE) as pool:
            while some := list(islice(waiting, _MAX_SIDE_BY_SIDE)):
                for entry, note in zip(some, pool.map(self._note, some), strict=True):
                    if note is not None:
                        yield Quarantined(entry, note)

    def find(self, name: str) -> list[QuarantineEntry]:
        """The entries that match a key, or the first eight or more digits of a digest: none, one, or several."""
        key = _KEY.fullmatch(name)
        if key:
            return [entry for entry in self.entries(key[1]) if entry.key == name]
        if len(name) < MIN_DIGEST_LENGTH or not re.fullmatch(r"[0-9a-f]{1,64}", name):
            return []
        return [entry for entry in self.entries() if entry.digest.startswith(name)]

    def read(self, entry: QuarantineEntry) -> tuple[QuarantineNote, bytes]:
        """The note, and the bytes as they were received."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=entry.key)
            packed, metadata = answer["Body"].read(), answer["Metadata"]
        except (ClientError, BotoCoreError) as error:
            raise QuarantineError(f"s3://{self._bucket}/{entry.key}: could not be read: {error}") from error
        try:
            return _note_of(entry, metadata), inflate(packed, "gzip")
        except BodyError as error:
            raise DamagedError(f"s3://{self._bucket}/{entry.key}: is damaged: {error}") from error

    def remove(self, entry: QuarantineEntry) -> None:
        """Removes an object. The bucket keeps its version for as long as NoncurrentVersionRetentionDays says."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=entry.key)
        except (ClientError, BotoCoreError) as error:
            raise QuarantineError(f"s3://{self._bucket}/{entry.key}: could not be removed: {error}") from error

    def _note(self, entry: QuarantineEntry) -> QuarantineNote | None:
        try:
            return _note_of(entry, self._client.head_object(Bucket=self._bucket, Key=entry.key)["Metadata"])
        except ClientError as error:
            if status_of(error) == 404:
                return None
            raise QuarantineError(f"s3://{self._bucket}/{entry.key}: could not be read: {error}") from error
        except BotoCoreError as error:
            raise QuarantineError(f"s3://{self._bucket}/{entry.key}: could not be read: {error}") from error


def _note_of(entry: QuarantineEntry, metadata: "Mapping[str, str]") -> QuarantineNote:
    try:
        note = QuarantineNote.from_metadata(metadata)
    except (KeyError, ValueError):
        return QuarantineNote(NO_NOTE, "body", entry.cluster, entry.stored)
    # Ingest writes the key for this cluster only. A note that names another cluster does not count.
    return note if note.cluster == entry.cluster else replace(note, cluster=entry.cluster)
