"""The limits of expanding definitions, and the findings about what exceeds them."""

from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.precedence import MAX_DEPTH
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Reference, children, walk

BROKEN: Final = ""
"""The code of a finding about the use of a definition whose errors are reported at the definition itself. Never
shown."""

MAX_EXPANDED: Final = 20_000
"""How many comparisons and list items one condition may have when it is expanded."""

MAX_EXPANDED_TOTAL: Final = 250_000
"""How many comparisons and list items all rules together may have when they are expanded."""

MAX_CHAIN: Final = 64
"""How many definitions may be nested in one another."""

TOO_MUCH: Final = Finding(
    "AW110",
    f"expanded with their macros and lists, the rules up to here have more than {MAX_EXPANDED_TOTAL:,} tests and items",
    "use shorter lists, or fewer rules",
)


class UnresolvedError(Exception):
    """A reference that cannot be expanded. Has the finding at the reference."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Expansion:
    """The expansion of one condition: the definitions that contain the current place, outermost first, whether it is
    inside of an ``any``, and the room left."""

    __slots__ = ("_room", "chain", "in_element")

    def __init__(self, chain: tuple[str, ...], *, in_element: bool = False) -> None:
        self.chain = chain
        self.in_element = in_element
        self._room = [MAX_EXPANDED]

    def inside(self, qualified: str) -> "Expansion":
        """The expansion of a definition that this one uses."""
        return Expansion((*self.chain, qualified), in_element=self.in_element)

    def of_element(self) -> "Expansion":
        """This expansion inside of an ``any``."""
        expansion = Expansion(self.chain, in_element=True)
        expansion._room = self._room
        return expansion

    def take(self, size: int) -> None:
        """Uses up room for ``size`` tests or items. Raises ``UnresolvedError`` (AW110) if there is not enough left."""
        self._room[0] -= size
        if self._room[0] < 0:
            raise UnresolvedError(
                Finding(
                    "AW110",
                    f"expanded with its macros and lists, it has more than {MAX_EXPANDED:,} tests and items",
                    "use shorter lists, or use each macro only once",
                )
            )


def broken(reference: Reference) -> Finding:
    """The finding about the use of a definition that has errors of its own."""
    return Finding(BROKEN, f"${{{reference.name}}} has errors of its own", "fix them first", reference.offset)


def too_deep(reference: Reference) -> Finding:
    """The finding (AW110) about a definition that is nested too deeply."""
    return Finding(
        "AW110",
        f"${{{reference.name}}} is nested too deeply: at most {MAX_CHAIN} definitions, {MAX_DEPTH} levels",
        "flatten the definitions",
        reference.offset,
    )


def size_of(expression: Expression) -> int:
    """How many tests, operands and connectives an expression has."""
    size = 0
    for node in walk(expression):
        size += 1 + (len(node.operands) if isinstance(node, Comparison) else 0)
        size += size_of(node.condition) if isinstance(node, AnyOf) else 0
    return size


def depth_of(expression: Expression) -> int:
    """How many levels of ``and``, ``or``, ``not`` and ``any`` an expression has."""
    below = (expression.condition,) if isinstance(expression, AnyOf) else children(expression)
    return max((1 + depth_of(operand) for operand in below), default=0)
