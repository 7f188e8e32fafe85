"""DuckDB: connections that reach nothing but what they are given, and files of the index written by it.

It is in a layer of its own, and an extra of the command line. So nothing that must do without may import this module.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from auditwire.search.index_note import NOTE
from auditwire.search.index_row import COLUMNS, TIMES

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ROW_GROUP: Final = 50_000

WRITING_MEMORY: Final = "400MB"
"""As much as writing a file may take."""


def connect(reach: "Path | AbstractFileSystem", *, memory: str, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A database in memory that uses at most so much of it, and reaches nothing but the files of ``reach``: a folder,
    where it may also put what it has no memory for, or a file system."""
    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = {literal(memory)}")
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    if isinstance(reach, Path):
        reachable = str(reach)
        connection.execute(f"SET temp_directory = {literal(reachable)}")
    else:
        reachable = f"{reach.protocol}://"
        connection.register_filesystem(reach)
        # What was read of a file's end for its note is not read again for its rows.
        connection.execute("SET parquet_metadata_cache = true")
        connection.execute("SET temp_directory = ''")
    connection.execute(f"SET allowed_directories = [{literal(reachable)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def write_parquet(rows: Path, file: Path, note: str, connection: duckdb.DuckDBPyConnection | None = None) -> None:
    """Writes rows, gzipped lines of JSON, as a Parquet file that carries a note. Both are in one folder, which is that
    of the ``connection`` if one is given."""
    if connection is None:
        with connect(rows.parent, memory=WRITING_MEMORY) as own:
            write_parquet(rows, file, note, own)
            return
    kinds = {name: "TIMESTAMP" if name in TIMES else kind for name, kind in COLUMNS.items()}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    values = ", ".join(f'epoch_us("{name}") AS "{name}"' if name in TIMES else f'"{name}"' for name in COLUMNS)
    connection.execute(
        f"COPY (SELECT {values} FROM read_json({literal(str(rows))}, format = 'newline_delimited', "
        f"compression = 'gzip', columns = {{{columns}}})) TO {literal(str(file))} (FORMAT parquet, PARQUET_VERSION v2, "
        # A higher level takes more time, and no less room.
        f"COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {_ROW_GROUP}, "
        f"KV_METADATA {{{NOTE}: {literal(note)}}})"
    )


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
