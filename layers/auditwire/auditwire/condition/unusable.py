"""What no event can be judged by: indexes and numbers that can only be mistakes."""

from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.remarks import MAX_FINDINGS, cut
from auditwire.condition.syntax import ORDERS, AnyOf, Elements, Expression, Number, Operator, Path, Reference, leaves
from auditwire.condition.values import parse_number

_MAX_INDEX: Final = 2**63 - 1


def unusable(expression: Expression) -> list[Finding]:
    """The errors of an expression that only judging an event would meet: AW108, AW109."""
    findings: list[Finding] = []
    for leaf in leaves(expression):
        if isinstance(leaf, Reference):
            continue
        if isinstance(leaf.field, Path):
            findings += unusable_indexes(leaf.field)
        if isinstance(leaf, AnyOf):
            continue
        findings += [
            Finding(
                "AW109",
                f"the number {cut(literal.spelling)} does not fit a 64-bit float, so nothing can be compared with it",
                "write a smaller number, or a text",
                leaf.offset,
            )
            for literal in leaf.operands
            if isinstance(literal, Number)
            and (leaf.operator is Operator.EQUAL or leaf.operator in ORDERS)
            and parse_number(literal.spelling) is None
        ]
    return findings[:MAX_FINDINGS]


def unusable_indexes(path: Path) -> list[Finding]:
    """The indexes of a path that no array can have: AW108."""
    findings = []
    for segment in path.segments:
        index = segment.index
        if not isinstance(index, Elements):
            continue
        if index.stop is not None and index.start > index.stop:
            hint = f"write [{index.stop}:{index.start}]: the first element selected, and the first one after them"
            findings.append(
                Finding("AW108", f"the range [{cut(index.spelling)}] ends before it starts", hint, path.offset)
            )
        elif index.start > _MAX_INDEX or (index.stop or 0) > _MAX_INDEX:
            findings.append(
                Finding("AW108", f"the index [{cut(index.spelling)}] is larger than any array", "", path.offset)
            )
    return findings
