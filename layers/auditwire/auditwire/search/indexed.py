"""Searching by the index, and by the plain scan what is not in it: an answer never misses an event that is archived.

An engine finds rows of the index by SQL. Each event that is shown is read from its line, and proven by the decoder that
everything else uses. A file of the index that says something else is not believed, and its objects are scanned.
"""

import heapq
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from auditwire.search.answer import Coverage
from auditwire.search.duckdb_rows import EVENT, found_of
from auditwire.search.errors import LostIndexError, OutOfTimeError
from auditwire.search.fields import FIELDS, Kind
from auditwire.search.index_files import Split, count_indexed
from auditwire.search.lines import DifferentError, Pointer, proven
from auditwire.search.matching import Matcher
from auditwire.search.price import Price, both, of_reading, times
from auditwire.search.scan import Hour, Scan, found_in_objects, hits_in, order_of, paged
from auditwire.search.sql import (
    Condition,
    Dialect,
    bucket_of,
    condition_of,
    expression_of,
    moment_of,
    text_of,
)
from auditwire.search.sums import Sums

if TYPE_CHECKING:
    from auditwire.search.answer import Summary
    from auditwire.search.engine import Hit
    from auditwire.search.index_reader import IndexReader
    from auditwire.search.objects import Archived
    from auditwire.search.place import Objects
    from auditwire.search.query import Page, Query, Wanted

_AT_ONCE: Final = 2000
"""Events whose lines are read together."""


class Selector(Protocol):
    """Rows of the index: what can be selected of them. Raises LostIndexError and OutOfTimeError."""

    def select(self, what: str, rest: str = "") -> Iterator[Any]:
        """Yields what is selected of the rows, in the order that ``rest`` asks for."""

    def count(self, fields: Sequence[str]) -> Iterator[Any]:
        """Yields values of some fields and how many rows have them. The same values may come several times."""


class IndexedEngine(ABC):
    """An Engine on the index of one place. ``within_aws`` says that it runs where reading costs requests alone."""

    name: str
    dialect: Dialect
    has_events: ClassVar[bool] = False
    """Whether whole events can be selected, so that filters that SQL does not say can be tested on rows."""

    def __init__(self, place: "Objects", index: "IndexReader", *, within_aws: bool) -> None:
        self._place = place
        self._within_aws = within_aws
        self._index = index
        self._scan = Scan(place)
        self._priced: tuple[Query, Split] | None = None

    @abstractmethod
    def selected(
        self, parts: Split, condition: Condition, coverage: "Coverage", *, newest: bool = False
    ) -> AbstractContextManager[Selector]:
        """The rows of a split for which a condition holds."""

    def narrowed(self, objects: list["Archived"], query: "Query", coverage: "Coverage") -> list["Archived"]:
        """Those of some objects in which a query may find something."""
        del query, coverage
        return objects

    def price(self, query: "Query", statements: int = 1, within: "Coverage | None" = None) -> Price:
        """What it costs at most to answer a query whose rows of the index are selected so many times.

        Raises OutOfTimeError where what is asked ``within`` an answer must end with it; that has read what this read.
        """
        coverage = Coverage(may_go_on=within.may_go_on) if within else Coverage()
        parts = self._index.split(query, (), coverage)
        if within:
            within.bytes += coverage.bytes
        if not coverage.remarks:
            self._priced = (query, parts)
        scanned = [one for several in parts.unindexed.values() for one in several]
        if self._is_scanned(query, parts):
            # The index may rule out many of them, but nobody knows that yet.
            scanned = list(parts.listed.values())
        index = self.price_of_index(len(parts.files), sum(file.size for file in parts.files))
        return both(times(index, statements), self.price_of_lines(len(scanned), sum(one.size for one in scanned)))

    def price_of_index(self, files: int, size: int) -> Price:
        """What it costs to read files of the index."""
        return of_reading(files, size, within_aws=self._within_aws)

    def price_of_lines(self, objects: int, size: int) -> Price:
        """What it costs to look into lines."""
        return of_reading(objects, size, within_aws=self._within_aws)

    def rows(self, query: "Query", page: "Page", coverage: "Coverage") -> Iterator["Hit"]:
        """See Engine.rows."""
        coverage.engine = self.name
        yield from paged(self._hits(query, page, coverage), page, coverage)

    def summarise(self, query: "Query", wanted: "Wanted", coverage: "Coverage") -> "Summary":
        """See Engine.summarise."""
        coverage.engine = self.name
        sums = Sums(wanted)
        try:
            parts = self._split(query, (), coverage)
            for found in found_in_objects(self._place, self._hours_to_scan(query, parts, coverage), query, coverage):
                sums.add(found)
            if not self._is_scanned(query, parts):
                self._add_indexed(query, wanted, parts, sums, coverage)
        except OutOfTimeError:
            coverage.cut_off = "time"
        except LostIndexError as error:
            _start_again(coverage, f"the index could not be read, so everything was scanned: {error}")
            return self._scan.summarise(query, wanted, coverage)
        return sums.summary()

    def _split(self, query: "Query", disbelieved: Collection[str], coverage: "Coverage") -> Split:
        """What is in the index; what its price was made of is not listed again."""
        priced, self._priced = self._priced, None
        if priced is not None and priced[0] == query and not disbelieved:
            return priced[1]
        return self._index.split(query, disbelieved, coverage)

    def _hits(self, query: "Query", page: "Page", coverage: "Coverage") -> Iterator["Hit"]:
        """All hits in the order of a page. Where the index is wrong they are found anew without that file of it, and
        the hits that were yielded before, which were proven, are passed over."""
        disbelieved: set[str] = set()
        last: tuple[str, str, int] | None = None
        while True:
            try:
                parts = self._split(query, disbelieved, coverage)
                for hit in self._hits_of(query, page, parts, coverage):
                    order = order_of(hit)
                    if last is None or (order < last if page.newest else order > last):
                        yield hit
                        last = order
            except OutOfTimeError:
                coverage.cut_off = "time"
                return
            except DifferentError as error:
                wrong = next(file.key for file in parts.files if error.key in file.objects)
                disbelieved.add(wrong)
                _start_again(coverage, f"{wrong} is not what {error.key} says: its objects were scanned")
            except LostIndexError as error:
                disbelieved.update(file.key for file in parts.files)
                _start_again(coverage, f"the index could not be read, so everything was scanned: {error}")
            else:
                return

    def _hits_of(self, query: "Query", page: "Page", parts: Split, coverage: "Coverage") -> Iterator["Hit"]:
        hours = sorted(self._hours_to_scan(query, parts, coverage), reverse=page.newest)
        scanned = hits_in(self._place, hours, query, page, coverage)
        if self._is_scanned(query, parts):
            return scanned
        indexed = self._indexed_hits(query, page, parts, coverage)
        return heapq.merge(indexed, scanned, key=order_of, reverse=page.newest)

    def _is_scanned(self, query: "Query", parts: Split) -> bool:
        """Whether all lines in question are searched, of the objects that the index leaves."""
        is_said = self.has_events or condition_of(query, self.dialect).exact
        return bool(query.texts) or not parts.files or not is_said

    def _hours_to_scan(self, query: "Query", parts: Split, coverage: "Coverage") -> list[Hour]:
        """The hours with the objects whose lines have to be searched: those that the index does not have, and where
        lines decide, those in which the index finds everything else."""
        count_indexed(parts, coverage)
        objects = [one for several in parts.unindexed.values() for one in several]
        if parts.files and self._is_scanned(query, parts):
            with self.selected(parts, condition_of(query, self.dialect), coverage) as rows:
                objects += [parts.listed[key] for (key,) in rows.select('DISTINCT "key"')]
        hours: dict[str, list[Archived]] = defaultdict(list)
        for one in self.narrowed(objects, query, coverage):
            hours[one.hour].append(one)
        return sorted((hour, sorted(several, key=lambda one: (one.t, one.key))) for hour, several in hours.items())

    def _indexed_hits(self, query: "Query", page: "Page", parts: Split, coverage: "Coverage") -> Iterator["Hit"]:
        matcher = Matcher(query)
        condition = condition_of(query, self.dialect)
        down = " DESC" if page.newest else ""
        rest = f'ORDER BY "time"{down}, "key"{down}, "number"{down}'
        if condition.exact and page.limit is not None and not page.once:
            rest += f" LIMIT {page.offset + page.limit + 1}"
        what = '"time", "key", "number"' + ("" if condition.exact else f", {EVENT}")
        with self.selected(parts, condition, coverage, newest=page.newest) as source:
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
        condition = condition_of(query, self.dialect)
        with self.selected(parts, condition, coverage) as source:
            if condition.exact:
                _add_counts(source, wanted, sums, self.dialect)
            else:
                matcher = Matcher(query)
                for row in source.select(EVENT):
                    found = found_of(row)
                    if matcher.matches_fields(found):
                        sums.add(found)


def _add_counts(rows: Selector, wanted: "Wanted", sums: Sums, dialect: Dialect) -> None:
    """Counts rows by SQL, after everything that was counted one by one.

    How many there are is the sum of any count in which each of them counts once, so it is asked for only without one.
    """
    before = sums.events

    def all_are(count: int) -> None:
        sums.events = before + count

    counted = [wanted.groups.fields] if wanted.groups else []
    counted += [(facet.field,) for facet in wanted.facets]
    if not any(map(_counts_once, counted)) and not (wanted.histogram and wanted.histogram.by == "time"):
        all_are(sum(count for (count,) in rows.select("count(*)")))
    if wanted.histogram:
        bucket, by = bucket_of(wanted.histogram, dialect), wanted.histogram.by
        total = 0
        for start, count in rows.select(f"{bucket}, count(*)", f'WHERE "{by}" IS NOT NULL GROUP BY 1'):
            sums.add_bucket(moment_of(start), count)
            total += count
        if by == "time":
            all_are(total)
    if wanted.groups:
        sums.add_groups(_counted(rows, wanted.groups.fields, all_are))
    for facet in wanted.facets:
        sums.add_values(facet.field, _counted(rows, (facet.field,), all_are))
    for name in wanted.distinct:
        sums.distinct[name].update(value for (value,) in rows.select(f"DISTINCT {expression_of(name)}"))


def _counts_once(fields: tuple[str, ...]) -> bool:
    """Whether every event is in one group of these fields alone."""
    return all(FIELDS[name].kind is not Kind.LIST for name in fields)


def _counted(
    rows: Selector, fields: tuple[str, ...], all_are: Callable[[int], None]
) -> Iterator[tuple[tuple[Any, ...], int]]:
    total = 0
    for row in rows.count(fields):
        yield tuple(row[:-1]), row[-1]
        total += row[-1]
    if _counts_once(fields):
        all_are(total)


def _start_again(coverage: "Coverage", remark: str) -> None:
    coverage.indexed = coverage.scanned = coverage.bytes = 0
    coverage.remarks.append(remark)
