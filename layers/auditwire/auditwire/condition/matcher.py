"""Many conditions as one matcher: which of them an event matches.

The screen (``screen.py``) rules out, by a few lookups, the conditions that the event's verb, resource, user and the
like make impossible, and of many others it knows that they hold. Only what is left open is tried: at first by walking
the trees, and where the same conditions stay open again and again, by one function generated for just these.

So a cold start generates nothing that does not pay. The meaning is that of the reference evaluator, condition by
condition; property tests hold that both agree.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from auditwire.condition.alternatives import alternatives_of
from auditwire.condition.body_screen import BodyScreen, Sift
from auditwire.condition.codegen import generate_all
from auditwire.condition.errors import EvaluationError, UnexpectedTypeError
from auditwire.condition.evaluate import Atom, Bound, evaluate, leaves_of
from auditwire.condition.memory import Remembered
from auditwire.condition.pattern_set import shared_searches
from auditwire.condition.screen import Screen

HOT: Final = 20
"""How often the same conditions stay open before a function is generated for them: about when it begins to pay."""

MAX_FUNCTIONS: Final = 256
"""How many functions a matcher generates, ever: which conditions stay open depends on values that clients choose."""

Find = Callable[[Any], Sequence[int]]


class Matcher:
    """Conditions, known by their positions. Events change nothing but what it remembers, which is bounded."""

    def __init__(self, conditions: Sequence[Bound], *, hot: int = HOT) -> None:
        tests = dict.fromkeys(leaf for node in conditions for leaf in leaves_of(node))
        self._searches = shared_searches(leaf for leaf in tests if isinstance(leaf, Atom))
        self._whose: list[int] = []
        alternatives: list[Bound] = []
        for position, condition in enumerate(conditions):
            for alternative in alternatives_of(condition):
                self._whose.append(position)
                alternatives.append(alternative)
        screen = Screen(alternatives, self._searches)
        self._possible = screen.possible
        self._possible_without = screen.possible_without
        self._taken_out = screen.taken_out
        self._conditions = conditions
        self._several = {position for position, count in Counter(self._whose).items() if count > 1}
        self._rests = screen.rests
        self._bodies = BodyScreen(alternatives)
        self._of_bodies = self._bodies.looked_at
        self._sift: Sift = self._count_bodies
        self._until_sifted = hot
        self._hot = hot
        self._functions_left = MAX_FUNCTIONS
        self._sorted_out = Remembered(self._sort_out)
        self._open = Remembered(self._open_conditions)
        self._left = Remembered(self._left_of)

    def match(self, event: Any) -> tuple[int, ...]:
        """The positions of the conditions an event matches, ascending.

        Raises ``EvaluationError`` where one of them meets a value it cannot judge, or a value of a type its field never
        has: then the caller judges them one by one with the reference evaluator.
        """
        try:
            possible = self._possible(event)
        except TypeError:
            raise UnexpectedTypeError from None
        if possible & self._of_bodies:
            possible = self._sift(event, possible)
        if not possible:
            return ()
        certain, unsure = self._sorted_out[possible]
        if unsure is None:
            return certain
        found = unsure.find(event)
        return tuple(sorted({*certain, *found})) if found else certain

    def left(self, event: Any, unknown: AbstractSet[str]) -> "Sequence[tuple[int, Bound | None]]":
        """The conditions that are to be judged one by one on an event whose members ``unknown`` are not known: the
        position of each, ascending, with what remains to be tested of it; None where nothing does, so that it holds.

        All others are false, and judge every value.
        """
        try:
            possible = self._possible_without(event, unknown)
        except (EvaluationError, TypeError):
            return list(enumerate(self._conditions))
        if self._taken_out.isdisjoint(unknown):
            return self._left[possible]
        return [(position, self._conditions[position]) for position in self._of_bits(possible)]

    def _left_of(self, possible: int) -> "Sequence[tuple[int, Bound | None]]":
        """What is left of those that are one alternative; all of others."""
        rests = {self._whose[bit]: self._rests[bit] for bit in _bits(possible)}
        return [
            (position, self._conditions[position] if position in self._several else rests[position])
            for position in self._of_bits(possible)
        ]

    def _of_bits(self, possible: int) -> list[int]:
        return list(dict.fromkeys(self._whose[bit] for bit in _bits(possible)))

    def _count_bodies(self, event: Any, possible: int) -> int:
        """Rules nothing out yet, until looking into bodies at once is worth generating."""
        self._until_sifted -= 1
        if self._until_sifted <= 0:
            self._sift = self._bodies.generate()
            return self._sift(event, possible)
        return possible

    def _sort_out(self, possible: int) -> "tuple[tuple[int, ...], _Open | None]":
        """Of the conditions that the screen leaves: those that hold already, and those that remain to be tested."""
        certain = [bit for bit in _bits(possible) if self._rests[bit] is None]
        unsure = possible & ~sum(1 << bit for bit in certain)
        return tuple(dict.fromkeys(self._whose[bit] for bit in certain)), self._open[unsure] if unsure else None

    def _open_conditions(self, unsure: int) -> "_Open":
        by_rest: dict[Bound, list[int]] = {}
        for bit in _bits(unsure):
            rest = self._rests[bit]
            if rest is not None:
                by_rest.setdefault(rest, []).append(self._whose[bit])
        return _Open(by_rest, self._generate, self._hot)

    def _generate(self, by_rest: Mapping[Bound, Sequence[int]]) -> Find | None:
        """A function for conditions that are open together; None where they are left to the walker: once there are as
        many functions as there may be, and where Python finds the conditions nested too deep."""
        if self._functions_left <= 0:
            return None
        self._functions_left -= 1
        try:
            return generate_all(by_rest, self._searches)
        except (SyntaxError, RecursionError, MemoryError):
            return None


class _Open:
    """Conditions that are open together: what remains of each, with the positions of those of which it remains."""

    __slots__ = ("_by_rest", "_generate", "_until_hot", "find")

    def __init__(
        self,
        by_rest: Mapping[Bound, Sequence[int]],
        generate: Callable[[Mapping[Bound, Sequence[int]]], Find | None],
        hot: int,
    ) -> None:
        self._by_rest = by_rest
        self._generate = generate
        self._until_hot = hot
        self.find: Find = self._walk
        """The positions of those an event matches. Raises ``EvaluationError``."""

    def _walk(self, event: Any) -> list[int]:
        self._until_hot -= 1
        if self._until_hot == 0:
            self.find = self._generate(self._by_rest) or self._walk
        matching = (positions for rest, positions in self._by_rest.items() if evaluate(rest, event))
        return [position for positions in matching for position in positions]


def _bits(number: int) -> Iterator[int]:
    """The positions of the bits that are set, ascending."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
