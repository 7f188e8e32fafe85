"""What can go wrong while something is put into the archive.

ArchiveError    nothing durable is known to have been written: answered 5xx, so that the sender comes again
"""


class ArchiveError(Exception):
    """An object could not be stored. Its text names the key and what the store said."""
