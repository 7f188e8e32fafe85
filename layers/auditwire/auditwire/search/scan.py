"""The plain scan: reads every object of the hours in question and picks out what matches. It needs no index."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

import msgspec

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.archive.errors import UnreadableError
from auditwire.archive.found import Found, found_in
from auditwire.archive.keys import kept_at
from auditwire.archive.needle import Needle
from auditwire.archive.stored_lines import inflated_blocks
from auditwire.events.line import event_part
from auditwire.search.engine import Hit
from auditwire.search.matching import Matcher
from auditwire.search.objects import Archived, hours_of
from auditwire.search.price import Price, of_reading
from auditwire.search.sums import Sums

if TYPE_CHECKING:
    from auditwire.search.answer import Coverage, Summary
    from auditwire.search.place import Objects
    from auditwire.search.query import Page, Query, Wanted

Hour = tuple[str, list[Archived]]

_NO_LIMIT: Final = 1 << 62


@dataclass(slots=True)
class Content:
    """The matches in an object, and the first thing in it that could not be read."""

    hits: list[Hit] = field(default_factory=list)
    damage: UnreadableError | None = None


class Scan:
    """An Engine that reads lines. Holds some MiB of a few objects in memory, and the matches of an hour, or as many of
    them as a page needs."""

    name = "scan"

    def __init__(self, place: "Objects") -> None:
        self._place = place

    def price(self, query: "Query") -> Price:
        """What it costs at most to answer a query."""
        objects = [one for _, of_hour in hours_of(self._place, query) for one in of_hour]
        return of_reading(len(objects), sum(one.size for one in objects))

    def rows(self, query: "Query", page: "Page", coverage: "Coverage") -> Iterator[Hit]:
        """See Engine.rows."""
        coverage.engine = self.name
        hours = hours_of(self._place, query, newest=page.newest)
        yield from paged(hits_in(self._place, hours, query, page, coverage), page, coverage)

    def summarise(self, query: "Query", wanted: "Wanted", coverage: "Coverage") -> "Summary":
        """See Engine.summarise."""
        coverage.engine = self.name
        sums = Sums(wanted)
        for found in found_in_objects(self._place, hours_of(self._place, query), query, coverage):
            sums.add(found)
        return sums.summary()


def order_of(hit: Hit) -> tuple[str, str, int]:
    """By what hits are ordered: the time under which an event is kept, then where it lies."""
    return (hit.found.at, hit.key, hit.number)


def each_once(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Of hits in order, of each time and event the first, with the number of its repeats."""
    for _, of_time in groupby(hits, key=lambda hit: hit.found.at):
        first: dict[tuple[str, bytes], Hit] = {}
        for hit in of_time:
            event = (hit.found.cluster, event_part(hit.found.line))
            known = first.get(event)
            first[event] = hit if known is None else _repeated(known, hit)
        yield from first.values()


def _repeated(first: Hit, repeat: Hit) -> Hit:
    repeats = first.found.repeats + 1 + repeat.found.repeats
    return Hit(msgspec.structs.replace(first.found, repeats=repeats), first.key, first.number)


def paged(hits: Iterator[Hit], page: "Page", coverage: "Coverage") -> Iterator[Hit]:
    """The hits of a page, of all hits in its order; notes whether there are more."""
    for number, hit in enumerate(each_once(hits) if page.once else hits):
        if page.limit is not None and number >= page.offset + page.limit:
            coverage.cut_off = coverage.cut_off or "limit"
            return
        if number >= page.offset:
            yield hit


def hits_in(
    place: "Objects", hours: Iterable[Hour], query: "Query", page: "Page", coverage: "Coverage"
) -> Iterator[Hit]:
    """The matches in these objects in the order of a page, and at least one more than it needs, if there are any."""
    needed = _NO_LIMIT if page.limit is None else page.offset + page.limit + 1

    def ordered(hits: list[Hit]) -> list[Hit]:
        several: Iterable[Hit] = sorted(hits, key=order_of, reverse=page.newest)
        return list(islice(each_once(several) if page.once else several, needed))

    def best(hits: list[Hit]) -> list[Hit]:
        return ordered(hits) if len(hits) > 2 * needed else hits

    contents = _contents(place, hours, query, coverage, best)
    # An object holds events of its hour only, so nothing of another hour can come between them.
    for _, of_hour in groupby(contents, key=lambda one: one[0].hour):
        hits: list[Hit] = []
        for _, content in of_hour:
            hits = best(hits + content.hits)
        yield from ordered(hits)


def found_in_objects(place: "Objects", hours: Iterable[Hour], query: "Query", coverage: "Coverage") -> Iterator[Found]:
    """The matches in these objects, in no particular order."""
    for _, content in _contents(place, hours, query, coverage, lambda hits: hits):
        yield from (hit.found for hit in content.hits)


def _contents(
    place: "Objects",
    hours: Iterable[Hour],
    query: "Query",
    coverage: "Coverage",
    best: Callable[[list[Hit]], list[Hit]],
) -> Iterator[tuple[Archived, Content]]:
    matcher = Matcher(query)
    with ThreadPoolExecutor(MAX_AHEAD) as pool:
        objects = _objects(hours, coverage)
        read = partial(_matches, place, matcher, best)
        for archived, content in read_ahead(pool, objects, read, lambda one: one.size):
            coverage.scanned += 1
            coverage.bytes += archived.size
            coverage.covers(archived.hour)
            if content.damage:
                coverage.unreadable.append(str(content.damage))
            yield archived, content


def _objects(hours: Iterable[Hour], coverage: "Coverage") -> Iterator[Archived]:
    for hour, objects in hours:
        coverage.reading(hour)
        for each in objects:
            if not coverage.may_go_on():
                coverage.cut_off = "time"
                return
            yield each


def _matches(place: "Objects", matcher: Matcher, best: Callable[[list[Hit]], list[Hit]], archived: Archived) -> Content:
    content = Content()
    try:
        for number, found in _lines_read(place, archived, matcher.needle, content):
            if matcher.matches(found):
                content.hits.append(Hit(found, archived.key, number))
                content.hits = best(content.hits)
    except UnreadableError as error:
        content.damage = error
    return content


def _lines_read(
    place: "Objects", archived: Archived, needle: Needle | None, content: Content
) -> Iterator[tuple[int, Found]]:
    """The events of an object with the numbers of their lines, from 0; with a needle only those that it may be in."""
    at = partial(kept_at, t=archived.t)
    number = 0
    name = place.name(archived.key)
    for block in inflated_blocks(place.read(archived.key), name):
        for position, line in _numbered(block, needle):
            try:
                yield number + position, found_in(line, name, at, archived.cluster)
            except UnreadableError as error:
                content.damage = content.damage or error
        number += block.count(b"\n")


def pick(place: "Objects", archived: Archived, numbers: frozenset[int]) -> dict[int, Found]:
    """The events of some lines of an object, as far as it has these lines. Raises UnreadableError."""
    at = partial(kept_at, t=archived.t)
    picked: dict[int, Found] = {}
    number = 0
    name = place.name(archived.key)
    for block in inflated_blocks(place.read(archived.key), name):
        lines = block.removesuffix(b"\n").split(b"\n")
        for position in numbers.intersection(range(number, number + len(lines))):
            picked[position] = found_in(lines[position - number], name, at, archived.cluster)
        number += len(lines)
    return picked


def _numbered(block: bytes, needle: Needle | None) -> Iterator[tuple[int, bytes]]:
    if needle is None:
        yield from enumerate(block.removesuffix(b"\n").split(b"\n"))
        return
    number = passed = 0
    for begin, stop in needle.spans(block):
        number += block.count(b"\n", passed, begin)
        passed = begin
        yield number, block[begin:stop]
