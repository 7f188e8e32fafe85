"""What every engine does. They differ in what they read, and never in what they answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from auditwire.search.answer import Coverage, Summary
from auditwire.search.query import Page, Query, Wanted

if TYPE_CHECKING:
    from auditwire.archive.found import Found


@dataclass(frozen=True, slots=True)
class Hit:
    """An event that was found. ``key`` and ``number`` say where it lies: in which object, and which of its lines it is,
    from 0."""

    found: "Found"
    key: str
    number: int


class Engine(Protocol):
    """Answers queries. All methods raise ArchiveError where the archive cannot be listed, and ValueError for a query
    that would not fit into memory. StillRunningError is for a Coverage that names its search."""

    name: str

    def rows(self, query: Query, page: Page, coverage: Coverage) -> Iterator[Hit]:
        """Yields the events of a page, with their lines, in its order."""

    def summarise(self, query: Query, wanted: Wanted, coverage: Coverage) -> Summary:
        """Counts all events that are found."""
