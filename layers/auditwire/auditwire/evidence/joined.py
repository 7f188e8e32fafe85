"""Several copies read as one archive: each of a bucket of its own, or each of a part of the same one."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby

from auditwire.evidence.errors import NotThereError
from auditwire.evidence.store import Folders, Listed, Reader


class JoinedReader:
    """A Reader of all objects that any of some readers has. Of what several have, the first one's counts."""

    bucket = ""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    def listing(self, prefix: str) -> Iterator[Listed]:
        """See Reader.listing."""
        merged = heapq.merge(*(reader.listing(prefix) for reader in self._readers), key=lambda one: one.key)
        # Of equal keys heapq gives those of earlier readers first.
        return (next(same) for _, same in groupby(merged, key=lambda one: one.key))

    def folders(self, prefix: str) -> Folders:
        """See Reader.folders."""
        found = [reader.folders(prefix) for reader in self._readers]
        objects: dict[str, Listed] = {}
        for each in (each for one in found for each in one.objects):
            objects.setdefault(each.key, each)
        prefixes = sorted({each for one in found for each in one.prefixes})
        return Folders(prefixes, [objects[key] for key in sorted(objects)])

    def read(self, key: str) -> Iterator[bytes]:
        """See Reader.read."""
        yield from self._having(key).read(key)

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """See Reader.read_range."""
        return self._having(key).read_range(key, start, end)

    def name(self, key: str) -> str:
        """See Reader.name."""
        try:
            return self._having(key).name(key)
        except NotThereError:
            return key

    def checksum(self, key: str) -> str | None:
        """See Reader.checksum."""
        return self._having(key).checksum(key)

    def _having(self, key: str) -> Reader:
        for reader in self._readers:
            try:
                reader.read_range(key, 0, 1)
            except NotThereError:
                continue
            return reader
        raise NotThereError(f"{key}: is in none of the copies")
