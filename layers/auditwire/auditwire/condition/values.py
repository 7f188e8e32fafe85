"""Values as the language sees them: their text, their number, their truth.

A value is decoded JSON. Facts about text and numbers are those of KubeSphere's engine (Go's formatting and
parsing), with the divergences of ``dialect.py``.
"""

import math
import re
from decimal import Decimal
from typing import Any, Final

from auditwire.condition.errors import EvaluationError

# Go's floats: an underscore may stand between two digits, or between the prefix and a digit.
_DECIMAL: Final = re.compile(
    r"[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?",
    re.ASCII,
)
_HEXADECIMAL: Final = re.compile(
    r"[+-]?0[xX](?:_?[0-9a-fA-F])*(?:\.(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?[pP][+-]?[0-9]+", re.ASCII
)
_SPECIAL: Final = re.compile(r"[+-]?inf(?:inity)?|nan", re.ASCII | re.IGNORECASE)

_TRUE: Final = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "false", "FALSE", "False"))

_EXACT: Final = 2.0**53
_SMALLEST_PLAIN: Final = 1e-6
_MAX_PLAIN: Final = 1e21

MAX_NUMBER_LENGTH: Final = 1_000
"""Characters of a text that may still be read as a number: longer ones cost quadratic time and mean nothing."""


MAX_PRINTED_LEVELS: Final = 64
"""How deep the objects and arrays of a printed value may nest; what is deeper is printed as an ellipsis."""


def text_of(value: Any, levels: int = MAX_PRINTED_LEVELS) -> str:
    """The text of a value that is not null: strings as they are, numbers (64-bit floats, as in KubeSphere)
    as JSON writes them.

    Objects and arrays, which only stand inside arrays here, print as Go prints them (``map[k:v]``, ``[a b]``).
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(number_of(value))
    if value is None:
        return "<nil>"
    if not levels:
        return "…"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{text_of(value[key], levels - 1)}' for key in sorted(value))}]"
    return f"[{' '.join(text_of(item, levels - 1) for item in value)}]"


def number_of(value: Any) -> float:
    """The value as a 64-bit float, texts by Go's rules for floats.

    Raises ``EvaluationError`` when the text is no number or does not fit.
    """
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if type(value) is float:
        return value
    text = text_of(value)
    number = parse_number(text)
    if number is None:
        raise EvaluationError(f"{_excerpt(text)} is not a number")
    return number


def parse_number(text: str) -> float | None:
    """The 64-bit float a text spells by Go's rules, or None: not a number, or too large for one."""
    if len(text) > MAX_NUMBER_LENGTH:
        return None
    if _DECIMAL.fullmatch(text):
        number = float(text.replace("_", ""))
    elif _HEXADECIMAL.fullmatch(text):
        digits = text.replace("_", "")
        try:
            number = float.fromhex(digits)
        except (ValueError, OverflowError):
            return None
    elif _SPECIAL.fullmatch(text):
        return float(text)
    else:
        return None
    return None if math.isinf(number) else number


def truth_of(value: Any) -> bool:
    """The value as a boolean: 1, t, true, 0, f, false in the casings Go takes.

    Raises ``EvaluationError`` for every other text.
    """
    text = text_of(value)
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise EvaluationError(f"{_excerpt(text)} is neither true nor false")


def is_present(value: Any) -> bool:
    """Whether a value exists: not null, and an object only if something in it does."""
    if not isinstance(value, dict):
        return value is not None
    # Without recursion: senders choose how deep values nest.
    pending = [value]
    while pending:
        for below in pending.pop().values():
            if isinstance(below, dict):
                pending.append(below)
            elif below is not None:
                return True
    return False


def _number_text(value: float) -> str:
    """A number as JSON writes it: plain decimal from 1e-6 up to 1e21, scientific beyond."""
    if abs(value) < _EXACT and value == int(value):
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    if _SMALLEST_PLAIN <= abs(value) < _MAX_PLAIN:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return repr(value).replace("e-0", "e-").replace("inf", "Inf")


def _excerpt(text: str) -> str:
    """A value in an error message: quoted, cut, control characters escaped, so that a log line stays one line."""
    return repr(text if len(text) <= 40 else text[:40] + "…")
