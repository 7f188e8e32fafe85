"""A checked expression to a ``Condition`` that judges events. Needs no parser: functions build their rules here."""

from collections.abc import Callable
from typing import Any

from auditwire.condition.codegen import generate
from auditwire.condition.evaluate import Atom, bind_comparison
from auditwire.condition.fields import FieldTable
from auditwire.condition.syntax import And, Expression, Not, Or, Reference


class Condition:
    """A compiled condition."""

    __slots__ = ("_function", "expression")

    def __init__(self, expression: Expression, function: Callable[[Any], bool]) -> None:
        self.expression = expression
        self._function = function

    def evaluate(self, event: Any) -> bool:
        """Whether the condition holds for one event.

        Raises ``EvaluationError`` where it meets a value it cannot judge: then the rule does not match.
        """
        return self._function(event)


def assemble(expression: Expression, fields: FieldTable) -> Condition:
    """The condition of an expression that ``check`` found nothing wrong with and that holds no references."""
    return Condition(expression, generate(bind(expression, fields)))


def bind(node: Expression, fields: FieldTable) -> Any:
    """The expression, each comparison ready to run. Raises ``TypeError`` where ``check`` would have found something."""
    if isinstance(node, And):
        return And(tuple(bind(operand, fields) for operand in node.operands))
    if isinstance(node, Or):
        return Or(tuple(bind(operand, fields) for operand in node.operands))
    if isinstance(node, Not):
        return Not(bind(node.operand, fields))
    if isinstance(node, Reference):
        raise TypeError(f"${{{node.name}}} was not resolved")
    bound = bind_comparison(node, fields)
    if not isinstance(bound, Atom):
        raise TypeError(bound.message)
    return bound
