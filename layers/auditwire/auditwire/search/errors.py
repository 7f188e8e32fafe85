"""What can go wrong within a search, which goes on without what is lost.

LostIndexError   the index cannot be read: what it stands for is scanned
OutOfTimeError   there is no time for more: the answer says so
"""


class LostIndexError(Exception):
    """The index cannot be read; the message says why."""


class OutOfTimeError(Exception):
    """There is no time for more."""
