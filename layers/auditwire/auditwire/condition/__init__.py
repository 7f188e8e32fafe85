"""The rule language: a compiler from the text of a condition to a Python function. Knows nothing of AWS or audit.

text ── parse ─▶ Chain ── precedence ─▶ Expression ── check ─▶ bind ── codegen ─▶ Condition
"""

from auditwire.condition.compile import Condition, compile_condition
from auditwire.condition.errors import ConditionError, EvaluationError

__all__ = ["Condition", "ConditionError", "EvaluationError", "compile_condition"]
