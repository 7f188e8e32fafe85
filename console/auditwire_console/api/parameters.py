"""The parameters that every search of the page has, as its address has them too.

``is=user:jane`` is an exact value, ``has=name:web`` a part of one in any case, ``not=verb:get`` excludes a value;
several of a field mean any of them, or none of those excluded. ``text`` must be somewhere in the event, ``cluster``
names clusters, ``start`` and ``end`` are times with an offset, and the end is excluded. ``search`` names a search that
is asked for again until it is done.
"""

import re
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.search import FIELDS, AllOf, Facet, Histogram, Interval, Kind, Match, Not, Page, Query, Test, Wanted

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from auditwire.search import Filter

MAX_ROWS: Final = 1_000
MAX_OFFSET: Final = 1_000_000
MAX_FACETS: Final = 12
MAX_DOLLARS: Final = 10_000
_MAX_FILTERS: Final = 200
_SEARCH: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


class WrongParameterError(ValueError):
    """A parameter that means nothing; the message names it and says what it may be."""


def read_query(given: "QueryParams") -> Query:
    """Which events are looked for. Raises WrongParameterError."""
    try:
        return Query(
            where=AllOf(tuple(_filters(given))),
            start=_moment("start", given),
            end=_moment("end", given),
            clusters=frozenset(given.getlist("cluster")) or None,
            texts=tuple(text for text in given.getlist("text") if text),
        )
    except WrongParameterError:
        raise
    except ValueError as error:
        raise WrongParameterError(str(error)) from None


def read_page(given: "QueryParams") -> Page:
    """Which rows. Raises WrongParameterError."""
    order = given.get("order", "newest")
    if order not in {"newest", "oldest"}:
        raise WrongParameterError("order is newest or oldest")
    limit, offset = _number("limit", given, 100, MAX_ROWS), _number("offset", given, 0, MAX_OFFSET)
    return Page(limit=limit, offset=offset, newest=order == "newest")


def read_wanted(given: "QueryParams") -> Wanted:
    """What is counted. Raises WrongParameterError."""
    names = given.getlist("facet")
    if len(names) > MAX_FACETS:
        raise WrongParameterError(f"ask for at most {MAX_FACETS} facets at once")
    interval = given.get("interval")
    try:
        return Wanted(
            histogram=Histogram(Interval.parse(interval)) if interval else None,
            facets=tuple(Facet(name, 10) for name in dict.fromkeys(names)),
        )
    except ValueError as error:
        raise WrongParameterError(str(error)) from None


def read_agreed(given: "QueryParams") -> float:
    """How many dollars the answer may cost, as somebody agreed to. Raises WrongParameterError."""
    text = given.get("pay", "") or "0"
    try:
        dollars = float(text)
    except ValueError:
        dollars = -1.0
    if not 0 <= dollars < MAX_DOLLARS:
        raise WrongParameterError(f"pay is a number of dollars below {MAX_DOLLARS:,}")
    return dollars


def read_search(given: "QueryParams") -> str:
    """The name of the search, empty if it has none. Raises WrongParameterError."""
    text = given.get("search", "")
    if text and not _SEARCH.fullmatch(text):
        raise WrongParameterError(
            "search is a name for this search that nobody else chooses: 16 to 64 letters and digits"
        )
    return text


def _filters(given: "QueryParams") -> "list[Filter]":
    filters: list[Filter] = []
    if sum(len(given.getlist(name)) for name in ("is", "has", "not")) > _MAX_FILTERS:
        raise WrongParameterError(f"there are more than {_MAX_FILTERS} filters")
    for field, values in _by_field("is", given).items():
        filters.append(_test(field, values))
    for field, values in _by_field("has", given).items():
        filters.append(_test(field, values, Match.CONTAINS))
    for field, values in _by_field("not", given).items():
        filters.append(Not(_test(field, values)))
    return filters


def _test(field: str, values: list[str], match: Match = Match.IS) -> Test:
    if FIELDS[field].kind is Kind.NUMBER:
        if not all(map(_WHOLE.fullmatch, values)):
            raise WrongParameterError(f"{field} is a number")
        return Test(field, tuple(map(int, values)))
    return Test(field, tuple(values), match, any_case=match is Match.CONTAINS)


def _by_field(name: str, given: "QueryParams") -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for text in given.getlist(name):
        field, colon, value = text.partition(":")
        if not colon or field not in FIELDS or FIELDS[field].kind is Kind.TIME:
            raise WrongParameterError(f"write {name}=FIELD:VALUE; the fields are {', '.join(searched_fields())}")
        found[field].append(value)
    return found


def searched_fields() -> list[str]:
    """The names of the fields that can be searched by value."""
    return [name for name, field in FIELDS.items() if field.kind is not Kind.TIME]


def _moment(name: str, given: "QueryParams") -> datetime | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongParameterError(f"{name} is a time such as 2026-11-21T22:00:00Z") from None
    if moment.tzinfo is None:
        raise WrongParameterError(f"{name} has no offset; write it like 2026-11-21T22:00:00Z")
    return moment


def _number(name: str, given: "QueryParams", default: int, most: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise WrongParameterError(f"{name} is a number from 0 to {most}")
    return int(text)
