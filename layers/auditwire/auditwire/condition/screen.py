"""Which conditions an event can still match, by the values of fields that repeat from event to event.

Most conditions ask for a verb, a resource, a namespace. So for each such field a table says, value by value, which
conditions that value leaves possible, as the bits of one integer; the tables of all fields, ``&``-ed, leave the few
conditions the event is worth trying. What one value rules out is found by running the tests of the conditions on it,
once: from then on all of them together cost one lookup.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast

from auditwire.condition.codegen import Scope
from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import Atom, Bound, Leaf, is_false_of_nothing, leaves_of
from auditwire.condition.fields import Field, Kind
from auditwire.condition.memory import Remembered
from auditwire.condition.operators import Test, spelling
from auditwire.condition.syntax import And, AnyElement, Not, Number, Operator, Or, Text
from auditwire.condition.values import parse_number, text_of


class Screen:
    """``possible(event)`` has the bit of each condition that the event can still match.

    ``rests`` are what then remains to be tested of each; None where nothing does, so that the condition holds.
    """

    def __init__(self, conditions: Sequence[Bound], searches: Mapping[Atom, Test]) -> None:
        tables: dict[str, tuple[Field, _Table]] = {}
        everything = (1 << len(conditions)) - 1
        self.rests: list[Bound | None] = []
        for position, condition in enumerate(conditions):
            rest: list[Any] = []
            for part, may_raise in _parts(condition):
                field = _repeating_field(part)
                if field is None or may_raise:
                    rest.append(part)
                    for other, values in () if may_raise else _implied(part).values():
                        _, table = tables.setdefault(str(other.expression), (other, _Table(everything, searches)))
                        table.ask(values, position)
                else:
                    _, table = tables.setdefault(str(field.expression), (field, _Table(everything, searches)))
                    table.add(part, position)
            self.rests.append(And(tuple(rest)) if len(rest) > 1 else rest[0] if rest else None)
        self._everything = everything
        self._tables = [(field, Remembered(table.leaves)) for field, table in tables.values()]
        scope = Scope()
        # True and 1 are one key, but no field of an event that is decoded as a number ever holds a boolean.
        lookups = [f"{scope.constant(table)}[{scope.load(field)}]" for field, table in self._tables]
        self.possible: Callable[[Any], int] = scope.define(
            "possible(event)", [f"return {' & '.join(lookups) or scope.constant(everything)}"]
        )

    def possible_without(self, event: Any, unknown: AbstractSet[str]) -> int:
        """The conditions that an event may match or fail to judge, whatever its members ``unknown`` were."""
        possible = self._everything
        try:
            for field, table in self._tables:
                if not field.is_unknown(event, unknown):
                    possible &= table[field.load(event)]
        except (EvaluationError, TypeError):
            # A test cannot judge a value. Nothing may be ruled out before it.
            return self._everything
        return possible


class _Table:
    """The parts of conditions that look at one field, and which conditions they are part of."""

    def __init__(self, everything: int, searches: Mapping[Atom, Test]) -> None:
        self._everything = everything
        self._searches = searches
        self._asking = 0
        self._asking_for: dict[str, int] = {}
        self._others: dict[Any, int] = {}

    def add(self, part: Any, position: int) -> None:
        """Note that a condition holds only where this part of it does."""
        bit = 1 << position
        wanted = _wanted(part)
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

    def leaves(self, value: Any) -> int:
        """The conditions that a value of the field leaves possible. Raises ``EvaluationError`` as their tests do."""
        asked = 0 if value is None else self._asking_for.get(text_of(value), 0)
        possible = self._everything & ~self._asking | asked
        for part, conditions in self._others.items():
            if not self._holds(part, value):
                possible &= ~conditions
        return possible

    def _holds(self, node: Any, value: Any) -> bool:
        if isinstance(node, Atom):
            search = self._searches.get(node) if type(value) is str else None
            return node.judge(value) if search is None else search(value) is not node.comparison.negated
        if isinstance(node, Not):
            return not self._holds(node.operand, value)
        if isinstance(node, And):
            return all(self._holds(operand, value) for operand in node.operands)
        return any(self._holds(operand, value) for operand in node.operands)


def _parts(condition: Bound) -> Iterator[tuple[Bound, bool]]:
    """The operands of an ``and``, each with whether one before it may raise.

    Behind such a one nothing may be taken out of turn: what it rules out would keep the error from being counted.
    """
    raised = False
    for operand in dict.fromkeys(_conjuncts(condition)):  # what macros repeat counts once
        yield operand, raised
        raised = raised or not all(map(never_raises, leaves_of(operand)))


def _conjuncts(node: Any) -> Iterator[Bound]:
    """What all has to hold for a condition to hold, in the order of its text: ``not (a or b)`` is ``not a and not b``,
    tried as far as that."""
    if isinstance(node, And):
        for operand in node.operands:
            yield from _conjuncts(operand)
    elif isinstance(node, Not) and isinstance(node.operand, Or):
        for operand in node.operand.operands:
            yield from _conjuncts(Not(operand))
    else:
        yield node


def _implied(part: Bound) -> dict[str, tuple[Field, frozenset[str]]]:
    """Fields with values, of which a part needs one to be true: where a field has another value, the part is false and
    raises nothing."""
    if isinstance(part, Leaf):
        needed = part.field.only_where if is_false_of_nothing(part) else ()
        return {str(field.expression): (field, values) for field, values in needed}
    if isinstance(part, And):
        found: dict[str, tuple[Field, frozenset[str]]] = {}
        for operand in part.operands:
            found = {**_implied(cast("Bound", operand)), **found}
            if not all(map(never_raises, leaves_of(cast("Bound", operand)))):
                break
        return found
    if isinstance(part, Or):
        each = [_implied(cast("Bound", operand)) for operand in part.operands]
        return {
            key: (field, frozenset(value for one in each for value in one[key][1]))
            for key, (field, _) in each[0].items()
            if all(key in one for one in each)
        }
    return {}


def _repeating_field(part: Bound) -> Field | None:
    """The one field that a part looks at, if its values repeat and the part judges every value of it."""
    found: Field | None = None
    for leaf in leaves_of(part):
        field = leaf.field
        if not field.repeats or not leaf.is_plain or not never_raises(leaf):
            return None
        if found is not None and found.expression != field.expression:
            return None
        found = field
    return found


def _wanted(part: Bound) -> frozenset[str]:
    """The values of which a part wants one; empty for parts of another kind."""
    if not isinstance(part, Atom) or part.comparison.negated or part.comparison.lowered:
        return frozenset()
    operands = part.comparison.operands
    if part.comparison.operator is Operator.IN or (
        part.comparison.operator is Operator.EQUAL and isinstance(operands[0], Text)
    ):
        return frozenset(map(spelling, operands))
    return frozenset()


def never_raises(atom: Leaf) -> bool:
    """Whether a test can judge every value that its field can hold.

    RE2 cannot judge a lone surrogate. In a field that has a table this counts for nothing: the table asks each test of
    a new value, so the error comes to light whatever the order.
    """
    if not isinstance(atom, Atom):
        return False
    operator, operands = atom.comparison.operator, atom.comparison.operands
    if _searches(atom) and not atom.field.repeats:
        return False
    kind, index = atom.field.kind, atom.steps[0].index
    any_element = kind is Kind.TEXTS and isinstance(index, AnyElement) and len(atom.steps) == 1
    if kind is Kind.JSON or operator is Operator.TRUTH or not (atom.is_plain or any_element):
        return False
    if operator is Operator.EXISTS or operator.goes_by_text or isinstance(operands[0], Text):
        return True
    literal = operands[0]
    return kind is Kind.NUMBER and isinstance(literal, Number) and parse_number(literal.spelling) is not None


def _searches(atom: Atom) -> bool:
    """Whether RE2 looks for the pattern: always for ``regex``, for ``like`` where it has a question mark."""
    comparison = atom.comparison
    return comparison.operator is Operator.REGEX or (
        comparison.operator is Operator.LIKE and "?" in spelling(comparison.operands[0])
    )
