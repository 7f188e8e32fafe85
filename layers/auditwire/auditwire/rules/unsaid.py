"""What a patch does not say: it is missing from the pod specification, and may be there all the same."""

from collections.abc import Iterator
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, FieldTable
from auditwire.condition.precedence import spell
from auditwire.condition.remarks import cut
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Not, Operator, Path, Reference, children, leaves
from auditwire.documents.diagnostics import Severity

_ASKED_FOR: Final = ("PodSpec", "Containers")


def unsaid_in_patches(expression: Expression, fields: FieldTable) -> list[Finding]:
    """Tests (AW125) that hold where a patch says nothing about a part of ``PodSpec`` or ``Containers``.

    The expression is expanded. One that tests the verb says itself which requests it is about.
    """
    if any(_name(leaf.field, fields) == "Verb" for leaf in leaves(expression) if not isinstance(leaf, Reference)):
        return []
    return list(_missing(expression, fields, is_denied=False, is_asked_for=False))


def _missing(node: Expression, fields: FieldTable, *, is_denied: bool, is_asked_for: bool) -> Iterator[Finding]:
    if isinstance(node, AnyOf):
        is_of_any = is_asked_for or _name(node.field, fields) in _ASKED_FOR
        yield from _missing(node.condition, fields, is_denied=is_denied, is_asked_for=is_of_any)
    elif isinstance(node, Comparison):
        is_about = is_asked_for or _name(node.field, fields) in _ASKED_FOR
        if is_about and node.operator is Operator.EXISTS and node.negated is not is_denied:
            # The test may stand in a macro, so the finding is about the condition as a whole.
            yield Finding(
                "AW125",
                f"a patch that says nothing about it makes {cut(spell(node))} {'false' if is_denied else 'true'}",
                'add a test of Verb, such as Verb in ("create", "update")',
                severity=Severity.WARNING,
            )
    for operand in children(node):
        is_inner = is_denied is not isinstance(node, Not)
        yield from _missing(operand, fields, is_denied=is_inner, is_asked_for=is_asked_for)


def _name(path: Path | Reference, fields: FieldTable) -> str:
    field = fields.resolve(path) if isinstance(path, Path) else None
    return field.name if isinstance(field, Field) else ""
