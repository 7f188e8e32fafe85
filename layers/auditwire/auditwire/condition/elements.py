"""``any P[*] (…)``: a condition on one element, for which the keys of the element are the fields."""

from dataclasses import dataclass
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.evaluate import Bound, Leaf, evaluate, root_index_of
from auditwire.condition.fields import Field, FieldTable, FreeFields, Kind
from auditwire.condition.paths import judge_of, steps_of
from auditwire.condition.syntax import AnyElement, AnyOf, Path, Reference

ELEMENT_FIELDS: Final = FreeFields()
"""The fields inside of an ``any``: the keys of the element, in exact case."""


@dataclass(frozen=True, slots=True, eq=False)
class ElementTest(Leaf):
    """``any P[*] (…)`` ready to run, with the condition on one element."""

    condition: Bound


def field_of_elements(node: AnyOf, fields: FieldTable) -> Field | Finding:
    """The field whose elements an ``any`` looks at, or the finding that refuses it (AW102, AW105, AW112, AW124)."""
    path = node.field
    if isinstance(path, Reference):
        return Finding("AW105", f"${{{path.name}}} is not defined", "define it as an alias", path.offset)
    field = fields.resolve(path)
    if isinstance(field, Finding):
        return field
    last = path.segments[-1]
    if not isinstance(last.index, AnyElement) and not (last.is_pattern and last.index is None):
        hint = f"write any {path.text}[*] (…)" if last.index is None else "write [*]: any looks for one element itself"
        return Finding("AW124", f"any looks through elements, and {path.text} does not say which", hint, path.offset)
    if field.kind is not Kind.JSON:
        message = f"the elements of {field.name} are texts, which have no keys"
        return Finding("AW124", message, f"compare {path.text} itself", path.offset)
    return field


def element_test(node: AnyOf, field: Field, condition: Bound) -> ElementTest:
    """The ``any`` ready to run. An element that is no object satisfies nothing."""
    steps = steps_of(field.rest, root_index_of(node.field, field) if isinstance(node.field, Path) else None)
    judge = judge_of(steps, lambda element: isinstance(element, dict) and evaluate(condition, element))
    return ElementTest(node, field, steps, judge, condition)
