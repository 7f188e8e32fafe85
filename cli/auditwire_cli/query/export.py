"""Writing what is found into a file: lines as they are archived, or the fields that people search by as a table."""

import csv
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from auditwire_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditwire.search import Hit

_SUFFIXES = (".jsonl", ".csv", ".parquet")


def check_export(file: Path, *, counts: bool) -> None:
    """Raises UsageError for a file whose name does not say how to write it, or which is there already, and for
    ``counts``, which are not written into files."""
    if counts:
        raise UsageError("--export writes events, not counts", "leave --stats and --histogram out")
    if file.suffix not in _SUFFIXES:
        raise UsageError(f"{file} does not say what to write", f"let the name end in {', '.join(_SUFFIXES)}")
    if file.exists():
        raise UsageError(f"{file} exists already", "give another name, or remove it")
    if file.suffix == ".parquet":
        import importlib.util

        if importlib.util.find_spec("duckdb") is None:
            raise UsageError("DuckDB is not installed", "pip install 'auditwire[search]', or export .csv or .jsonl")


def export(hits: "Iterable[Hit]", file: Path) -> None:
    """Writes events into a file, which is there when all of them are in it."""
    with tempfile.TemporaryDirectory(prefix=".auditwire-", dir=file.parent) as folder:
        part = Path(folder) / file.name
        match file.suffix:
            case ".jsonl":
                with part.open("wb") as lines:
                    _write_lines(hits, lines)
            case ".csv":
                with part.open("w", encoding="utf-8", newline="") as rows:
                    _write_csv(hits, rows)
            case _:
                _write_parquet(hits, Path(folder), part)
        os.link(part, file)


def _write_lines(hits: "Iterable[Hit]", file: IO[bytes]) -> None:
    for hit in hits:
        file.write(hit.found.line + b"\n")


def _write_csv(hits: "Iterable[Hit]", file: IO[str]) -> None:
    from auditwire.search import FIELDS

    writer = csv.writer(file)
    writer.writerow(FIELDS)
    for hit in hits:
        writer.writerow([_cell(field.get(hit.found)) for field in FIELDS.values()])


def _write_parquet(hits: "Iterable[Hit]", folder: Path, part: Path) -> None:
    import gzip

    from auditwire.search.index_row import encode_row
    from auditwire.search.parquet import write_parquet

    rows = folder / "rows.json.gz"
    with gzip.open(rows, "wb", compresslevel=1) as packed:
        for hit in hits:
            row = encode_row(hit.found, hit.key, hit.number)
            if row is None:
                raise UsageError(f"line {hit.number} of {hit.key} does not fit into a table", "export .jsonl instead")
            packed.write(row)
    write_parquet(rows, part, "")


def _cell(value: Any) -> str:
    """A value as a cell: several texts are separated by line feeds, and no cell begins like a formula."""
    text = "\n".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
