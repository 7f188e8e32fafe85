"""DuckDB over the index, and the plain scan over what is not in it: an answer never misses an event that is archived.

DuckDB finds rows of the index. Each event that is shown is read from its line, and proven by the decoder that
everything else uses. A file of the index that says something else is not believed, and its objects are scanned.
"""

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import duckdb

from auditwire.search.duckdb_rows import (
    EVENT,
    MOMENT,
    DuckDBDialect,
    bucket_of,
    found_of,
    moment_of,
    text_of,
    values_of,
)
from auditwire.search.index_files import Split, count_indexed
from auditwire.search.index_reader import IndexReader, Source
from auditwire.search.lines import DifferentError, Pointer, proven
from auditwire.search.matching import Matcher
from auditwire.search.scan import Hour, Scan, found_in_objects, hits_in, order_of, paged
from auditwire.search.sql import condition_of, expression_of
from auditwire.search.sums import Sums

if TYPE_CHECKING:
    from auditwire.search.answer import Coverage, Summary
    from auditwire.search.engine import Hit
    from auditwire.search.place import Objects
    from auditwire.search.query import Page, Query, Wanted

_AT_ONCE: Final = 2000
"""Events whose lines are read together."""


class DuckDBEngine:
    """An Engine on the index, which needs no more than ``memory``."""

    name = "duckdb"

    def __init__(self, place: "Objects", *, memory: str = "1GB", threads: int = 2) -> None:
        self._place = place
        self._index = IndexReader(place, memory=memory, threads=threads)
        self._scan = Scan(place)

    def rows(self, query: "Query", page: "Page", coverage: "Coverage") -> Iterator["Hit"]:
        """See Engine.rows."""
        coverage.engine = self.name
        yield from paged(self._hits(query, page, coverage), page, coverage)

    def summarise(self, query: "Query", wanted: "Wanted", coverage: "Coverage") -> "Summary":
        """See Engine.summarise."""
        coverage.engine = self.name
        sums = Sums(wanted)
        parts = self._index.split(query, (), coverage)
        try:
            for found in found_in_objects(self._place, self._hours_to_scan(query, parts, coverage), query, coverage):
                sums.add(found)
            if parts.files and not query.texts:
                self._add_indexed(query, wanted, parts, sums, coverage)
        except duckdb.InterruptException:
            pass
        except duckdb.Error as error:
            _start_again(coverage, f"the index could not be read, so everything was scanned: {_first_line(error)}")
            return self._scan.summarise(query, wanted, coverage)
        return sums.summary()

    def _hits(self, query: "Query", page: "Page", coverage: "Coverage") -> Iterator["Hit"]:
        """All hits in the order of a page. Where the index is wrong they are found anew without that file of it, and
        the hits that were yielded before, which were proven, are passed over."""
        disbelieved: set[str] = set()
        last: tuple[str, str, int] | None = None
        while True:
            parts = self._index.split(query, disbelieved, coverage)
            try:
                for hit in self._hits_of(query, page, parts, coverage):
                    order = order_of(hit)
                    if last is None or (order < last if page.newest else order > last):
                        yield hit
                        last = order
            except duckdb.InterruptException:
                return
            except DifferentError as error:
                wrong = next(file.key for file in parts.files if error.key in file.objects)
                disbelieved.add(wrong)
                _start_again(coverage, f"{wrong} is not what {error.key} says: its objects were scanned")
            except duckdb.Error as error:
                disbelieved.update(file.key for file in parts.files)
                _start_again(coverage, f"the index could not be read, so everything was scanned: {_first_line(error)}")
            else:
                return

    def _hits_of(self, query: "Query", page: "Page", parts: Split, coverage: "Coverage") -> Iterator["Hit"]:
        hours = self._hours_to_scan(query, parts, coverage)
        ordered = sorted(hours, reverse=page.newest)
        scanned = hits_in(self._place, ordered, query, page, coverage)
        if query.texts or not parts.files:
            return scanned
        return heapq.merge(self._indexed_hits(query, page, parts, coverage), scanned, key=order_of, reverse=page.newest)

    def _hours_to_scan(self, query: "Query", parts: Split, coverage: "Coverage") -> list[Hour]:
        """The hours with the objects whose lines have to be searched: those that the index does not have, and where
        a text is looked for, those in which the index finds everything else."""
        count_indexed(parts, coverage)
        objects = {hour: list(several) for hour, several in parts.unindexed.items()}
        if query.texts and parts.files:
            condition = condition_of(query, DuckDBDialect())
            with self._index.source(parts, condition, coverage) as source:
                for (key,) in source.select('DISTINCT "key"'):
                    objects.setdefault(parts.listed[key].hour, []).append(parts.listed[key])
        return sorted((hour, sorted(several, key=lambda one: (one.t, one.key))) for hour, several in objects.items())

    def _indexed_hits(self, query: "Query", page: "Page", parts: Split, coverage: "Coverage") -> Iterator["Hit"]:
        matcher = Matcher(query)
        condition = condition_of(query, DuckDBDialect())
        down = " DESC" if page.newest else ""
        rest = f'ORDER BY "time"{down}, "key"{down}, "number"{down}'
        if condition.exact and page.limit is not None and not page.once:
            rest += f" LIMIT {page.offset + page.limit + 1}"
        what = f'{MOMENT}, "key", "number"' + ("" if condition.exact else f", {EVENT}")
        with self._index.source(parts, condition, coverage) as source:
            rows = source.select(what, rest)
            pointers = (
                Pointer(text_of(row[0]), row[1], row[2])
                for row in rows
                if condition.exact or matcher.matches_fields(found_of(row[3:]))
            )
            # The first few are enough for most pages.
            size = _AT_ONCE if page.limit is None else min(_AT_ONCE, page.offset + page.limit + 1)
            while several := list(islice(pointers, size)):
                if not coverage.may_go_on():
                    coverage.cut_off = "time"
                    return
                coverage.reading(several[0].at[: len("2026-11-21T22")])
                yield from proven(self._place, several, parts.listed, matcher, coverage)

    def _add_indexed(self, query: "Query", wanted: "Wanted", parts: Split, sums: Sums, coverage: "Coverage") -> None:
        """Counts what the index finds."""
        condition = condition_of(query, DuckDBDialect())
        with self._index.source(parts, condition, coverage) as source:
            if condition.exact:
                _add_counts(source, wanted, sums)
            else:
                matcher = Matcher(query)
                for row in source.select(EVENT):
                    found = found_of(row)
                    if matcher.matches_fields(found):
                        sums.add(found)


def _add_counts(source: Source, wanted: "Wanted", sums: Sums) -> None:
    """Counts rows by SQL, after everything that was counted one by one."""
    sums.events += sum(count for (count,) in source.select("count(*)"))
    if wanted.groups:
        sums.add_groups(_counted(source, wanted.groups.fields))
    for facet in wanted.facets:
        sums.add_values(facet.field, _counted(source, (facet.field,)))
    if wanted.histogram:
        by = wanted.histogram.by
        buckets = source.select(
            f"{bucket_of(wanted.histogram)} AS bucket, count(*)", f'WHERE "{by}" IS NOT NULL GROUP BY bucket'
        )
        for start, count in buckets:
            sums.add_bucket(moment_of(start), count)
    for name in wanted.distinct:
        value = expression_of(name)
        others = source.select(
            f"count(DISTINCT {value})", f"WHERE {value} NOT IN (SELECT unnest(?))", [sorted(sums.distinct[name])]
        )
        sums.add_distinct(name, sum(count for (count,) in others))


def _counted(source: Source, fields: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    values, joined = values_of(fields)
    for row in source.select(f"{values}, count(*)", "GROUP BY ALL", joined=joined):
        yield row[:-1], row[-1]


def _start_again(coverage: "Coverage", remark: str) -> None:
    coverage.indexed = coverage.scanned = coverage.bytes = 0
    coverage.remarks.append(remark)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
