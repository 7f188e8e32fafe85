"""What follows from a value of one field: the conditions that it leaves possible.

Users, agents and addresses may be new with every event. So what is worked out for a new one is little. Most tests ask
for certain values, and to all of those a value that none of them names is alike. The other tests put it into one of few
classes, and what follows from a class is remembered.
"""

from collections.abc import Callable, Mapping
from typing import Any

from auditwire.condition.evaluate import Atom, leaves_of
from auditwire.condition.memory import Remembered
from auditwire.condition.operators import Test, spelling
from auditwire.condition.parts import wanted_values
from auditwire.condition.syntax import And, Comparison, Not, Operator, Text
from auditwire.condition.values import text_of


class ValueTable:
    """The parts of conditions that look at one field, and which conditions they are part of."""

    def __init__(self, everything: int, searches: Mapping[Atom, Test]) -> None:
        self._everything = everything
        self._searches = searches
        self._asking = 0
        self._asking_for: dict[str, int] = {}
        self._others: dict[Any, int] = {}
        self._named: set[str] = set()
        self._tests: dict[Comparison, tuple[int, Test]] = {}
        self._places: dict[Atom, int] = {}
        self._all_tests: list[Test] = []
        self._of_class = Remembered(self._left_by_class)

    def add(self, part: Any, position: int) -> None:
        """Note that a condition holds only where this part of it does."""
        bit = 1 << position
        wanted = wanted_values(part)
        if wanted and not self._asking & bit:
            # Tests for certain values are looked up, however many there are.
            self.ask(wanted, position)
        else:
            self._others[part] = self._others.get(part, 0) | bit

    def ask(self, values: frozenset[str], position: int) -> None:
        """Note that a condition holds only for these values, unless it asks for certain values already."""
        bit = 1 << position
        if self._asking & bit:
            return
        self._asking |= bit
        for value in values:
            self._asking_for[value] = self._asking_for.get(value, 0) | bit

    def close(self) -> None:
        """Makes ready what new values are judged by, once all conditions are noted."""
        for atom in dict.fromkeys(leaf for part in self._others for leaf in leaves_of(part)):
            if not isinstance(atom, Atom):
                continue
            if _asks_for_values(atom):
                self._named.update(map(spelling, atom.comparison.operands))
            else:
                place, _ = self._tests.setdefault(atom.comparison.positive, (len(self._tests), self._positive(atom)))
                self._places[atom] = place
        self._all_tests = [test for _, test in self._tests.values()]

    def leaves(self, value: Any) -> int:
        """The conditions that a value of the field leaves possible. Raises ``EvaluationError`` as their tests do."""
        asked = 0 if value is None else self._asking_for.get(text_of(value), 0)
        possible = self._everything & ~self._asking | asked
        if type(value) is not str or value in self._named:
            return possible & self._left_by(lambda atom: atom.judge(value))
        return possible & self._of_class[tuple([test(value) for test in self._all_tests])]

    def _left_by_class(self, found: tuple[bool, ...]) -> int:
        """The same for every value that no test names and of which the other tests say this."""

        def holds(atom: Atom) -> bool:
            place = self._places.get(atom)
            return (place is not None and found[place]) is not atom.comparison.negated

        return self._left_by(holds)

    def _left_by(self, holds: Callable[[Atom], bool]) -> int:
        possible = self._everything
        for part, conditions in self._others.items():
            if not _holds(part, holds):
                possible &= ~conditions
        return possible

    def _positive(self, atom: Atom) -> Test:
        """The test of a text, without its negation."""
        if atom.comparison.operator is Operator.EXISTS:
            return lambda value: atom.judge(value) is not atom.comparison.negated
        return self._searches.get(atom, atom.test)


def _asks_for_values(atom: Atom) -> bool:
    """Whether a test, or its negation, asks for certain texts."""
    comparison = atom.comparison
    is_equality = comparison.operator is Operator.EQUAL and isinstance(comparison.operands[0], Text)
    return (is_equality or comparison.operator is Operator.IN) and not comparison.lowered


def _holds(node: Any, holds: Callable[[Atom], bool]) -> bool:
    if isinstance(node, Atom):
        return holds(node)
    if isinstance(node, Not):
        return not _holds(node.operand, holds)
    if isinstance(node, And):
        return all(_holds(operand, holds) for operand in node.operands)
    return any(_holds(operand, holds) for operand in node.operands)
