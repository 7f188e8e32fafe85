"""Reading the index by DuckDB: the notes of its files, and rows of them by SQL."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb

from auditwire.search.errors import LostIndexError, OutOfTimeError
from auditwire.search.index_files import Split, index_listing, split
from auditwire.search.index_note import NOTE, Note, read_note
from auditwire.search.parquet import connect, literal
from auditwire.search.range_files import RangeFiles

if TYPE_CHECKING:
    from auditwire.search.answer import Coverage
    from auditwire.search.place import Listed, Objects
    from auditwire.search.query import Query
    from auditwire.search.sql import Condition

_SCHEME: Final = "auditwire://"
_LOOK_SECONDS: Final = 0.05
_FETCHED: Final = 2000
_PARTITIONS: Final = "hive_partitioning = true, hive_types = {'cluster': VARCHAR, 'date': VARCHAR, 'hour': VARCHAR}"


class IndexReader:
    """The index of one place. Notes are read once for each file."""

    def __init__(self, place: "Objects", *, memory: str, threads: int) -> None:
        self._place = place
        self._memory = memory
        self._threads = threads
        self._notes: dict[tuple[str, int, object], Note | None] = {}

    def split(self, query: "Query", disbelieved: Iterable[str], coverage: "Coverage") -> Split:
        """Which objects of a query are in the index; files that are ``disbelieved`` do not count."""
        files = {key: each for key, each in index_listing(self._place, query).items() if key not in set(disbelieved)}
        self._read_notes([each for each in files.values() if _identity(each) not in self._notes], coverage)
        notes = {key: note for key, each in files.items() if (note := self._notes[_identity(each)]) is not None}
        return split(self._place, query, files, notes)

    @contextmanager
    def source(self, parts: Split, condition: "Condition", coverage: "Coverage") -> "Iterator[Source]":
        """The rows of a split for which a condition holds."""
        sizes = {file.key: file.size for file in parts.files}
        with self._connected(sizes, coverage) as connection:
            yield Source(connection, parts, condition)

    def _read_notes(self, files: "Sequence[Listed]", coverage: "Coverage") -> None:
        if not files:
            return
        with self._connected({each.key: each.size for each in files}, coverage) as connection:
            for each in files:
                note = None
                try:
                    found = connection.execute(
                        f"SELECT value FROM parquet_kv_metadata({literal(_SCHEME + each.key)}) WHERE key = ?",
                        [NOTE.encode()],
                    ).fetchone()
                    note = read_note(each.key, found[0]) if found else None
                except duckdb.Error:
                    pass
                if note is None:
                    coverage.remarks.append(f"{each.key} is no file of the index: what it stands for was scanned")
                self._notes[_identity(each)] = note

    @contextmanager
    def _connected(self, sizes: Mapping[str, int], coverage: "Coverage") -> "Iterator[duckdb.DuckDBPyConnection]":
        def read(key: str, start: int, end: int) -> bytes:
            content = self._place.read_range(key, start, end)
            coverage.bytes += len(content)
            return content

        with connect(RangeFiles(sizes, read), memory=self._memory, threads=self._threads) as connection:
            over = threading.Event()

            def watch() -> None:
                while not over.wait(_LOOK_SECONDS):
                    if not coverage.may_go_on():
                        coverage.cut_off = "time"
                        connection.interrupt()
                        return

            watcher = threading.Thread(target=watch, name="search-deadline", daemon=True)
            watcher.start()
            try:
                yield connection
            finally:
                over.set()
                watcher.join()


class Source:
    """Rows of the index: what can be selected of them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, parts: Split, condition: "Condition") -> None:
        self._connection = connection
        self._condition = condition
        whole = [_SCHEME + file.key for file in parts.files if file.is_whole]
        tables = [f"SELECT * FROM read_parquet([{', '.join(map(literal, whole))}], {_PARTITIONS})"] if whole else []
        self._keys: list[list[str]] = []
        for file in parts.files:
            if not file.is_whole:
                # It also has rows of objects that have expired, that were replaced, or that another file has.
                self._keys.append(sorted(file.objects))
                tables.append(
                    f"SELECT * FROM read_parquet({literal(_SCHEME + file.key)}, {_PARTITIONS}) "
                    'WHERE "key" IN (SELECT unnest(?))'
                )
        self._rows = f"SELECT * FROM ({' UNION ALL '.join(tables)}) WHERE {condition.sql}"

    def select(self, what: str, rest: str = "", parameters: Sequence[Any] = (), joined: str = "") -> Iterator[Any]:
        """See Selector.select."""
        sql = f"SELECT {what} FROM ({self._rows}) AS found {joined} {rest}"
        try:
            self._connection.execute(sql, [*self._keys, *self._condition.parameters, *parameters])
            while rows := self._connection.fetchmany(_FETCHED):
                yield from rows
        except duckdb.InterruptException:
            raise OutOfTimeError from None
        except duckdb.Error as error:
            raise LostIndexError(str(error).partition("\n")[0]) from error


def _identity(each: "Listed") -> tuple[str, int, object]:
    return (each.key, each.size, each.modified)
