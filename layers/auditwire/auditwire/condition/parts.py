"""What has to hold for a condition to hold, part by part, and what each part asks of which field.

Whatever is ruled out by a part must be false without raising anything, in the order of the text: no error may be lost.
"""

from collections.abc import Iterator
from typing import Any, cast

from auditwire.condition.evaluate import Atom, Bound, Leaf, is_false_of_nothing, leaves_of
from auditwire.condition.fields import Field, Kind
from auditwire.condition.operators import spelling
from auditwire.condition.paths import KeyPattern
from auditwire.condition.syntax import And, AnyElement, Not, Number, Operator, Or, Text
from auditwire.condition.values import parse_number


def parts_of(condition: Bound) -> Iterator[tuple[Bound, bool]]:
    """The operands of an ``and``, each with whether one before it may raise.

    Behind such a one nothing may be taken out of turn: what it rules out would keep the error from being counted.
    """
    raised = False
    for operand in dict.fromkeys(conjuncts(condition)):  # what macros repeat counts once
        yield operand, raised
        raised = raised or not all(map(never_raises, leaves_of(operand)))


def conjuncts(node: Any) -> Iterator[Bound]:
    """What all has to hold for a condition to hold, in the order of its text: ``not (a or b)`` is ``not a and not b``,
    tried as far as that."""
    if isinstance(node, And):
        for operand in node.operands:
            yield from conjuncts(operand)
    elif isinstance(node, Not) and isinstance(node.operand, Or):
        for operand in node.operand.operands:
            yield from conjuncts(Not(operand))
    else:
        yield node


def implied(part: Bound) -> dict[str, tuple[Field, frozenset[str]]]:
    """Fields with values, of which a part needs one to be true: where a field has another value, the part is false and
    raises nothing."""
    if isinstance(part, Leaf):
        needed = part.field.only_where if is_false_of_nothing(part) else ()
        if field_of(part) is not None and wanted_values(part):
            needed = (*needed, (part.field, wanted_values(part)))
        return {str(field.expression): (field, values) for field, values in needed}
    if isinstance(part, And):
        found: dict[str, tuple[Field, frozenset[str]]] = {}
        for operand in part.operands:
            found = {**implied(cast("Bound", operand)), **found}
            if not all(map(never_raises, leaves_of(cast("Bound", operand)))):
                break
        return found
    if isinstance(part, Or):
        each = [implied(cast("Bound", operand)) for operand in part.operands]
        return {
            key: (field, frozenset(value for one in each for value in one[key][1]))
            for key, (field, _) in each[0].items()
            if all(key in one for one in each)
        }
    return {}


def field_of(part: Bound) -> Field | None:
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


def wanted_values(part: Bound) -> frozenset[str]:
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
    if kind is Kind.JSON:
        # An index may stand on what is no array. Below a pattern of keys it never does.
        any_element = all(isinstance(step.index, KeyPattern | None) for step in atom.steps)
    if operator is Operator.TRUTH or not (atom.is_plain or any_element):
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
