"""DuckDB: connections that reach nothing but what they are given, and files of the index written by it.

It is in a layer of its own, and an extra of the command line. So nothing that must do without may import this module.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from auditwire.search.index_note import NOTE
from auditwire.search.index_row import COLUMNS

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ROW_GROUP: Final = 50_000


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
        connection.execute("SET temp_directory = ''")
    connection.execute(f"SET allowed_directories = [{literal(reachable)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def write_parquet(rows: Path, file: Path, note: str) -> None:
    """Writes rows, gzipped lines of JSON, as a Parquet file that carries a note. Both are in one folder."""
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in COLUMNS.items())
    with connect(rows.parent, memory="400MB") as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_json({literal(str(rows))}, format = 'newline_delimited', compression = 'gzip', "
            f"columns = {{{columns}}})) TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd, "
            f"PARQUET_VERSION v2, ROW_GROUP_SIZE {_ROW_GROUP}, KV_METADATA {{{NOTE}: {literal(note)}}})"
        )


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
