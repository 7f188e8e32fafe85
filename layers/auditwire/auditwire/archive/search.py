"""Searching the archive: what can be asked, and what is found. Both stores answer the same questions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, Protocol

from auditwire.archive.errors import UnreadableError
from auditwire.archive.filters import (
    AuditIdFilter,
    CodeFilter,
    Filter,
    FlagFilter,
    NamespaceFilter,
    ObjectFilter,
    RuleFilter,
    SourceFilter,
    UserFilter,
    VerbFilter,
)
from auditwire.archive.found import Found
from auditwire.events.timestamps import as_text

_HOUR: Final = len("2026-11-21T22")
_ONE_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Search:
    """What to look for. All given conditions must hold; of several verbs, rules, codes or sources any one.

    ``start`` (inclusive) and ``end`` (exclusive) refer to the times under which events are kept; ``filters`` has what
    the others mean. Raises FilterError for what no event can have. ``is_newest_first`` is the order.
    """

    cluster: str | None = None
    audit_id: str | None = None
    user: str | None = None
    object: str | None = None
    namespace: str | None = None
    verbs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    flag: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    is_newest_first: bool = True

    def __post_init__(self) -> None:
        _ = self.filters

    @cached_property
    def filters(self) -> tuple[Filter, ...]:
        """What is asked, each question as a filter."""
        asked: list[Filter | None] = [
            AuditIdFilter(self.audit_id) if self.audit_id is not None else None,
            self.object_filter,
            UserFilter(self.user) if self.user is not None else None,
            SourceFilter(self.sources) if self.sources else None,
            RuleFilter(self.rules) if self.rules else None,
            FlagFilter(self.flag) if self.flag is not None else None,
            NamespaceFilter(self.namespace) if self.namespace is not None else None,
            CodeFilter(self.codes) if self.codes else None,
            VerbFilter(self.verbs) if self.verbs else None,
        ]
        return tuple(each for each in asked if each)

    @cached_property
    def object_filter(self) -> ObjectFilter | None:
        """What ``object`` means, None if it is not given."""
        return ObjectFilter(self.object, self.namespace or "") if self.object is not None else None

    @property
    def first(self) -> str:
        """``start`` as text. If there is none, a text that sorts before every time."""
        return as_text(self.start) if self.start else "0"

    @property
    def last(self) -> str:
        """``end`` as text. If there is none, a text that sorts behind every time."""
        return as_text(self.end) if self.end else ":"

    def matcher(self) -> Callable[[Found], bool]:
        """A function that tests whether something found matches."""
        first, last, cluster = self.first, self.last, self.cluster
        tests = [each.matches for each in self.filters]

        def matches(found: Found) -> bool:
            return first <= found.at < last and cluster in (None, found.cluster) and all(test(found) for test in tests)

        return matches


Reading = Callable[[str], None]
"""Called with the hour that is read next, such as ``2026-11-21T22``. The same hour may come several times."""

Unreadable = Callable[[UnreadableError], None]
"""Called with each stored thing that could not be read, whole or in part. The search goes on."""


class ArchiveReader(Protocol):
    """A store that can be searched. All methods raise ArchiveError where nothing more can be read."""

    def find(self, search: Search, reading: Reading, unreadable: Unreadable) -> Iterator[Found]:
        """Yields the matches as they are read, in the order of time that is asked for."""


def hours(search: Search, start: datetime, end: datetime) -> Iterator[str]:
    """Every hour, such as ``2026-11-21T22``, that lies at least partly between ``start`` (inclusive) and ``end``
    (exclusive), in the order of the search."""
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = range(-((first - end) // _ONE_HOUR))
    for number in reversed(count) if search.is_newest_first else count:
        yield as_text(first + number * _ONE_HOUR)[:_HOUR]
