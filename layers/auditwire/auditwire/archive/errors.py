"""The errors of the archive.

ArchiveError      nothing durable is known to have been written, so the answer is 5xx and the sender repeats the
                  batch; or something stored could not be read
QuarantineError   a quarantined object could not be listed, read or removed
└── DamagedError  the object is not what ingest stores
"""


class ArchiveError(Exception):
    """Something could not be stored or read. The message names the place and what the store answered."""


class QuarantineError(Exception):
    """An operation on the quarantine failed. The message names the key and what the store answered."""


class DamagedError(QuarantineError):
    """A quarantined object is not what ingest stores. Trying again will not help."""
