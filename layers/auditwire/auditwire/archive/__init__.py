"""The archive: one durable, idempotent object per batch and hour, or one item per event. Beside it the quarantine, for
what could not be read."""

from auditwire.archive.dynamodb import DynamoDBArchive
from auditwire.archive.errors import ArchiveError
from auditwire.archive.keys import (
    MAX_OBJECTS_A_BATCH,
    HourGroup,
    batch_digest,
    kept_at,
    object_key,
    partition,
    quarantine_key,
)
from auditwire.archive.s3 import S3Archive
from auditwire.archive.store import Archive, MemoryArchive, PutResult, QuarantineNote, Record

__all__ = [
    "MAX_OBJECTS_A_BATCH",
    "Archive",
    "ArchiveError",
    "DynamoDBArchive",
    "HourGroup",
    "MemoryArchive",
    "PutResult",
    "QuarantineNote",
    "Record",
    "S3Archive",
    "batch_digest",
    "kept_at",
    "object_key",
    "partition",
    "quarantine_key",
]
