"""A condition's text to a ``Condition``, or to everything that is wrong with it."""

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from auditwire.condition.assemble import Condition, assemble
from auditwire.condition.elements import ELEMENT_FIELDS, field_of_elements
from auditwire.condition.errors import ConditionError, Finding
from auditwire.condition.evaluate import bind_comparison
from auditwire.condition.fields import FieldTable, FreeFields
from auditwire.condition.parse import SyntaxFinding, parse
from auditwire.condition.portable import only_here
from auditwire.condition.precedence import Precedence, read
from auditwire.condition.remarks import MAX_FINDINGS
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Path, Reference, leaves, walk

Dialect = Literal["auditwire", "kubesphere"]


def compile_condition(
    text: str,
    *,
    precedence: Literal["strict", "kubesphere", "standard"] = "strict",
    dialect: Dialect = "auditwire",
    fields: FieldTable | None = None,
) -> Condition:
    """Compile the text of a condition.

    ``precedence``: how ``and``, ``or`` and ``not`` are read where KubeSphere and common practice differ; strict
    refuses those conditions. ``dialect="kubesphere"`` refuses what only auditwire understands. ``fields=None``
    means events are nested dictionaries with free field names in exact case.

    Raises ``ConditionError`` with every finding.
    """
    table = fields if fields is not None else FreeFields()
    try:
        expression = read(parse(text), Precedence(precedence))
    except SyntaxFinding as error:
        raise ConditionError([error.finding.in_text(text)]) from None
    findings = [*undefined(expression), *check(expression, table, dialect)]
    if findings:
        raise ConditionError([finding.in_text(text) for finding in findings])
    return assemble(expression, table)


def check(expression: Expression, fields: FieldTable, dialect: Dialect) -> list[Finding]:
    """What is wrong with the comparisons of an expression, at most ``MAX_FINDINGS``.

    References are left to whoever knows the definitions.
    """
    findings = list(islice(_refused(expression, fields), MAX_FINDINGS))
    if not findings and dialect == "kubesphere":
        findings = list(islice(only_here(expression), MAX_FINDINGS))
    return findings


def _refused(expression: Expression, fields: FieldTable) -> Iterator[Finding]:
    for leaf in walk(expression):
        if isinstance(leaf, Comparison | AnyOf) and isinstance(leaf.field, Path):
            found = field_of_elements(leaf, fields) if isinstance(leaf, AnyOf) else bind_comparison(leaf, fields)
            if isinstance(found, Finding):
                yield found
        if isinstance(leaf, AnyOf):
            yield from _refused(leaf.condition, ELEMENT_FIELDS)


def undefined(expression: Expression) -> list[Finding]:
    """A finding for each reference of an expression that stands alone."""
    found: list[Reference] = []
    for node in leaves(expression):
        parts = (node,) if isinstance(node, Reference) else (node.field, *getattr(node, "operands", ()))
        found += [part for part in parts if isinstance(part, Reference)]
    return [
        Finding(
            "AW105",
            f"${{{reference.name}}} is not defined",
            "a condition on its own has no definitions",
            reference.offset,
        )
        for reference in found
    ]
