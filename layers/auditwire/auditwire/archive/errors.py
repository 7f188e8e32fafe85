"""The errors of the archive.

ArchiveError      nothing durable is known to have been written, so the answer is 5xx and the sender repeats the
                  batch; or something stored could not be read
└── UnreadableError   one stored object, item or line could not be read; others may be readable
QuarantineError   a quarantined object could not be listed, read or removed
└── DamagedError  the object is not what ingest stores
"""


class ArchiveError(Exception):
    """Something could not be stored or read. The message names the place and what the store answered."""


class UnreadableError(ArchiveError):
    """One stored thing could not be read, or is not what ingest stores. What lies beside it is not affected."""


class QuarantineError(Exception):
    """An operation on the quarantine failed. The message names the key and what the store answered."""


class DamagedError(QuarantineError):
    """A quarantined object is not what ingest stores. Trying again will not help."""
