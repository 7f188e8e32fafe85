"""Whether an event is one that a query looks for, and how the lines that cannot be are passed over undecoded."""

from typing import TYPE_CHECKING, Any, Final

from auditwire.archive.needle import Needle, Text
from auditwire.events.timestamps import as_text
from auditwire.search.fields import FIELDS, Kind
from auditwire.search.filters import AllOf, Match, Test
from auditwire.search.text import has_text

if TYPE_CHECKING:
    from auditwire.archive.found import Found
    from auditwire.search.filters import Filter
    from auditwire.search.query import Query

# Composed of several strings of an event.
_COMPOSED: Final = "object"


class Matcher:
    """A query as a test of one event."""

    def __init__(self, query: "Query") -> None:
        self._first = as_text(query.start) if query.start else ""
        self._last = as_text(query.end) if query.end else ":"
        self._is_open = query.start is None and query.end is None
        self._time = FIELDS[query.by].get
        self._clusters = query.clusters
        self._where = query.where
        self._texts = query.texts

    @property
    def texts(self) -> tuple[Text, ...]:
        """Texts of which at least one is in every line that matches; of all that is known, those that are longest.
        Empty if nothing is known."""
        known: list[tuple[Text, ...]] = [(Text(text),) for text in self._texts]
        known += [texts for texts in map(texts_of, _parts(self._where)) if texts]
        return max(known, key=lambda texts: min(len(each.text) for each in texts), default=())

    @property
    def needle(self) -> Needle | None:
        """What finds the lines that may match, None if any may."""
        return Needle(*self.texts) if self.texts else None

    def matches(self, found: "Found") -> bool:
        """Whether an event, with its line, is one of those that are looked for."""
        return self.matches_fields(found) and all(has_text(found.line, text) for text in self._texts)

    def matches_fields(self, found: "Found") -> bool:
        """The same, but for the texts."""
        if self._clusters is not None and found.cluster not in self._clusters:
            return False
        if not self._is_open:
            time = self._time(found)
            if not time or not self._first <= time < self._last:
                return False
        return self._where.matches(found)


def texts_of(part: "Filter") -> tuple[Text, ...]:
    """Texts of which at least one is in the line of every match. Empty if there is no such text."""
    if not isinstance(part, Test):
        texts: tuple[Text, ...] = getattr(part, "texts", ())
        return texts if all(each.text for each in texts) else ()
    is_text = FIELDS[part.field].kind in (Kind.TEXT, Kind.LIST) and part.field not in (_COMPOSED, "cluster")
    if not is_text or part.any_case or not part.values or "" in part.values:
        return ()
    return tuple(Text(str(value), is_whole=part.match is Match.IS) for value in part.values)


def _parts(where: "Filter") -> list[Any]:
    """What must all hold."""
    return [each for part in where.parts for each in _parts(part)] if isinstance(where, AllOf) else [where]
