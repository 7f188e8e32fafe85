"""How much a set of rules may cost in regular expressions: a short text can ask for megabytes of them."""

from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.operators import PatternError, pattern_size
from auditwire.condition.syntax import Comparison, Expression, Operator, Text, leaves

MAX_INSTRUCTIONS: Final = 1_000_000
"""RE2 instructions (16 bytes each) that all regular expressions of a set of rules may have together."""


class PatternBudget:
    """Counts the regular expressions of one set of rules; equal ones count each time, as they are built each time."""

    def __init__(self, instructions: int = MAX_INSTRUCTIONS) -> None:
        self._left = instructions
        self._sizes: dict[str, int] = {}

    def take(self, expression: Expression) -> list[Finding]:
        """Use up what the regular expressions of an expression need; AW110 where there is not that much left.

        What RE2 refuses costs nothing here: it is reported where the comparison is checked.
        """
        for comparison in leaves(expression):
            if not isinstance(comparison, Comparison):
                continue
            literal = comparison.operands[0] if comparison.operator is Operator.REGEX else None
            if not isinstance(literal, Text):
                continue
            if self._left > 0:
                self._left -= self._size(literal.value)
            if self._left <= 0:
                return [
                    Finding(
                        "AW110",
                        "the regular expressions up to here take more memory than a set of rules may",
                        "repeat less: .{1000} is a thousand states; or use like and contains",
                        comparison.offset,
                    )
                ]
        return []

    def _size(self, pattern: str) -> int:
        if pattern not in self._sizes:
            try:
                self._sizes[pattern] = pattern_size(pattern)
            except PatternError:
                self._sizes[pattern] = 1
        return self._sizes[pattern]
