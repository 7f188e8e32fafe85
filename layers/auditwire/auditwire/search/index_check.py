"""Whether the index says what the lines say. It is no evidence, so what differs is built again, not proven."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from auditwire.archive.errors import UnreadableError
from auditwire.archive.stored_lines import inflated
from auditwire.search.answer import Coverage
from auditwire.search.errors import LostIndexError
from auditwire.search.index_builder import rows_of
from auditwire.search.index_files import Split
from auditwire.search.index_row import COLUMNS, TIMES
from auditwire.search.sql import TRUE, microseconds
from auditwire.search.sums import moment_of

if TYPE_CHECKING:
    from auditwire.search.index_note import IndexFile
    from auditwire.search.index_reader import IndexReader
    from auditwire.search.place import Objects
    from auditwire.search.query import Query

State = Literal["matches", "stale", "differs"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A file of the index: its rows are those of its lines (``matches``), some of its objects are gone, were replaced
    or are in another file (``stale``; the rest matches), or it says something else (``differs``)."""

    key: str
    state: State
    reason: str = ""


def check_index(place: "Objects", reader: "IndexReader", query: "Query") -> Iterator[Checked]:
    """Compares each file of the index for the hours of a query with the lines of its objects, all of which are read."""
    coverage = Coverage()
    parts = reader.split(query, (), coverage)
    for remark in coverage.remarks:
        yield Checked(remark.partition(" ")[0], "differs", "it is damaged, or is no file of this place")
    for file in parts.files:
        yield _checked(place, reader, parts, file)


def _checked(place: "Objects", reader: "IndexReader", parts: Split, file: "IndexFile") -> Checked:
    try:
        rows = _rows_in(reader, parts, file)
    except LostIndexError as error:
        return Checked(file.key, "differs", str(error))
    for key in sorted(file.objects):
        try:
            content = inflated(b"".join(place.read(key)), place.name(key))
        except UnreadableError as error:
            return Checked(file.key, "differs", str(error))
        lines = content.removesuffix(b"\n").split(b"\n") if content else []
        expected = [_row(encoded) for encoded in rows_of(key, lines) or ()]
        if sorted(rows.get(key, []), key=lambda row: row[-1]) != expected:
            return Checked(file.key, "differs", f"its rows are not the lines of {key}")
    return Checked(file.key, "matches" if file.is_whole else "stale")


def _rows_in(reader: "IndexReader", parts: Split, file: "IndexFile") -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a file by the keys of their objects; of objects that do not count any more there are none."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    only = Split([file], {}, parts.listed)
    with reader.source(only, TRUE, Coverage()) as source:
        for row in source.select(", ".join(f'"{name}"' for name in COLUMNS)):
            values = [tuple(value) if isinstance(value, list) else value for value in row]
            rows.setdefault(str(values[-2]), []).append(tuple(values))
    return rows


def _row(encoded: bytes) -> tuple[Any, ...]:
    """A row as it was written, as it is read."""
    written = msgspec.json.decode(encoded)
    values = []
    for name in COLUMNS:
        value = written[name]
        if name in TIMES and value is not None:
            value = microseconds(moment_of(value))
        values.append(tuple(value) if isinstance(value, list) else value)
    return tuple(values)
