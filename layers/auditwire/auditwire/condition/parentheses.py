"""Where parentheses must go so that a condition says what one of its readings makes of it.

Only the chains that are read differently get any, and of those only the parts that need them. The text between
stays as it is: what comes out is a list of places.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from lark import Lark, Tree

from auditwire.condition.errors import Finding
from auditwire.condition.grammar import parser
from auditwire.condition.parse import SyntaxFinding, parse
from auditwire.condition.precedence import Precedence, read
from auditwire.condition.syntax import Chain, Reference, Term


@dataclass(frozen=True, slots=True)
class Insertion:
    """One parenthesis to put in front of the character at ``offset`` of a text."""

    offset: int
    parenthesis: str


def missing_parentheses(text: str, precedence: Precedence) -> tuple[Insertion, ...]:
    """What a condition needs to be read by everybody as ``precedence`` reads it, in order of place.

    ``precedence`` is kubesphere or standard. Empty for a condition that is not ambiguous. Read strictly, the text with
    the parentheses put in gives exactly what ``precedence`` makes of the text without.

    Raises ``SyntaxFinding`` for a text that is no condition, and AW110 where it would nest too deep.
    """
    chain = parse(text)
    wanted = read(chain, precedence)
    if not is_ambiguous(chain):
        return ()
    places: list[tuple[int, str]] = []
    for part in _layout().parse(text).find_data("chain"):
        for start, end in _pairs(part, precedence):
            places += [(start, "("), (end, ")")]
    # Two terms never touch, so at one place there are only openings or only closings.
    insertions = tuple(Insertion(*place) for place in sorted(places))
    if read(parse(insert(text, insertions)), Precedence.STRICT) != wanted:
        raise SyntaxFinding(Finding("AW103", "the condition is ambiguous, and parentheses could not be added to it"))
    return insertions


def insert(text: str, insertions: Iterable[Insertion]) -> str:
    """The text with the parentheses put in."""
    parts, position = [], 0
    for insertion in sorted(insertions, key=lambda insertion: insertion.offset):
        parts += [text[position : insertion.offset], insertion.parenthesis]
        position = insertion.offset
    return "".join([*parts, text[position:]])


def is_ambiguous(chain: Chain) -> bool:
    """Whether the two readings of a chain differ, or one of them nests deeper than anything may."""
    try:
        read(chain, Precedence.STRICT)
    except SyntaxFinding:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Span:
    """A term in the text: where its ``not``s begin, where what they negate begins, where it ends."""

    start: int
    operand: int
    end: int

    @property
    def is_negated(self) -> bool:
        return self.operand > self.start


def _pairs(chain: Tree[Any], precedence: Precedence) -> list[tuple[int, int]]:
    """The start and end of each part of one chain that needs parentheses; what its groups hold is not looked at."""
    terms: list[Tree[Any]] = chain.children[0::2]
    connectives = [str(word.children[0]) for word in chain.children[1::2]]
    # Whatever the operands are, only how they are joined can be read in two ways.
    outline = Chain(
        tuple(Term(len(term.children) - 1, Reference(str(position))) for position, term in enumerate(terms)),
        tuple(connectives),
    )
    if not is_ambiguous(outline):
        return []
    spans = [_Span(term.meta.start_pos, term.children[-1].meta.start_pos, term.meta.end_pos) for term in terms]
    if precedence is Precedence.KUBESPHERE:
        return _kubesphere_pairs(spans, connectives)
    return _standard_pairs(spans, connectives)


def _kubesphere_pairs(spans: list[_Span], connectives: list[str]) -> list[tuple[int, int]]:
    """From left to right: what stands before ``or … and`` is taken first, and a ``not`` takes all that follows."""
    pairs: list[tuple[int, int]] = []
    start, before = spans[0].start, ""
    for position, span in enumerate(spans):
        connective = connectives[position - 1] if position else ""
        if (before, connective) == ("or", "and"):
            pairs.append((start, spans[position - 1].end))
        before = connective
        if span.is_negated and position < len(spans) - 1:
            pairs.append((span.operand, spans[-1].end))
            start, before = span.operand, ""
    return pairs


def _standard_pairs(spans: list[_Span], connectives: list[str]) -> list[tuple[int, int]]:
    """``and`` before ``or``. KubeSphere too takes a run of ``and`` that comes first, and a ``not`` that comes last."""
    pairs: list[tuple[int, int]] = []
    starts = [0, *(position + 1 for position, word in enumerate(connectives) if word == "or"), len(spans)]
    for first, behind in pairwise(starts):
        is_wrapped = first > 0 and behind - first > 1
        if is_wrapped:
            pairs.append((spans[first].start, spans[behind - 1].end))
        last = behind - 1 if is_wrapped else len(spans) - 1
        pairs += [
            (spans[position].start, spans[position].end)
            for position in range(first, behind)
            if spans[position].is_negated and position != last
        ]
    return pairs


@cache
def _layout() -> Lark:
    """The grammar once more, keeping every token and its place, which the tree of a condition does without."""
    return parser(propagate_positions=True, keep_all_tokens=True)
