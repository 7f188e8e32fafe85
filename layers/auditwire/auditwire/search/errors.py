"""What can go wrong within a search, which goes on without what is lost.

LostIndexError   the index cannot be read: what it stands for is scanned
OutOfTimeError   there is no time for more: the answer says so

And what ends it for now:

StillRunningError   somebody else is at work on it; who asks the same again finds how far that has come
"""


class LostIndexError(Exception):
    """The index cannot be read; the message says why."""


class OutOfTimeError(Exception):
    """There is no time for more."""


class StillRunningError(Exception):
    """A search goes on elsewhere. The same search, under the same name, finds what became of it."""

    def __init__(self) -> None:
        super().__init__("the search is still running; ask again")
