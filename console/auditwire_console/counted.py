"""Reading evidence, counted: what a single event, its reasons and its receipt were made from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditwire.evidence.store import Folders, Listed, Reader
    from auditwire.search import Coverage


class CountedReader:
    """A Reader that notes in a coverage which objects, and how many bytes, are read of another."""

    def __init__(self, reader: "Reader", coverage: "Coverage") -> None:
        self._reader, self._coverage = reader, coverage
        self.bucket = reader.bucket

    def listing(self, prefix: str) -> "Iterator[Listed]":
        """See Reader.listing."""
        return self._reader.listing(prefix)

    def folders(self, prefix: str) -> "Folders":
        """See Reader.folders."""
        return self._reader.folders(prefix)

    def read(self, key: str) -> Iterator[bytes]:
        """See Reader.read."""
        self._coverage.scanned += 1
        for piece in self._reader.read(key):
            self._coverage.bytes += len(piece)
            yield piece

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """See Reader.read_range."""
        content = self._reader.read_range(key, start, end)
        self._coverage.scanned += 1
        self._coverage.bytes += len(content)
        return content

    def name(self, key: str) -> str:
        """See Reader.name."""
        return self._reader.name(key)

    def checksum(self, key: str) -> str | None:
        """See Reader.checksum."""
        return self._reader.checksum(key)
