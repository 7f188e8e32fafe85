"""Reading the index by DuckDB: the notes of its files, and rows of them by SQL."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import duckdb

from auditwire.search.answer import Coverage
from auditwire.search.dialects import DuckDBDialect
from auditwire.search.errors import LostIndexError, OutOfTimeError
from auditwire.search.index_files import Split, index_listing, split
from auditwire.search.index_note import NOTE, Note, read_note
from auditwire.search.parquet import connect, literal
from auditwire.search.range_files import RangeFiles
from auditwire.search.sql import counts_of

if TYPE_CHECKING:
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
        self._notes: dict[tuple[str, int, object], Note | None] = {}
        self._sizes: dict[str, int] = {}
        self._coverage = Coverage()
        self._database = connect(RangeFiles(self._sizes, self._read), memory=memory, threads=threads)

    def split(self, query: "Query", disbelieved: Iterable[str], coverage: "Coverage") -> Split:
        """Which objects of a query are in the index; files that are ``disbelieved`` do not count. Raises
        OutOfTimeError."""
        listed = index_listing(self._place, query, coverage)
        files = {key: each for key, each in listed.items() if key not in set(disbelieved)}
        self._read_notes([each for each in files.values() if _identity(each) not in self._notes], coverage)
        notes = {key: note for key, each in files.items() if (note := self._notes[_identity(each)]) is not None}
        for key in files.keys() - notes.keys():
            remark = f"{key} is no file of the index: what it stands for was scanned"
            if remark not in coverage.remarks:
                coverage.remarks.append(remark)
        return split(self._place, query, files, notes, coverage)

    @contextmanager
    def source(self, parts: Split, condition: "Condition", coverage: "Coverage") -> "Iterator[Source]":
        """The rows of a split for which a condition holds."""
        with self._connected({file.key: file.size for file in parts.files}, coverage) as connection:
            yield Source(connection, parts, condition)

    def _read_notes(self, files: "Sequence[Listed]", coverage: "Coverage") -> None:
        if not files:
            return
        with self._connected({each.key: each.size for each in files}, coverage) as connection:
            try:
                texts = self._note_texts(connection, files, coverage)
            except duckdb.Error:
                # Some of them are no files of Parquet: which, each one says.
                texts = {}
                for each in files:
                    with suppress(duckdb.Error):
                        texts.update(self._note_texts(connection, [each], coverage))
        for each in files:
            note = read_note(each.key, texts[each.key]) if each.key in texts else None
            self._notes[_identity(each)] = note

    def _note_texts(
        self, connection: duckdb.DuckDBPyConnection, files: "Sequence[Listed]", coverage: "Coverage"
    ) -> dict[str, bytes]:
        """What notes say, by their files. Raises OutOfTimeError: then nothing is known of the files."""
        places = ", ".join(literal(_SCHEME + each.key) for each in files)
        try:
            found = connection.execute(
                f"SELECT file_name, value FROM parquet_kv_metadata([{places}]) WHERE key = ?", [NOTE.encode()]
            ).fetchall()
        except duckdb.Error as error:
            if not coverage.may_go_on():
                raise OutOfTimeError from error
            raise
        return {name.removeprefix(_SCHEME): value for name, value in found}

    @contextmanager
    def _connected(self, sizes: Mapping[str, int], coverage: "Coverage") -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the one database; its time is over when the coverage says so."""
        self._sizes.update(sizes)
        # Questions asked at the same time share what DuckDB reads; it is counted for the last of them.
        self._coverage = coverage
        over = threading.Event()
        with self._database.cursor() as connection:

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

    def _read(self, key: str, start: int, end: int) -> bytes:
        content = self._place.read_range(key, start, end)
        self._coverage.bytes += len(content)
        return content


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

    def select(self, what: str, rest: str = "") -> Iterator[Any]:
        """See Selector.select."""
        yield from self._run(f"SELECT {what} FROM ({self._rows}) AS found {rest}")

    def count(self, fields: Sequence[str]) -> Iterator[Any]:
        """See Selector.count."""
        yield from self._run(counts_of(self._rows, fields, DuckDBDialect()))

    def _run(self, sql: str) -> Iterator[Any]:
        try:
            self._connection.execute(sql, [*self._keys, *self._condition.parameters])
            while rows := self._connection.fetchmany(_FETCHED):
                yield from rows
        except duckdb.InterruptException:
            raise OutOfTimeError from None
        except duckdb.Error as error:
            raise LostIndexError(str(error).partition("\n")[0]) from error


def _identity(each: "Listed") -> tuple[str, int, object]:
    return (each.key, each.size, each.modified)
