"""What KubeSphere makes of a condition with macros: it pastes their texts, without parentheses, and reads that."""

from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.parse import SyntaxFinding
from auditwire.condition.precedence import Precedence, read, spell
from auditwire.condition.syntax import (
    And,
    Chain,
    Expression,
    Not,
    Or,
    Reference,
    Term,
    children,
    conjunction,
    disjunction,
    replace_leaves,
    walk,
)
from auditwire.documents.diagnostics import Severity
from auditwire.rules.definitions import Definition, Definitions
from auditwire.rules.document import Entry, RuleDocument

_MAX_READING: Final = 300


def read_otherwise(document: RuleDocument, entry: Entry, definitions: Definitions) -> Finding | None:
    """The finding (AW127) that KubeSphere reads the condition of a rule differently, because of a macro in it.

    It is an error in a document that is read as KubeSphere does, and in the dialect ``kubesphere``. The condition is
    known to be expandable.
    """
    name = f"{document.name}.{entry.name}"
    written = definitions.written.get(name)
    if written is None or document.precedence == "standard":
        return None
    macros = [part for part in walk(written) if _macro(part, document, definitions) is not None]
    if not macros:
        return None
    try:
        pasted = read(_pasted(definitions.chains[name], document, definitions), Precedence.KUBESPHERE)
    except SyntaxFinding:
        return None
    is_error = document.precedence == "kubesphere" or definitions.dialect == "kubesphere"
    here, there = _simple(_expanded(written, document, definitions)), _simple(pasted)
    if here == there:
        return None
    readings = f"KubeSphere reads: {_cut(spell(there))}   Here it is: {_cut(spell(here))}"
    return Finding(
        "AW127",
        "KubeSphere pastes the text of macros without parentheses, and reads this condition differently",
        f"put parentheses around the text of the macro. {readings}",
        0,
        Severity.ERROR if is_error else Severity.WARNING,
    )


def _macro(part: object, document: RuleDocument, definitions: Definitions) -> Definition | None:
    """The macro that a reference of a document means, None for anything else."""
    found = definitions.find(document, part.name) if isinstance(part, Reference) else None
    return found if found is not None and found.qualified in definitions.chains else None


def _expanded(node: Expression, document: RuleDocument, definitions: Definitions) -> Expression:
    """The expression with the trees of macros in place of references to them."""

    def replacement(leaf: Expression) -> Expression:
        macro = _macro(leaf, document, definitions)
        if macro is None:
            return leaf
        return _expanded(definitions.written[macro.qualified], macro.document, definitions)

    return replace_leaves(node, replacement)


def _pasted(chain: Chain, document: RuleDocument, definitions: Definitions) -> Chain:
    """The chain with the terms of macros in place of references to them."""
    terms: list[Term] = []
    connectives: list[str] = []
    for position, term in enumerate(chain.terms):
        if position:
            connectives.append(chain.connectives[position - 1])
        macro = _macro(term.operand, document, definitions)
        if macro is not None:
            inner = _pasted(definitions.chains[macro.qualified], macro.document, definitions)
            first, *rest = inner.terms
            terms += [Term(term.negations + first.negations, first.operand), *rest]
            connectives += inner.connectives
        elif isinstance(term.operand, Chain):
            terms.append(Term(term.negations, _pasted(term.operand, document, definitions)))
        else:
            terms.append(term)
    return Chain(tuple(terms), tuple(connectives), chain.offset)


def _simple(node: Expression) -> Expression:
    """The expression with one tree for all that differ in double ``not``s only."""
    if isinstance(node, Not):
        inner = _simple(node.operand)
        return inner.operand if isinstance(inner, Not) else Not(inner)
    if isinstance(node, And | Or):
        operands = [_simple(operand) for operand in children(node)]
        return conjunction(operands) if isinstance(node, And) else disjunction(operands)
    return node


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_READING else text[:_MAX_READING] + "…"
