"""Records on their way to DuckDB: gzipped lines of JSON."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from isal import igzip

from auditwire.archive.keys import parse_object_key
from auditwire.ocsf.record import encode_record

_BLOCK: Final = 4 << 20
_NO_TIME: Final = "19700101T000000.000000Z"


class ArchivedAt(NamedTuple):
    """A line of the archive: where it lies, the ``t`` of its object's key, and the line."""

    place: str
    t: str
    line: bytes


class RecordsFile:
    """A file of records. ``count`` is how many it has, ``size`` how many bytes they are before they are packed.
    Use it as a context manager, which writes it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.size = 0
        self._file: IO[bytes] = path.open("wb")

    def __enter__(self) -> "RecordsFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def fill(self, lines: Iterator[ArchivedAt], most: int) -> None:
        """Adds the records of lines until they have ``most`` bytes, or there are no more lines."""
        for block in _blocks(self._records(lines, most)):
            self._file.write(igzip.compress(block, 1))

    def _records(self, lines: Iterator[ArchivedAt], most: int) -> Iterator[bytes]:
        for place, t, line in lines:
            record = encode_record(line, place, t)
            self.count += 1
            self.size += len(record)
            yield record
            if self.size >= most:
                return


def lines_at(key: str, lines: Iterable[bytes]) -> Iterator[ArchivedAt]:
    """The lines of an object with their places."""
    place = parse_object_key(key)
    t = place.t if place else _NO_TIME
    return (ArchivedAt(f"{key}#{number}", t, line) for number, line in enumerate(lines))


def _blocks(records: Iterable[bytes]) -> Iterator[bytes]:
    """The records as lines, many at once, as gzip compresses them best."""
    block: list[bytes] = []
    size = 0
    for record in records:
        block.append(record)
        size += len(record)
        if size > _BLOCK:
            yield b"\n".join(block) + b"\n"
            block, size = [], 0
    if block:
        yield b"\n".join(block) + b"\n"
