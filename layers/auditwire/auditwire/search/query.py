"""What is asked: which events, and what is to be known about them. Pure values that every engine answers alike."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.search.fields import Kind, field_of
from auditwire.search.filters import AllOf, Filter
from auditwire.search.histogram import Histogram, TimeField

if TYPE_CHECKING:
    from auditwire.archive.search import Search

MAX_GROUPS: Final = 1_000_000
"""More groups, or values of a facet, are not held in memory: such a query is refused, never cut off silently."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which events are looked for: those for which everything holds that is said here.

    ``start`` (inclusive) and ``end`` (exclusive) limit the time ``by``; None is open. ``clusters`` are those under
    which events are archived, None for all. ``texts`` must all be within some string of the event, a value or a key, or
    within some number as it is written. Upper and lower case differ.
    """

    where: Filter = field(default_factory=AllOf)
    start: datetime | None = None
    end: datetime | None = None
    by: TimeField = "time"
    clusters: frozenset[str] | None = None
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("start and end need an offset")
        if "" in self.texts:
            raise ValueError("an empty text is in every event")

    @staticmethod
    def of(search: "Search", texts: tuple[str, ...] = ()) -> "Query":
        """The events that a Search of the archive finds, and that have these texts."""
        clusters = None if search.cluster is None else frozenset({search.cluster})
        return Query(AllOf(search.filters), search.start, search.end, clusters=clusters, texts=texts)


@dataclass(frozen=True, slots=True)
class Page:
    """Which of the events that are found, and in which order: by the time under which they are kept, then by where
    they lie. ``newest`` turns that round. ``limit`` None is all. With ``once``, of several lines of the same time with
    the same event the first stands for all, and says how many repeats there are."""

    limit: int | None = None
    offset: int = 0
    newest: bool = False
    once: bool = False

    def __post_init__(self) -> None:
        if self.offset < 0 or (self.limit is not None and self.limit < 0):
            raise ValueError("limit and offset are not negative")


@dataclass(frozen=True, slots=True)
class Groups:
    """Counts events by the values of some fields, the most frequent first, at most ``limit`` of them.

    An event with several texts in a list counts once for each, one without any under the empty text. Raises ValueError
    for a field that does not exist, and for a time.
    """

    fields: tuple[str, ...]
    limit: int | None = None

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError("name at least one field to count by")
        for name in self.fields:
            if field_of(name).kind is Kind.TIME:
                raise ValueError(f"{name} is a time; a histogram counts by it")


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of one field, as Groups counts them."""

    field: str
    limit: int = 10

    def __post_init__(self) -> None:
        Groups((self.field,))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be known about the events that are found, beside how many they are.

    ``distinct`` names fields of texts of which the number of different values is wanted; the empty text counts too.
    """

    groups: Groups | None = None
    histogram: Histogram | None = None
    facets: tuple[Facet, ...] = ()
    distinct: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.distinct:
            if field_of(name).kind is not Kind.TEXT:
                raise ValueError(f"{name} is not a text")
