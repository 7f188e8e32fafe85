"""Athena on the index and on the lines: for archives too large to be read from one machine.

The index's table answers filters and counts. The table of lines only says in which objects a text may be; these are
read and searched like any other. So Athena proves nothing, and an answer is the same as every engine's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditwire.search.athena import Athena, filled_in
from auditwire.search.dialects import AthenaDialect
from auditwire.search.index_note import place_of
from auditwire.search.index_reader import IndexReader
from auditwire.search.indexed import IndexedEngine, Selector
from auditwire.search.matching import Matcher
from auditwire.search.price import Price, of_athena
from auditwire.search.sql import counts_of

if TYPE_CHECKING:
    from auditwire.archive.needle import Text
    from auditwire.search.answer import Coverage
    from auditwire.search.index_files import Split
    from auditwire.search.index_note import IndexFile
    from auditwire.search.objects import Archived
    from auditwire.search.place import Objects
    from auditwire.search.query import Query
    from auditwire.search.sql import Condition

_MAX_FILES: Final = 500
"""Files of the index, or days, that one statement names, within Athena's longest statement."""

INDEX_TABLE: Final = "event_index"
LINES_TABLE: Final = "event_lines"


class AthenaEngine(IndexedEngine):
    """An Engine on the tables of a stack. Notes of the index are read by DuckDB; rows are not.

    ``narrow_above`` is for how many objects the table of lines is asked in which of them a text may be.
    """

    name = "athena"
    dialect = AthenaDialect()

    def __init__(self, place: "Objects", athena: Athena, *, narrow_above: int = 100, within_aws: bool = False) -> None:
        super().__init__(place, IndexReader(place, memory="1GB", threads=2), within_aws=within_aws)
        self._athena = athena
        self._narrow_above = narrow_above

    def price_of_index(self, files: int, size: int) -> Price:
        """See IndexedEngine.price_of_index."""
        return of_athena(files, size)

    def price_of_lines(self, objects: int, size: int) -> Price:
        """See IndexedEngine.price_of_lines."""
        return of_athena(objects, size) if objects > self._narrow_above else super().price_of_lines(objects, size)

    @contextmanager
    def selected(
        self, parts: "Split", condition: "Condition", coverage: "Coverage", *, newest: bool = False
    ) -> Iterator[Selector]:
        """See IndexedEngine.selected."""
        yield _Rows(self._athena, self._place, _chunks(parts.files, newest=newest), condition, coverage)

    def narrowed(self, objects: "list[Archived]", query: "Query", coverage: "Coverage") -> "list[Archived]":
        """See IndexedEngine.narrowed."""
        texts = Matcher(query).texts
        if len(objects) <= self._narrow_above or not texts:
            return objects
        condition, parameters = _line_condition(texts)
        found: set[str] = set()
        for cluster, of_cluster in groupby(sorted(objects, key=lambda one: one.key), key=lambda one: one.cluster):
            dates = sorted({one.hour[:10] for one in of_cluster})
            sql = (
                f'SELECT DISTINCT "$path" FROM {LINES_TABLE} WHERE "cluster" = ? AND "date" BETWEEN ? AND ? '
                f"AND ({condition})"
            )
            asked = filled_in(sql, (cluster, dates[0], dates[-1], *parameters))
            found.update(path for (path,) in self._athena.select(asked, coverage))
        left = [one for one in objects if self._place.name(one.key) in found]
        coverage.scanned += len(objects) - len(left)
        return left


@dataclass(frozen=True, slots=True)
class _Rows:
    """See Selector. One statement for each part of the index's files, in the order of time."""

    athena: Athena
    place: "Objects"
    chunks: "list[list[IndexFile]]"
    condition: "Condition"
    coverage: "Coverage"

    def select(self, what: str, rest: str = "") -> Iterator[Any]:
        """See Selector.select."""
        yield from self._run(lambda rows: f"SELECT {what} FROM ({rows}) AS found {rest}")

    def count(self, fields: "Sequence[str]") -> Iterator[Any]:
        """See Selector.count."""
        yield from self._run(lambda rows: counts_of(rows, fields, AthenaEngine.dialect))

    def _run(self, statement: "Callable[[str], str]") -> Iterator[Any]:
        for files in self.chunks:
            rows, values = self._of(files)
            yield from self.athena.select(filled_in(statement(rows), values), self.coverage)

    def _of(self, files: "list[IndexFile]") -> tuple[str, tuple[Any, ...]]:
        # Equality on the cluster is what partition projection demands.
        places = [place_of(file.key).split("/") for file in files]
        clusters = sorted({place[0].removeprefix("cluster=") for place in places})
        dates = sorted(place[1].removeprefix("date=") for place in places)
        whole = [self.place.name(file.key) for file in files if file.is_whole]
        paths, values = [], [*clusters, dates[0], dates[-1]]
        if whole:
            paths.append(f'"$path" IN ({_marks(whole)})')
            values += whole
        for file in files:
            if not file.is_whole:
                paths.append(f'("$path" = ? AND "key" IN ({_marks(file.objects)}))')
                values += [self.place.name(file.key), *sorted(file.objects)]
        sql = (
            f'SELECT * FROM {INDEX_TABLE} WHERE "cluster" IN ({_marks(clusters)}) AND "date" BETWEEN ? AND ? '
            f"AND ({' OR '.join(paths)}) AND ({self.condition.sql})"
        )
        return sql, (*values, *self.condition.parameters)


def _chunks(files: "Sequence[IndexFile]", *, newest: bool) -> "list[list[IndexFile]]":
    """The files in parts, in the order of time; those of an hour are in one."""
    chunks: list[list[IndexFile]] = []
    ordered = sorted(files, key=_hour, reverse=newest)
    for _, several in groupby(ordered, key=_hour):
        of_hour = list(several)
        if chunks and len(chunks[-1]) + len(of_hour) <= _MAX_FILES:
            chunks[-1] += of_hour
        else:
            chunks.append(of_hour)
    return chunks


def _hour(file: "IndexFile") -> str:
    return place_of(file.key).partition("/")[2]


def _marks(values: "Sequence[Any] | frozenset[Any]") -> str:
    return ", ".join("?" * len(values))


def _line_condition(texts: "tuple[Text, ...]") -> tuple[str, tuple[str, ...]]:
    """Which lines may have any of some texts, however they are escaped: see Needle."""
    tests, parameters = [], []
    for each in texts:
        written = msgspec.json.encode(each.text).decode()
        tests.append("strpos(line, ?) > 0")
        parameters.append(written if each.is_whole else written[1:-1])
    if any("/" in each.text for each in texts):
        tests.append("strpos(line, ?) > 0")
        parameters.append("\\/")
    units = "".join(each.text for each in texts).encode("utf-16-be")
    numbers = sorted({f"{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2)})
    tests.append("regexp_like(line, ?)")
    parameters.append("\\\\u(?i:" + "|".join(numbers) + ")")
    return " OR ".join(tests), tuple(parameters)
