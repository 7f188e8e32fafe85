"""The rule language: a compiler from the text of a condition to a Python function. Knows nothing of AWS or audit.

text ── parse ─▶ Chain ── precedence ─▶ Expression ── check ─▶ bind ── codegen ─▶ Condition
"""

from typing import TYPE_CHECKING, Any

from auditwire.condition.assemble import Condition
from auditwire.condition.errors import ConditionError, EvaluationError

if TYPE_CHECKING:
    from auditwire.condition.compile import compile_condition

__all__ = ["Condition", "ConditionError", "EvaluationError", "compile_condition"]


def __getattr__(name: str) -> Any:
    # The compiler brings the parser along, which a function that loads compiled rules never needs.
    if name == "compile_condition":
        from auditwire.condition.compile import compile_condition  # noqa: PLC0415

        return compile_condition
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
