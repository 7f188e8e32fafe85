"""Bound conditions to Python functions.

``and``, ``or`` and ``not`` become Python's own; a test of a plain text field becomes an expression of its own; every
other comparison is a call of the function the reference evaluator uses, so that there is one meaning.
"""

from collections.abc import Callable
from typing import Any, Final

from auditwire.condition.evaluate import Atom
from auditwire.condition.fields import Kind
from auditwire.condition.syntax import And, Not, Number, Operator, Or, Text

_INLINE_ORDER: Final = {
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}


def generate(node: Any) -> Callable[[Any], bool]:
    """One function for a bound expression: takes an event, answers whether it matches.

    Raises ``EvaluationError`` as ``evaluate`` does. The source holds names and operators only; every literal is
    a constant passed beside it, so no text of a rule is ever run.
    """
    names: dict[str, Any] = {}
    source = f"def condition(event):\n    return {_expression(node, names)}\n"
    scope: dict[str, Any] = {**names, "__builtins__": {}}
    exec(compile(source, "<condition>", "exec"), scope)  # noqa: S102 - the source is ours, see above
    return scope["condition"]  # type: ignore[no-any-return]


def _expression(node: Any, names: dict[str, Any]) -> str:
    if isinstance(node, And):
        return f"({' and '.join(_expression(operand, names) for operand in node.operands)})"
    if isinstance(node, Or):
        return f"({' or '.join(_expression(operand, names) for operand in node.operands)})"
    if isinstance(node, Not):
        return f"(not {_expression(node.operand, names)})"
    atom: Atom = node
    return _inline(atom, names) or f"{_constant(atom.run, names)}(event)"


def _inline(atom: Atom, names: dict[str, Any]) -> str | None:
    """The test as an expression, where the field is a text that is never missing; otherwise None."""
    field, comparison = atom.field, atom.comparison
    plain = len(atom.steps) == 1 and atom.steps[0].index is None and not atom.steps[0].keys
    if field.kind is not Kind.TEXT or field.expression is None or not plain:
        return None
    load, negated = field.expression, comparison.negated
    if comparison.operator is Operator.EXISTS:
        return f"({load} {'==' if negated else '!='} '')"
    if comparison.operator is Operator.IN:
        items = frozenset(_spelled(operand) for operand in comparison.operands)
        return f"({load} {'not in' if negated else 'in'} {_constant(items, names)})"
    if len(comparison.operands) != 1:
        return None
    literal = comparison.operands[0]
    if comparison.operator is Operator.CONTAINS:
        return f"({_constant(_spelled(literal), names)} {'not in' if negated else 'in'} {load})"
    if not isinstance(literal, Text):
        return None
    if comparison.operator is Operator.EQUAL:
        return f"({load} {'!=' if negated else '=='} {_constant(literal.value, names)})"
    if comparison.operator in _INLINE_ORDER:
        return f"({load} {_INLINE_ORDER[comparison.operator]} {_constant(literal.value, names)})"
    call = f"{_constant(atom.test, names)}({load})"
    return f"(not {call})" if negated else call


def _spelled(literal: object) -> str:
    return literal.spelling if isinstance(literal, Number) else str(getattr(literal, "value", ""))


def _constant(value: Any, names: dict[str, Any]) -> str:
    name = f"k{len(names)}"
    names[name] = value
    return name
