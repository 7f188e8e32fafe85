"""Which objects the index has, and which must be scanned: what is listed, less what the index's own notes name."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditwire.search.errors import OutOfTimeError
from auditwire.search.index_note import INDEX, IndexFile, Note, is_current, is_index_key, place_of
from auditwire.search.objects import Span, clusters_of, hours_of

if TYPE_CHECKING:
    from auditwire.search.answer import Coverage
    from auditwire.search.objects import Archived
    from auditwire.search.place import Listed, Objects
    from auditwire.search.query import Query


@dataclass(frozen=True, slots=True)
class Split:
    """The objects of a query: files of the index with the rows of some of them, and by hours those that are in none;
    ``listed`` are all of them by their keys."""

    files: list[IndexFile]
    unindexed: dict[str, list["Archived"]]
    listed: dict[str, "Archived"]


def index_listing(place: "Objects", query: "Query", coverage: "Coverage") -> "dict[str, Listed]":
    """The files of the index for the hours of a query, by their keys. Raises OutOfTimeError."""
    span = Span.of(query)
    found = {}
    for cluster in clusters_of(place, query):
        for day in place.folders(f"{INDEX}cluster={cluster}/").prefixes:
            if span.has_date(day.rpartition("=")[2].removesuffix("/")):
                for each in place.listing(day):
                    _go_on(coverage)
                    if is_index_key(each.key) and span.has(_hour_of(each.key)):
                        found[each.key] = each
    return found


def split(
    place: "Objects",
    query: "Query",
    files: "Mapping[str, Listed]",
    notes: Mapping[str, Note],
    coverage: "Coverage",
) -> Split:
    """Divides the objects of a query. ``notes`` are those of the files that can be believed. Raises OutOfTimeError."""
    listed: dict[str, Archived] = {}
    places: dict[str, dict[str, Archived]] = defaultdict(dict)
    for _, objects in hours_of(place, query):
        _go_on(coverage)
        for one in objects:
            listed[one.key] = one
            places[place_of(one.key)][one.key.rpartition("/")[2]] = one
    chosen: list[IndexFile] = []
    # Of several files with the same object one is used: the last, whatever the reason why there are several.
    for key in sorted(notes, reverse=True):
        note = notes[key]
        there = places.get(note.place, {})
        current = [each.name for each in note.objects if each.name in there and is_current(each, there[each.name])]
        keys = frozenset(there.pop(name).key for name in current)
        if keys:
            chosen.append(IndexFile(key, files[key].size, keys, len(keys) == len(note.objects)))
    unindexed: dict[str, list[Archived]] = defaultdict(list)
    for there in places.values():
        for one in there.values():
            unindexed[one.hour].append(one)
    for several in unindexed.values():
        several.sort(key=lambda one: (one.t, one.key))
    return Split(chosen, dict(unindexed), listed)


def _go_on(coverage: "Coverage") -> None:
    if not coverage.may_go_on():
        raise OutOfTimeError


def count_indexed(parts: Split, coverage: "Coverage") -> None:
    """Notes which objects an answer takes from the index."""
    for file in parts.files:
        coverage.indexed += len(file.objects)
        coverage.covers(_hour_of(file.key))


def _hour_of(key: str) -> str:
    place = place_of(key)
    date, _, hour = place.rpartition("date=")[2].partition("/hour=")
    return f"{date}T{hour.removesuffix('/')}"
