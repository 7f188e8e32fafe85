"""Which of ``and``, ``or`` and ``not`` binds tighter: two readings of one chain.

KubeSphere's engine gives ``and`` and ``or`` equal rank, from left to right, and ``not`` the lowest: it takes
everything to its right up to the closing parenthesis. Readers expect ``not`` before ``and`` before ``or``.
A condition that means the same either way is the only one accepted without being told which is meant.
"""

from enum import StrEnum
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.parse import SyntaxFinding
from auditwire.condition.quoting import quote
from auditwire.condition.syntax import (
    And,
    AnyOf,
    AnyTerm,
    Boolean,
    Chain,
    Comparison,
    Expression,
    Not,
    Number,
    Operator,
    Or,
    Path,
    Reference,
    Term,
    conjunction,
    disjunction,
)

MAX_DEPTH: Final = 150
"""Levels a condition may nest: what Python's own compiler takes with room to spare."""


class Precedence(StrEnum):
    """How a chain is read: ``strict`` refuses a chain whose two readings differ."""

    STRICT = "strict"
    KUBESPHERE = "kubesphere"
    STANDARD = "standard"


def read(chain: Chain, precedence: Precedence) -> Expression:
    """The meaning of a chain under a precedence.

    Raises ``SyntaxFinding``: AW103 for a strict reading of an ambiguous chain, with both readings fully
    parenthesised; AW110 where the reading nests deeper than ``MAX_DEPTH``.
    """
    if precedence is Precedence.KUBESPHERE:
        return _kubesphere(chain, 0)
    standard = _standard(chain, 0)
    if precedence is Precedence.STANDARD:
        return standard
    kubesphere = _kubesphere(chain, 0)
    if kubesphere != standard:
        raise SyntaxFinding(
            Finding(
                "AW103",
                "the condition is ambiguous: KubeSphere and common practice read it differently",
                f"add parentheses. KubeSphere reads: {spell(kubesphere)}   Common practice reads: {spell(standard)}",
                chain.offset,
            )
        )
    return standard


def spell(node: Expression) -> str:
    """The expression as text, fully parenthesised, so that every reading reads it the same."""
    if isinstance(node, And | Or):
        word = " and " if isinstance(node, And) else " or "
        return word.join(_spell_operand(operand) for operand in node.operands)
    if isinstance(node, Not):
        return f"not ({spell(node.operand)})"
    if isinstance(node, Reference):
        return f"${{{node.name}}}"
    if isinstance(node, AnyOf):
        return f"any {_spell_field(node.field)} ({spell(node.condition)})"
    return _spell_comparison(node)


def _spell_operand(node: Expression) -> str:
    return f"({spell(node)})" if isinstance(node, And | Or | Not) else spell(node)


def _spell_comparison(node: Comparison) -> str:
    field = _spell_field(node.field)
    if node.operator is Operator.TRUTH:
        return field
    if node.lowered:
        field = f"lower({field})"
    operands = ", ".join(map(_spell_literal, node.operands))
    if node.operator.takes_list:
        operands = f"({operands})"
    word = (node.operator.negative or f"not {node.operator}") if node.negated else node.operator
    return f"{field} {word} {operands}".rstrip()


def _spell_field(field: Path | Reference) -> str:
    return field.text if isinstance(field, Path) else f"${{{field.name}}}"


def _spell_literal(literal: object) -> str:
    if isinstance(literal, Number):
        return literal.spelling
    if isinstance(literal, Boolean):
        return "true" if literal.value else "false"
    if isinstance(literal, Reference):
        return f"${{{literal.name}}}"
    return quote(getattr(literal, "value", ""))


def _kubesphere(chain: Chain, depth: int) -> Expression:
    return _kubesphere_from(chain, 0, depth)


def _kubesphere_from(chain: Chain, first: int, depth: int) -> Expression:
    """The chain from its term ``first`` on. A term with ``not`` takes all that follows."""
    _check_depth(depth)
    terms = chain.terms
    if terms[first].negations:
        rest = Chain((Term(0, terms[first].operand), *terms[first + 1 :]), chain.connectives[first:])
        return _negate(_kubesphere_from(rest, 0, depth + 1), terms[first].negations)
    run = [_operand(terms[first], Precedence.KUBESPHERE, depth)]
    nested = 0  # levels that a change from `and` to `or`, or back, puts around what stands before it
    for position in range(first + 1, len(terms)):
        connective = chain.connectives[position - 1]
        if len(run) > 1 and connective != chain.connectives[position - 2]:
            run = [_join(chain.connectives[position - 2], run)]
            nested += 1
            _check_depth(depth + nested)
        if terms[position].negations:
            run.append(_kubesphere_from(chain, position, depth + 1))
            return _join(connective, run)
        run.append(_operand(terms[position], Precedence.KUBESPHERE, depth))
    return _join(chain.connectives[-1], run) if len(run) > 1 else run[0]


def _join(connective: str, operands: list[Expression]) -> Expression:
    return conjunction(operands) if connective == "and" else disjunction(operands)


def _standard(chain: Chain, depth: int) -> Expression:
    _check_depth(depth)
    alternatives: list[list[Expression]] = []
    for position, term in enumerate(chain.terms):
        value = _negate(_operand(term, Precedence.STANDARD, depth), term.negations)
        if position and chain.connectives[position - 1] == "and":
            alternatives[-1].append(value)
        else:
            alternatives.append([value])
    return disjunction(conjunction(run) for run in alternatives)


def _operand(term: Term, precedence: Precedence, depth: int) -> Expression:
    """What stands in a term behind its own ``not``s. Parentheses around one term cost no depth."""
    operand, negations = term.operand, 0
    while isinstance(operand, Chain) and len(operand.terms) == 1:
        negations += operand.terms[0].negations
        operand = operand.terms[0].operand
    inner = _kubesphere if precedence is Precedence.KUBESPHERE else _standard
    if isinstance(operand, AnyTerm):
        return _negate(AnyOf(operand.field, inner(operand.chain, depth + 1), operand.offset), negations)
    if not isinstance(operand, Chain):
        return _negate(operand, negations)
    return _negate(inner(operand, depth + 1), negations)


def _negate(node: Expression, times: int) -> Expression:
    if times % 2 == 0:
        return node
    # A meaning has one tree, however many groups its `not`s are spread over.
    return node.operand if isinstance(node, Not) else Not(node)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SyntaxFinding(
            Finding(
                "AW110",
                f"the condition nests more than {MAX_DEPTH} levels deep",
                "move parts of it into macros",
            )
        )
