"""Literals that the operator beside them cannot take: capitals beside ``lower()``, and networks that are none."""

import re
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.networks import NetworkError, network_of
from auditwire.condition.syntax import Boolean, Comparison, Number, Operands, Operator, Reference, Text

_MAX_QUOTE_LENGTH: Final = 60

# Letters of a regular expression that are no text: classes, escaped characters, flags, names of groups.
_NO_TEXT_OF_REGEX: Final = re.compile(
    r"\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[\s\S])|\(\?(?:P<\w+>|[A-Za-z-]+)"
)


def unfit_operand(comparison: Comparison) -> Finding | None:
    """What is wrong with the literals of a comparison (AW122, AW123); references are not looked at."""
    if comparison.lowered and (finding := _beside_lower(comparison)):
        return finding
    if comparison.operator is Operator.WITHIN:
        for operand in comparison.operands:
            if not isinstance(operand, Reference) and (finding := _no_network(comparison, operand)):
                return finding
    return None


def _beside_lower(comparison: Comparison) -> Finding | None:
    operator = comparison.operator
    if operator.operands in (Operands.NONE, Operands.NETWORKS):
        message, hint = f"lower() and {operator} do not go together", "leave lower() out"
        return Finding("AW122", message, hint, comparison.offset)
    for operand in comparison.operands:
        if isinstance(operand, Boolean) or (isinstance(operand, Number) and not operator.goes_by_text):
            message = "lower() gives a text, and this is none"
            return Finding("AW122", message, "compare the field itself", comparison.offset)
        if isinstance(operand, Text):
            text = operand.value
            small = _NO_TEXT_OF_REGEX.sub("", text) if operator is Operator.REGEX else text
            if small != small.lower():
                return Finding(
                    "AW122",
                    f'a text in lower case is never "{_cut(text)}", which has capitals',
                    "write small letters" if operator is Operator.REGEX else f'write "{_cut(text.lower())}"',
                    comparison.offset,
                )
    return None


def _no_network(comparison: Comparison, operand: Text | Number | Boolean) -> Finding | None:
    text = operand.value if isinstance(operand, Text) else getattr(operand, "spelling", "")
    try:
        network_of(str(text))
    except NetworkError as error:
        return Finding(
            "AW123",
            f'"{_cut(str(text))}" is no network: {error}',
            'a network is an address with the length of its prefix, as in "10.0.0.0/8", or one address',
            comparison.offset,
        )
    return None


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_QUOTE_LENGTH else text[:_MAX_QUOTE_LENGTH] + "…"
