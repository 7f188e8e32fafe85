"""The meaning of a condition in one form: equal for conditions that differ in order, casing of fields and layout."""

from auditwire.condition.elements import ELEMENT_FIELDS
from auditwire.condition.evaluate import root_index_of
from auditwire.condition.fields import Field, FieldTable
from auditwire.condition.syntax import And, AnyOf, Comparison, Expression, Not, Or, Path

Meaning = tuple[object, ...]


def canonical(node: Expression, fields: FieldTable) -> Meaning:
    """A hashable form of an expression that holds no references. Recursion goes as deep as the expression."""
    if isinstance(node, And | Or):
        parts = frozenset(canonical(operand, fields) for operand in node.operands)
        return (type(node).__name__, parts)
    if isinstance(node, Not):
        return ("Not", canonical(node.operand, fields))
    if isinstance(node, AnyOf):
        return ("AnyOf", _field(node, fields), canonical(node.condition, ELEMENT_FIELDS))
    if isinstance(node, Comparison):
        operands: object = node.operands
        if node.operator.takes_list:
            operands = frozenset(node.operands)
        return (node.operator, node.negated, node.lowered, operands, _field(node, fields))
    raise TypeError(f"${{{node.name}}} was not put in")


def _field(comparison: Comparison | AnyOf, fields: FieldTable) -> Meaning:
    path = comparison.field
    field = fields.resolve(path) if isinstance(path, Path) else None
    if not isinstance(path, Path) or not isinstance(field, Field):
        return (path,)
    return (field.name, root_index_of(path, field), field.rest)
