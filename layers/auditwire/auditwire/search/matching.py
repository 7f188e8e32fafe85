"""Whether an event is one that a query looks for, and how the lines that cannot be are passed over undecoded."""

from typing import TYPE_CHECKING, Final

from auditwire.archive.needle import Needle, Text
from auditwire.events.timestamps import as_text
from auditwire.search.fields import FIELDS, Kind
from auditwire.search.filters import AllOf, AnyOf, Match, Test
from auditwire.search.text import has_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditwire.archive.found import Found
    from auditwire.search.filters import Filter
    from auditwire.search.query import Query

# Composed of several strings of an event.
_COMPOSED: Final = "object"
# Looking for more texts takes longer than decoding every line.
_MAX_TEXTS: Final = 8


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
        parts = _parts(self._where)
        known = [*((Text(text),) for text in self._texts), *map(texts_of, parts)]
        # What one of several filters demands is in more lines than what they all do.
        return _longest(known) or _longest(map(_texts_of_any, parts))

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


def _texts_of_any(part: "Filter") -> tuple[Text, ...]:
    """The same of filters of which any may hold: what each of them demands."""
    if not isinstance(part, AnyOf):
        return ()
    several = [
        _longest(map(texts_of, parts)) or _longest(map(_texts_of_any, parts)) for parts in map(_parts, part.parts)
    ]
    texts = tuple(dict.fromkeys(text for texts in several for text in texts))
    return texts if all(several) and len(texts) <= _MAX_TEXTS else ()


def _longest(known: "Iterable[tuple[Text, ...]]") -> tuple[Text, ...]:
    return max(filter(None, known), key=lambda texts: min(len(each.text) for each in texts), default=())


def _parts(where: "Filter") -> "list[Filter]":
    """What must all hold."""
    return [each for part in where.parts for each in _parts(part)] if isinstance(where, AllOf) else [where]
