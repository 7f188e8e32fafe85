"""The lines of events that the index has found, each proven to be what the index says."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.archive.errors import UnreadableError
from auditwire.search.engine import Hit
from auditwire.search.scan import pick

if TYPE_CHECKING:
    from auditwire.archive.found import Found
    from auditwire.search.answer import Coverage
    from auditwire.search.matching import Matcher
    from auditwire.search.objects import Archived
    from auditwire.search.place import Objects


class Pointer(NamedTuple):
    """Where the index has found an event: when it is kept, in which object, and which of its lines it is."""

    at: str
    key: str
    number: int


class DifferentError(Exception):
    """The index says of an object what it does not say itself. ``key`` is that of the object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def proven(
    place: "Objects",
    pointers: Sequence[Pointer],
    listed: "Mapping[str, Archived]",
    matcher: "Matcher",
    coverage: "Coverage",
) -> list[Hit]:
    """The events at these places, with their lines. What cannot be read is left out and noted. Raises
    DifferentError."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for pointer in pointers:
        numbers[pointer.key].add(pointer.number)
    lines: dict[str, dict[int, Found]] = {}
    with ThreadPoolExecutor(MAX_AHEAD) as pool:
        wanted = [(listed[key], frozenset(of_key)) for key, of_key in numbers.items()]
        for (one, _), picked in read_ahead(pool, wanted, partial(_picked, place), lambda each: each[0].size):
            coverage.bytes += one.size
            if isinstance(picked, UnreadableError):
                coverage.unreadable.append(str(picked))
            else:
                lines[one.key] = picked
    return [_hit(pointer, lines[pointer.key], matcher) for pointer in pointers if pointer.key in lines]


def _picked(place: "Objects", wanted: "tuple[Archived, frozenset[int]]") -> "dict[int, Found] | UnreadableError":
    try:
        return pick(place, *wanted)
    except UnreadableError as error:
        return error


def _hit(pointer: Pointer, lines: "Mapping[int, Found]", matcher: "Matcher") -> Hit:
    found = lines.get(pointer.number)
    if found is None or found.at != pointer.at or not matcher.matches(found):
        raise DifferentError(pointer.key)
    return Hit(found, pointer.key, pointer.number)
