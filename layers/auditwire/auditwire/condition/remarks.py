"""Findings about one comparison: how they are made, and how long what they quote may be."""

from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.syntax import Comparison
from auditwire.documents.diagnostics import Severity

MAX_FINDINGS: Final = 20
"""Findings about one text: more say nothing new."""

_MAX_QUOTE_LENGTH: Final = 60
_MAX_HINT_LENGTH: Final = 120


def warning(code: str, comparison: Comparison, message: str, hint: str = "") -> Finding:
    """A warning at a comparison."""
    return Finding(code, message, hint, comparison.offset, Severity.WARNING)


def note(code: str, comparison: Comparison, message: str, hint: str = "") -> Finding:
    """A note at a comparison."""
    return Finding(code, message, hint, comparison.offset, Severity.INFO)


def cut(text: str) -> str:
    """A text as a message quotes it."""
    return text if len(text) <= _MAX_QUOTE_LENGTH else text[:_MAX_QUOTE_LENGTH] + "…"


def cut_hint(hint: str) -> str:
    """A hint that quotes a whole comparison."""
    return hint if len(hint) <= _MAX_HINT_LENGTH else hint[:_MAX_HINT_LENGTH] + "…"
