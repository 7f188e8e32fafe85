"""The syntax tree of a condition.

Two layers: a ``Chain`` is what the text says, ``and``, ``or`` and ``not`` in the order they were written; an
``Expression`` is one reading of it (``precedence.py``). Offsets count characters of the text from 0.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from enum import Enum, StrEnum
from typing import Any, ClassVar, Final, Self, TypeVar, cast

from auditwire.condition.quoting import quote


class Operands(Enum):
    """What stands behind an operator."""

    NONE = "nothing"
    VALUE = "a text, a number or a boolean, each compared as what it is"
    QUANTITY = "a text or a number, each compared as what it is"
    WORDING = "a text or a number, which counts as it is spelled"
    TEXT = "a text"
    ITEMS = "a list of texts and numbers, which count as they are spelled"
    NETWORKS = "a list of networks"


class Operator(StrEnum):
    """The operators, one row each. Whatever needs their words takes them from here.

    The columns: the word, and how compiled rules name the operator; what stands behind it; the word of its negative
    form, empty where it has none; whether KubeSphere knows it; other spellings of the word. A word KubeSphere does not
    know is one only where an operator may stand, so it takes no field's name away.
    """

    operands: Operands
    negative: str
    in_kubesphere: bool
    synonyms: tuple[str, ...]

    EQUAL = "=", Operands.VALUE, "!=", True, ("==",)
    LESS = "<", Operands.QUANTITY, "", True
    LESS_OR_EQUAL = "<=", Operands.QUANTITY, "", True
    GREATER = ">", Operands.QUANTITY, "", True
    GREATER_OR_EQUAL = ">=", Operands.QUANTITY, "", True
    IN = "in", Operands.ITEMS, "not in", True
    CONTAINS = "contains", Operands.WORDING, "not contains", True
    LIKE = "like", Operands.TEXT, "not like", True
    REGEX = "regex", Operands.TEXT, "not regex", True
    STARTSWITH = "startswith", Operands.TEXT, "not startswith", False
    ENDSWITH = "endswith", Operands.TEXT, "not endswith", False
    WITHIN = "within", Operands.NETWORKS, "not within", False
    EXISTS = "exists", Operands.NONE, "not exists", True
    TRUTH = "true", Operands.NONE, "", True
    """A bare field name: the field is true. Its word is never written."""

    def __new__(
        cls,
        word: str,
        operands: Operands = Operands.NONE,
        negative: str = "",
        in_kubesphere: bool = False,
        synonyms: tuple[str, ...] = (),
    ) -> Self:
        """A member with its row. ``Operator(word)`` is that member."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.operands, member.negative = operands, negative
        member.in_kubesphere, member.synonyms = in_kubesphere, synonyms
        return member

    @property
    def is_word(self) -> bool:
        """Whether it is written as a word, not as a sign."""
        return self.value.isalpha() and self is not Operator.TRUTH

    @property
    def goes_by_text(self) -> bool:
        """Whether it looks at the text of a value, whatever the value is."""
        return self.operands in (Operands.ITEMS, Operands.WORDING, Operands.TEXT, Operands.NETWORKS)

    @property
    def takes_list(self) -> bool:
        """Whether a list stands behind it."""
        return self.operands in (Operands.ITEMS, Operands.NETWORKS)


SPELLINGS: Final = {
    **{word: (one, False) for one in Operator if one is not Operator.TRUTH for word in (one.value, *one.synonyms)},
    **{one.negative: (one, True) for one in Operator if one.negative},
}
"""The operator that each word says, or two words with one space between them, and whether it is its negative form."""

ORDERS: Final = tuple(one for one in Operator if one.operands is Operands.QUANTITY)


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, quotes taken off, ``\\"`` decoded."""

    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal as it was spelled: text operators and ``in`` go by the spelling."""

    spelling: str


@dataclass(frozen=True, slots=True)
class Boolean:
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """``${name}`` or ``${document.name}``: a macro, a list or an alias, by what the name is."""

    name: str
    offset: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class AnyElement:
    """``[*]``: at least one element."""

    spelling: ClassVar[str] = "*"


@dataclass(frozen=True, slots=True)
class Elements:
    """``[n]``, ``[a:b]`` …: every element from ``start`` up to, not including, ``stop`` (None: the end)."""

    start: int
    stop: int | None
    spelling: str = attribute(compare=False)


Index = AnyElement | Elements

_MAX_DIGITS: Final = 20


def index_of(spelling: str) -> Index:
    """The index a pair of brackets holds: ``*``, ``n``, ``a:b``, ``a:``, ``:b`` or ``:``."""
    if spelling == "*":
        return AnyElement()
    start, colon, stop = spelling.partition(":")
    if not colon:
        return Elements(_bound(start), _bound(start) + 1, spelling)
    return Elements(_bound(start or "0"), _bound(stop) if stop else None, spelling)


def _bound(digits: str) -> int:
    # More digits change nothing: no array comes near, and evaluation refuses what does not fit 64 bits.
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


@dataclass(frozen=True, slots=True)
class Segment:
    """One name of a path with its index.

    A quoted one, ``["a.b/c"]``, is exactly that key; other names may be parts of a key that holds dots (``paths.py``).
    A pattern, ``["*-snippet"]`` or ``.*``, stands for every key that it matches.
    """

    name: str
    index: Index | None = None
    is_quoted: bool = False
    is_pattern: bool = False

    @property
    def selects(self) -> bool:
        """Whether several values may be found here."""
        return self.is_pattern or self.index is not None


EVERY_KEY: Final = "*"
"""The pattern that a path spells without brackets."""


def spell_path(segments: Iterable[Segment]) -> str:
    """The segments as a path spells them."""
    text = ""
    for segment in segments:
        is_in_brackets = segment.is_quoted or (segment.is_pattern and segment.name != EVERY_KEY)
        text += f"[{quote(segment.name)}]" if is_in_brackets else f".{segment.name}" if text else segment.name
        text += "" if segment.index is None else f"[{segment.index.spelling}]"
    return text


@dataclass(frozen=True, slots=True)
class Path:
    """A field as written: ``RequestObject.spec.containers[*].name``, ``Annotations["authorization.k8s.io/reason"]``."""

    segments: tuple[Segment, ...]
    text: str
    offset: int = attribute(default=0, compare=False)

    @property
    def is_indexed(self) -> bool:
        """Whether the path ends in an index."""
        return self.segments[-1].index is not None

    @property
    def has_pattern(self) -> bool:
        """Whether a key on the path is a pattern."""
        return any(segment.is_pattern for segment in self.segments)


Literal = Text | Number | Boolean
Item = Text | Number | Reference


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of one field. ``lowered``: of its text in lower case, as ``lower(Field)`` asks for."""

    field: Path | Reference
    operator: Operator
    operands: tuple[Literal | Reference, ...] = ()
    negated: bool = False
    offset: int = attribute(default=0, compare=False)
    lowered: bool = False

    @property
    def positive(self) -> "Comparison":
        """The same test without its negation."""
        return replace(self, negated=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True where its operand is not."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """True where every operand is, tried from left to right until one is not."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where some operand is, tried from left to right until one is."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """``any P[*] (…)``: some element that the path reaches satisfies the whole condition, whose paths begin at it."""

    field: Path | Reference
    condition: "Expression"
    offset: int = attribute(default=0, compare=False)


Expression = Comparison | Reference | AnyOf | Not | And | Or

Node = TypeVar("Node")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class Term:
    """An operand of a chain with the number of ``not``s before it."""

    negations: int
    operand: "Comparison | Reference | AnyTerm | Chain"


@dataclass(frozen=True, slots=True)
class AnyTerm:
    """``any P[*] (…)`` as written."""

    field: Path | Reference
    chain: "Chain"
    offset: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """``term and term or term …`` as written; ``connectives`` is one shorter than ``terms``."""

    terms: tuple[Term, ...]
    connectives: tuple[str, ...]
    offset: int = attribute(default=0, compare=False)


def conjunction(operands: Iterable[Expression]) -> Expression:
    """All of these, flat: ``and`` is associative, so chains of it are one node."""
    flat = tuple(part for node in operands for part in (node.operands if isinstance(node, And) else (node,)))
    return flat[0] if len(flat) == 1 else And(flat)


def disjunction(operands: Iterable[Expression]) -> Expression:
    """Any of these, flat like ``conjunction``."""
    flat = tuple(part for node in operands for part in (node.operands if isinstance(node, Or) else (node,)))
    return flat[0] if len(flat) == 1 else Or(flat)


# A bound tree (``evaluate.py``) has the same nodes as an expression, with leaves of its own: these three take both.
# What stands inside of an ``any`` is about other fields, so for them it is a leaf.
def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, none of a leaf."""
    if isinstance(node, And | Or):
        return cast("tuple[Node, ...]", node.operands)
    return (cast("Node", node.operand),) if isinstance(node, Not) else ()


def walk(node: Node) -> Iterator[Node]:
    """The node and every node below it, in the order of the text; they may nest as deep as they like."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(children(current)))


def replace_leaves(node: Node, replacement: Callable[[Any], Other]) -> Other:
    """The tree with another one in place of each leaf, from left to right, flat like ``conjunction``."""
    if not isinstance(node, And | Or | Not):
        return replacement(node)
    operands: list[Any] = [replace_leaves(operand, replacement) for operand in children(node)]
    if isinstance(node, Not):
        return cast("Other", Not(operands[0]))
    return cast("Other", conjunction(operands) if isinstance(node, And) else disjunction(operands))


def comparisons(node: Expression) -> Iterator[Comparison]:
    """Every comparison of an expression, in the order of its text; without those inside of an ``any``."""
    return (part for part in walk(node) if isinstance(part, Comparison))


def leaves(node: Expression) -> Iterator[Comparison | Reference | AnyOf]:
    """Every leaf of an expression in the order of its text; what an ``any`` holds comes behind it."""
    for part in walk(node):
        if isinstance(part, Comparison | Reference | AnyOf):
            yield part
        if isinstance(part, AnyOf):
            yield from leaves(part.condition)
