"""The index, built while objects are sealed: each is read once. It is no evidence, and no seal waits for it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from auditwire.evidence.reading import lines_of
from auditwire.evidence.times import parse_second
from auditwire.search.index_builder import IndexBuilder

if TYPE_CHECKING:
    from auditwire.evidence.reading import ReadObject
    from auditwire.evidence.seal import Entry, Seal


class Indexing:
    """A Follower that writes the index of each seal's objects, as soon as the seal is written.

    ``put`` stores a file. Use it as a context manager: it holds rows in a folder of its own until then.
    """

    def __init__(self, put: Callable[[str, bytes], None]) -> None:
        self._builder = IndexBuilder(put)

    def __enter__(self) -> "Indexing":
        return self

    def __exit__(self, *error: object) -> None:
        self._builder.close()

    def take(self, read: "ReadObject") -> None:
        """See Follower.take."""
        entry = read.entry
        if not entry.fault:
            modified = int(parse_second(entry.modified).timestamp())
            self._builder.add(entry.key, entry.size, modified, lines_of(read.content))

    def sealed(self, seal: "Seal", entries: "Sequence[Entry]") -> None:
        """See Follower.sealed."""
        del seal
        self._builder.write([entry.key for entry in entries])
