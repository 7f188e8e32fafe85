"""Text to ``Chain``: the grammar and what is said when a text does not follow it."""

import re
from functools import cache
from typing import Any, Final, NamedTuple

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from auditwire.condition.errors import Finding
from auditwire.condition.grammar import WRITTEN, parser
from auditwire.condition.hints import hint_at, is_operator_expected, one_of, operator_run, unclosed_parenthesis
from auditwire.condition.quoting import STRING, unquote
from auditwire.condition.syntax import (
    EVERY_KEY,
    SPELLINGS,
    AnyTerm,
    Boolean,
    Chain,
    Comparison,
    Number,
    Operator,
    Path,
    Reference,
    Segment,
    Term,
    Text,
    index_of,
)

MAX_LENGTH: Final = 65_536
"""Characters a condition, macro or output may have."""

# Neither UTF-8 nor RE2 has a way to say one.
_SURROGATE = re.compile("[\ud800-\udfff]")
# As in the grammar: a name or a quoted key, an index, the dot before the next name.
_SEGMENT = re.compile(rf"(?:([A-Za-z_][A-Za-z0-9_\-]*|\*)|\[({STRING})\])(?:\[(\*|\d+|\d*:\d*)\])?(\.?)")


class SyntaxFinding(Exception):  # noqa: N818 - carries a finding out of the parser, never leaves this package
    """Carries the one finding that ends a parse."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(text: str) -> Chain:
    """The chain a condition's text says.

    Raises ``SyntaxFinding``: AW101 where the text does not follow the grammar, AW110 for a text longer than
    ``MAX_LENGTH``.
    """
    if len(text) > MAX_LENGTH:
        raise SyntaxFinding(
            Finding(
                "AW110",
                f"the condition is {len(text):,} characters long, the limit is {MAX_LENGTH:,}",
                "move parts of it into macros and lists, or split the rule",
            )
        )
    if not text.isascii() and (surrogate := _SURROGATE.search(text)):
        message = f"the condition holds half of a character, U+{ord(surrogate[0]):04X}"
        raise SyntaxFinding(Finding("AW101", message, "write the whole character", surrogate.start()))
    try:
        return _parser().parse(text)  # type: ignore[return-value]
    except UnexpectedInput as error:
        raise SyntaxFinding(_explain(text, error)) from None


def parse_path(text: str) -> Path:
    """The field path a text names, as aliases and ``${Field.Path}`` of outputs use it.

    Raises ``SyntaxFinding`` when the text is not exactly one field name.
    """
    chain = parse(text)
    term = chain.terms[0]
    operand = term.operand
    if (
        len(chain.terms) == 1
        and not term.negations
        and isinstance(operand, Comparison)
        and operand.operator is Operator.TRUTH
        and isinstance(operand.field, Path)
    ):
        return operand.field
    raise SyntaxFinding(
        Finding("AW101", f"{text.strip()!r} is not a field name", "write one field, as in ObjectRef.Name")
    )


class _Lowered(NamedTuple):
    """``lower(field)`` until its comparison is complete."""

    field: Path | Reference
    offset: int


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Chain]):
    """Builds the tree while the text is parsed, so that no recursion depends on the nesting of the text."""

    def chain(self, *children: Any) -> Chain:
        terms = children[0::2]
        connectives = tuple(str(word) for word in children[1::2])
        return Chain(terms, connectives)

    def connective(self, word: Token) -> Token:
        return word

    def negation(self, word: Token) -> Token:
        return word

    infix_not = negation

    def term(self, *children: Any) -> Term:
        return Term(len(children) - 1, children[-1])

    def group(self, chain: Chain) -> Chain:
        return chain

    def any_of(self, word: Token, field: Path | Reference, chain: Chain) -> AnyTerm:
        return AnyTerm(field, chain, word.start_pos or 0)

    def field(self, token: Token) -> Path | Reference:
        return _reference(token) if token.type == "REFERENCE" else _path(token)

    def truth(self, field: Path | Reference) -> Comparison | Reference:
        if isinstance(field, Reference):
            return field  # a macro, or an alias standing as a bare field: only the definitions can tell
        return Comparison(field, Operator.TRUTH, offset=field.offset)

    def lowered(self, word: Token, field: Path | Reference) -> _Lowered:
        return _Lowered(field, word.start_pos or 0)

    def compare(self, tested: Path | Reference | _Lowered, *rest: Token) -> Comparison:
        words = 2 if rest[0].type == "NOT" else 1
        operator, negated = SPELLINGS[" ".join(rest[:words])]
        operands = tuple(_reference(one) if one.type == "REFERENCE" else _literal(one) for one in rest[words:])
        if isinstance(tested, _Lowered):
            return Comparison(tested.field, operator, operands, negated, tested.offset, lowered=True)
        return Comparison(tested, operator, operands, negated, tested.offset)


def _reference(token: Token) -> Reference:
    return Reference(str(token)[2:-1], token.start_pos or 0)


def _literal(token: Token) -> Text | Number | Boolean:
    if token.type == "NUMBER":
        return Number(str(token))
    if token.type == "BOOLEAN":
        return Boolean(token.lower() == "true")
    return Text(unquote(str(token)))


def _path(token: Token) -> Path:
    segments: list[Segment] = []
    offset = token.start_pos or 0
    position = 0
    while position < len(token):
        match = _SEGMENT.match(token, position)
        if match is None:  # the stray dot: an empty key
            segments.append(Segment(""))
            position += 1
            continue
        name, quoted, index, dot = match.groups()
        index = index_of(index) if index else None
        key = name if quoted is None else unquote(quoted)
        is_pattern = EVERY_KEY in key
        segments.append(Segment(key, index, quoted is not None and not is_pattern, is_pattern))
        position = match.end()
        if dot and position == len(token):
            segments.append(Segment(""))
    return Path(tuple(segments), str(token), offset)


@cache
def _parser() -> Lark:
    return parser(transformer=_TreeBuilder())


_NAMES: Final = {
    "$END": "the end of the condition",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "STRING": "a string",
    "NUMBER": "a number",
    "BOOLEAN": "a boolean",
    "PATH": "a field name",
    "REFERENCE": "${…}",
    "BANG": "`!`",
}


def _explain(text: str, error: UnexpectedInput) -> Finding:
    """The finding for a text the parser gave up on, with the hint that fits what stands there."""
    offset = error.pos_in_stream if error.pos_in_stream is not None and error.pos_in_stream >= 0 else len(text)
    if isinstance(error, UnexpectedToken):
        expected: set[str] = error.accepts or error.expected
        found = (
            "the condition ends too early"
            if error.token.type == "$END"
            else f"{str(error.token)!r} is not expected here"
        )
        if error.token.type == "$END":
            offset = len(text)
            opening = unclosed_parenthesis(text)
            if opening is not None and "RPAR" in expected:
                return Finding("AW101", "this parenthesis is never closed", "the text ends without its `)`", opening)
    elif isinstance(error, UnexpectedCharacters):
        expected = set(error.allowed or ())
        if text[offset] == '"' and text.find('"', offset + 1) < 0:
            return Finding("AW101", "a text is not closed", 'put a `"` behind it', offset)
        found = f"{text[offset]!r} is not expected here"
    else:  # pragma: no cover - lark raises only the two kinds above from a string
        expected, found = set(), "the condition ends too early"
    wanted = sorted(_NAMES.get(name) or f"`{WRITTEN[name] if name in WRITTEN else name.lower()}`" for name in expected)
    run = operator_run(text, offset) if "STRING" in expected else None
    if run is not None:
        offset, signs, meant = run
        return Finding("AW101", f"{signs!r} is not an operator", f"write {meant}", offset)
    if is_operator_expected(expected):
        wanted = ["an operator"]
    message = f"{found}; expected {one_of(wanted)}" if 0 < len(wanted) <= 8 else found
    return Finding("AW101", message, hint_at(text, offset, expected), offset)
