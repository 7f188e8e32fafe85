"""How far definitions may be put into one another, and what is said of those that go further."""

from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.precedence import MAX_DEPTH
from auditwire.condition.syntax import Comparison, Expression, Reference, children, walk

BROKEN: Final = ""
"""The code of a finding about a use of something whose errors are reported where it is defined: never shown."""

MAX_EXPANDED: Final = 20_000
"""Comparisons and list items one condition may have after everything is put in."""

MAX_EXPANDED_TOTAL: Final = 250_000
"""Comparisons and list items all rules may have together after everything is put in."""

MAX_CHAIN: Final = 64
"""Definitions that may stand inside one another."""

TOO_MUCH: Final = Finding(
    "AW110",
    f"with their macros and lists put in, the rules up to here have more than {MAX_EXPANDED_TOTAL:,} tests and items",
    "use shorter lists, or fewer rules",
)


class UnresolvedError(Exception):
    """A reference that cannot be put in; carries the finding at the reference."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Expansion:
    """One condition being filled in: the definitions it is inside of, outermost first, and the room left."""

    __slots__ = ("chain", "room")

    def __init__(self, chain: tuple[str, ...]) -> None:
        self.chain = chain
        self.room = MAX_EXPANDED

    def inside(self, qualified: str) -> "Expansion":
        """The expansion of a definition used in this one."""
        return Expansion((*self.chain, qualified))

    def take(self, size: int) -> None:
        """Use up room for ``size`` tests or items; raises ``UnresolvedError`` (AW110) when there is none left."""
        self.room -= size
        if self.room < 0:
            raise UnresolvedError(
                Finding(
                    "AW110",
                    f"with its macros and lists put in, it has more than {MAX_EXPANDED:,} tests and items",
                    "use shorter lists, or put a macro in once",
                )
            )


def broken(reference: Reference) -> Finding:
    """The finding about a use of a definition that has errors of its own."""
    return Finding(BROKEN, f"${{{reference.name}}} has errors of its own", "mend them first", reference.offset)


def too_deep(reference: Reference) -> Finding:
    """The finding (AW110) about a definition too deep inside others."""
    return Finding(
        "AW110",
        f"${{{reference.name}}} nests too deep: at most {MAX_CHAIN} definitions inside one another, {MAX_DEPTH} levels",
        "flatten the definitions",
        reference.offset,
    )


def size_of(expression: Expression) -> int:
    """How many tests, operands and connectives an expression has."""
    return sum(1 + len(node.operands) if isinstance(node, Comparison) else 1 for node in walk(expression))


def depth_of(expression: Expression) -> int:
    """How many levels of ``and``, ``or`` and ``not`` an expression has."""
    return max((1 + depth_of(operand) for operand in children(expression)), default=0)
