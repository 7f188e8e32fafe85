"""A checked expression to a ``Condition`` that judges events. Needs no parser: functions build their rules here."""

from typing import Any

from auditwire.condition.codegen import generate
from auditwire.condition.elements import ELEMENT_FIELDS, element_test, field_of_elements
from auditwire.condition.errors import Finding, UnexpectedTypeError
from auditwire.condition.evaluate import Bound, Leaf, bind_comparison, evaluate
from auditwire.condition.fields import FieldTable
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Reference, replace_leaves


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
    """Makes expressions ready to run over one field table; equal tests become one leaf."""

    def __init__(self, fields: FieldTable) -> None:
        self._fields = fields
        self._leaves: dict[Comparison | AnyOf, Leaf] = {}
        self._of_elements: Binder | None = None

    def bind(self, node: Expression) -> Bound:
        """The expression, each comparison ready to run.

        Raises ``TypeError`` where ``check`` would have found something, or for a reference that was not put in.
        """
        return replace_leaves(node, self._leaf)

    def _leaf(self, leaf: Comparison | AnyOf | Reference) -> Leaf:
        if isinstance(leaf, Reference):
            raise TypeError(f"${{{leaf.name}}} was not resolved")
        bound = self._leaves.get(leaf)
        if bound is None:
            bound = self._leaves[leaf] = self._any(leaf) if isinstance(leaf, AnyOf) else self._atom(leaf)
        return bound

    def _atom(self, comparison: Comparison) -> Leaf:
        bound = bind_comparison(comparison, self._fields)
        if isinstance(bound, Finding):
            raise TypeError(bound.message)
        return bound

    def _any(self, node: AnyOf) -> Leaf:
        field = field_of_elements(node, self._fields)
        if isinstance(field, Finding):
            raise TypeError(field.message)
        if self._of_elements is None:
            self._of_elements = Binder(ELEMENT_FIELDS)
        return element_test(node, field, self._of_elements.bind(node.condition))
