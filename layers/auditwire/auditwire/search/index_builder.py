"""Building the index: objects in, a file of typed rows for each hour of a cluster out.

DuckDB only writes the file. What a row says comes from the product's own decoder, because decoders differ: of a key
that stands twice the rules see the last value and DuckDB the first.
"""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from isal import igzip

from auditwire.archive.errors import UnreadableError
from auditwire.archive.found import found_in
from auditwire.archive.keys import kept_at, parse_object_key
from auditwire.search.index_note import Indexed, encode_note, index_key, place_of
from auditwire.search.index_row import encode_row

if TYPE_CHECKING:
    import duckdb

MAX_ROWS_A_FILE: Final = 500_000
"""A busier hour has several files, so that writing one takes a bounded amount of memory."""

MAX_SPOOLED_BYTES: Final = 400 << 20
"""As much as a function's disk has room for. Objects for which there is none left are not indexed."""

Put = Callable[[str, bytes], None]
"""Stores a file of the index, given its key and its bytes, and replaces what was there."""


class _Spooled(NamedTuple):
    offset: int
    length: int
    noted: Indexed


class IndexBuilder:
    """Holds the rows of objects on disk, in ``folder``, until they are written. Use it as a context manager."""

    def __init__(self, put: Put, folder: Path | None = None) -> None:
        self._put = put
        self._folder = Path(tempfile.mkdtemp(prefix="auditwire-index-", dir=folder))
        self._spool: IO[bytes] = (self._folder / "spool").open("w+b")
        self._objects: dict[str, _Spooled] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> "IndexBuilder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Forgets everything that was not written."""
        if self._connection is not None:
            self._connection.close()
        self._spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, key: str, size: int, modified: int, lines: Iterable[bytes]) -> bool:
        """Takes an object with its lines; False if the index cannot hold it: then it is scanned whenever somebody
        searches. ``modified`` is when it arrived, in seconds since 1970."""
        offset = self._spool.seek(0, 2)
        rows = rows_of(key, lines) if offset < MAX_SPOOLED_BYTES else None
        if rows is None:
            return False
        packed = igzip.compress(b"".join(rows), 1)
        self._spool.write(packed)
        noted = Indexed(key.rpartition("/")[2], size, modified, len(rows))
        self._objects[key] = _Spooled(offset, len(packed), noted)
        return True

    def write(self, keys: Iterable[str]) -> list[str]:
        """Writes the index of those of these objects that were taken, and forgets all others. The keys of its files."""
        places: dict[str, list[_Spooled]] = defaultdict(list)
        for key in keys:
            if spooled := self._objects.get(key):
                places[place_of(key)].append(spooled)
        written = self._write_files(places) if places else []
        self._objects.clear()
        self._spool.seek(0)
        self._spool.truncate()
        return written

    def _write_files(self, places: dict[str, list[_Spooled]]) -> list[str]:
        # Only who writes the index needs DuckDB, which is large.
        from auditwire.search.parquet import WRITING_MEMORY, connect, write_parquet  # noqa: PLC0415

        if self._connection is None:
            self._connection = connect(self._folder, memory=WRITING_MEMORY)
        write = partial(write_parquet, connection=self._connection)
        return [self._write_file(place, part, write) for place in sorted(places) for part in _parts(places[place])]

    def _write_file(self, place: str, objects: list[_Spooled], write: Callable[[Path, Path, str], None]) -> str:
        note = encode_note(place, [each.noted for each in objects])
        rows, file = self._folder / "rows.json.gz", self._folder / "rows.parquet"
        with rows.open("wb") as packed:
            for each in objects:
                self._spool.seek(each.offset)
                packed.write(self._spool.read(each.length))
        write(rows, file, note)
        key = index_key(place, note)
        self._put(key, file.read_bytes())
        rows.unlink()
        file.unlink()
        return key


def rows_of(key: str, lines: Iterable[bytes]) -> list[bytes] | None:
    """The rows of an object, each as a line of JSON; None where any line is none of the archive's, or too much for the
    index."""
    place = parse_object_key(key)
    if place is None:
        return None
    at = partial(kept_at, t=place.t)
    rows = []
    for number, line in enumerate(lines):
        try:
            row = encode_row(found_in(line, key, at, place.cluster), key, number)
        except UnreadableError:
            return None
        if row is None:
            return None
        rows.append(row)
    return rows


def _parts(objects: list[_Spooled]) -> Iterator[list[_Spooled]]:
    """The objects of an hour in order of time, as many together as one file may have rows."""
    part: list[_Spooled] = []
    rows = 0
    for each in sorted(objects, key=lambda one: one.noted.name):
        if part and rows + each.noted.events > MAX_ROWS_A_FILE:
            yield part
            part, rows = [], 0
        part.append(each)
        rows += each.noted.events
    if part:
        yield part
