"""A checked expression to a ``Condition`` that judges events. Needs no parser: functions build their rules here."""

from typing import Any

from auditwire.condition.codegen import generate
from auditwire.condition.errors import UnexpectedTypeError
from auditwire.condition.evaluate import Atom, Bound, bind_comparison, evaluate
from auditwire.condition.fields import FieldTable
from auditwire.condition.syntax import Comparison, Expression, Reference, replace_leaves


class Condition:
    """A compiled condition."""

    __slots__ = ("_bound", "_function", "expression")

    def __init__(self, expression: Expression, bound: Bound) -> None:
        self.expression = expression
        self._bound = bound
        self._function = generate(bound)

    def evaluate(self, event: Any) -> bool:
        """Whether the condition holds for one event.

        Raises ``EvaluationError`` where it meets a value it cannot judge: then the rule does not match.
        """
        try:
            return self._function(event)
        except UnexpectedTypeError:
            return evaluate(self._bound, event)


def assemble(expression: Expression, fields: FieldTable) -> Condition:
    """The condition of an expression that ``check`` found nothing wrong with and that holds no references."""
    return Condition(expression, Binder(fields).bind(expression))


class Binder:
    """Makes expressions ready to run over one field table; equal comparisons become one atom."""

    def __init__(self, fields: FieldTable) -> None:
        self._fields = fields
        self._atoms: dict[Comparison, Atom] = {}

    def bind(self, node: Expression) -> Bound:
        """The expression, each comparison ready to run.

        Raises ``TypeError`` where ``check`` would have found something, or for a reference that was not put in.
        """
        return replace_leaves(node, self._atom)

    def _atom(self, leaf: Comparison | Reference) -> Atom:
        if isinstance(leaf, Reference):
            raise TypeError(f"${{{leaf.name}}} was not resolved")
        atom = self._atoms.get(leaf)
        if atom is None:
            bound = bind_comparison(leaf, self._fields)
            if not isinstance(bound, Atom):
                raise TypeError(bound.message)
            atom = self._atoms[leaf] = bound
        return atom
