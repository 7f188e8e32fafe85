"""The archive: one durable, idempotent object per batch and hour, or one item per event; and a quarantine for what
could not be read."""

from auditwire.archive.dynamodb import DynamoDBArchive, open_archive
from auditwire.archive.errors import ArchiveError
from auditwire.archive.keys import (
    MOST_OBJECTS_A_BATCH,
    HourGroup,
    batch_digest,
    kept_at,
    object_key,
    partition,
    quarantine_key,
)
from auditwire.archive.s3 import S3Archive
from auditwire.archive.store import Archive, MemoryArchive, QuarantineNote, Record, Stored

__all__ = [
    "MOST_OBJECTS_A_BATCH",
    "Archive",
    "ArchiveError",
    "DynamoDBArchive",
    "HourGroup",
    "MemoryArchive",
    "QuarantineNote",
    "Record",
    "S3Archive",
    "Stored",
    "batch_digest",
    "kept_at",
    "object_key",
    "open_archive",
    "partition",
    "quarantine_key",
]
