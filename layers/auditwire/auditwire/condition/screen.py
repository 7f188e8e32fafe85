"""Which conditions an event can still match, by the values of fields that repeat from event to event.

Most conditions ask for a verb, a resource, a namespace. So for each such field a table says, value by value, which
conditions that value leaves possible, as the bits of one integer; the tables of all fields, ``&``-ed, leave the few
conditions the event is worth trying. What one value rules out is found by running the tests of the conditions on it,
once: from then on all of them together cost one lookup.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from auditwire.condition.codegen import Scope
from auditwire.condition.evaluate import Atom, Bound
from auditwire.condition.memory import Remembered
from auditwire.condition.operators import Test
from auditwire.condition.parts import field_of, implied, parts_of
from auditwire.condition.syntax import And
from auditwire.condition.value_table import ValueTable

if TYPE_CHECKING:
    from auditwire.condition.fields import Field


class Screen:
    """``possible(event)`` has the bit of each condition that the event can still match.

    ``rests`` are what then remains to be tested of each; None where nothing does, so that the condition holds. Operands
    that are equal are one there.
    """

    def __init__(self, conditions: Sequence[Bound], searches: Mapping[Atom, Test]) -> None:
        tables: dict[str, tuple[Field, ValueTable]] = {}
        everything = (1 << len(conditions)) - 1
        self.rests: list[Bound | None] = []
        shared: dict[Any, Any] = {}
        self.taken_out: set[str] = set()
        """The top-level members of an event that what the rests lack looks at."""
        for position, condition in enumerate(conditions):
            rest: list[Any] = []
            for part, may_raise in parts_of(condition):
                field = field_of(part)
                if field is None or may_raise:
                    rest.append(shared.setdefault(part, part))
                    for other, values in () if may_raise else implied(part).values():
                        _, table = tables.setdefault(str(other.expression), (other, ValueTable(everything, searches)))
                        table.ask(values, position)
                else:
                    _, table = tables.setdefault(str(field.expression), (field, ValueTable(everything, searches)))
                    table.add(part, position)
                    self.taken_out |= field.members
            self.rests.append(And(tuple(rest)) if len(rest) > 1 else rest[0] if rest else None)
        self._everything = everything
        for _, table in tables.values():
            table.close()
        self._tables = [(field, Remembered(table.leaves)) for field, table in tables.values()]
        scope = Scope()
        # True and 1 are one key, but no field of an event that is decoded as a number ever holds a boolean.
        lookups = [f"{scope.constant(table)}[{scope.load(field)}]" for field, table in self._tables]
        self.possible: Callable[[Any], int] = scope.define(
            "possible(event)", [f"return {' & '.join(lookups) or scope.constant(everything)}"]
        )

    def possible_without(self, event: Any, unknown: AbstractSet[str]) -> int:
        """The conditions that an event may match or fail to judge, whatever its members ``unknown`` were.

        Raises ``EvaluationError`` or ``TypeError`` where a test cannot judge a value: nothing may be ruled out then.
        """
        possible = self._everything
        for field, table in self._tables:
            if not field.is_unknown(event, unknown):
                possible &= table[field.load(event)]
        return possible
