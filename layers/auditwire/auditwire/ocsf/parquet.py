"""Files of records, written by DuckDB, which decides nothing: it reads what the product's own decoder has read."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditwire.ocsf.record import MAX_RECORD_BYTES, columns
from auditwire.search.parquet import connect, literal

if TYPE_CHECKING:
    import duckdb

_MEMORY: Final = "1GB"
_ROW_GROUP: Final = 20_000
_COLUMNS: Final = columns()


class ParquetError(Exception):
    """A file does not hold what it should."""


def connect_to(folder: Path) -> "duckdb.DuckDBPyConnection":
    """A database that reaches nothing but this folder, where it may also put what it has no memory for."""
    # Each thread makes room for the longest record.
    return connect(folder, memory=_MEMORY, threads=1)


def write_records(connection: "duckdb.DuckDBPyConnection", records: Path, file: Path, count: int) -> None:
    """Writes so many records, gzipped lines of JSON, to a file, ordered by time. Raises ParquetError if they are not so
    many."""
    types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in _COLUMNS.items())
    options = f"format = 'newline_delimited', compression = 'gzip', maximum_object_size = {MAX_RECORD_BYTES + 1}"
    source = f"read_json({literal(str(records))}, {options}, columns = {{{types}}})"
    target = (
        f"{literal(str(file))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {_ROW_GROUP})"
    )
    copied = connection.execute(f'COPY (FROM {source} ORDER BY "time_dt", "metadata"."uid") TO {target}').fetchone()
    if copied is None or copied[0] != count:
        raise ParquetError(f"{copied[0] if copied else 0} records were written instead of {count}")
