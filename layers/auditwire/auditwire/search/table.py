"""The archive table as an engine: lookups by its indexes, or hour by hour, and everything else tested in memory."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditwire.search.engine import Hit
from auditwire.search.matching import Matcher
from auditwire.search.scan import paged
from auditwire.search.sums import Sums

if TYPE_CHECKING:
    from auditwire.archive.search import Search
    from auditwire.archive.search_table import TableReader
    from auditwire.search.answer import Coverage, Summary
    from auditwire.search.query import Page, Query, Wanted


class TableEngine:
    """An Engine on DynamoDB. ``search`` is what is looked up there; everything that a query finds must match it."""

    name = "dynamodb"

    def __init__(self, reader: "TableReader", search: "Search") -> None:
        self._reader = reader
        self._search = search

    def rows(self, query: "Query", page: "Page", coverage: "Coverage") -> Iterator[Hit]:
        """See Engine.rows. Among events of the same time the order is that of the table."""
        coverage.engine = self.name
        yield from paged(self._hits(query, coverage, newest=page.newest), page, coverage)

    def summarise(self, query: "Query", wanted: "Wanted", coverage: "Coverage") -> "Summary":
        """See Engine.summarise."""
        coverage.engine = self.name
        sums = Sums(wanted)
        for hit in self._hits(query, coverage, newest=False):
            sums.add(hit.found)
        return sums.summary()

    def _hits(self, query: "Query", coverage: "Coverage", *, newest: bool) -> Iterator[Hit]:
        matcher = Matcher(query)
        search = replace(self._search, is_newest_first=newest)
        found = self._reader.find(search, coverage.reading, lambda error: coverage.unreadable.append(str(error)))
        for number, each in enumerate(found):
            if not coverage.may_go_on():
                coverage.cut_off = "time"
                return
            if matcher.matches(each):
                yield Hit(each, "", number)
