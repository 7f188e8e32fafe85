"""Records on their way to DuckDB: gzipped lines of JSON."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from isal import igzip

from auditwire.archive.keys import parse_object_key
from auditwire.ocsf.record import encode_record

_BLOCK: Final = 4 << 20
_NO_TIME: Final = "19700101T000000.000000Z"


class RecordsFile:
    """A file of records. ``count`` is how many it has, ``size`` how many bytes the lines had of which they were made.
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

    def add(self, key: str, lines: Iterable[bytes]) -> None:
        """Adds the records of an object's lines."""
        for block in _blocks(self._records(key, lines)):
            self._file.write(igzip.compress(block, 1))

    def _records(self, key: str, lines: Iterable[bytes]) -> Iterator[bytes]:
        place = parse_object_key(key)
        t = place.t if place else _NO_TIME
        for number, line in enumerate(lines):
            self.count += 1
            self.size += len(line)
            yield encode_record(line, f"{key}#{number}", t)


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
