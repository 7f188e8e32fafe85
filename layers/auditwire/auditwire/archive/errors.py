"""What can go wrong in the archive.

ArchiveError      nothing durable is known to have been written: answered 5xx, so that the sender comes again; or
                  what is there could not be read
QuarantineError   what was put aside could not be listed, read or removed
└── DamagedError  what was read is not what ingest stores
"""


class ArchiveError(Exception):
    """Something could not be stored or read. Its text names the place and what the store said."""


class QuarantineError(Exception):
    """Something about the quarantine could not be done. Its text names the key and what the store said."""


class DamagedError(QuarantineError):
    """An object of the quarantine is not what ingest stores: trying again will not help."""
