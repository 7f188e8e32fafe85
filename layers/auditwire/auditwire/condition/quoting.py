"""Texts in double quotes, as conditions, outputs and paths write them."""

import re
from typing import Final

STRING: Final = r'"(?:[^"\\]|\\[\s\S])*+"'
r"""The pattern of a quoted text: ``\"`` and ``\\`` keep it open."""

LITERAL: Final = re.compile(rf'{STRING}|"[^"]*"')
r"""A string literal. Only where no closing quote is left does a backslash stand before one, as in ``"C:\"``."""


REFERENCE: Final = re.compile(rf'\$\{{((?:[^{{}}"\s]|{STRING})+)\}}')
"""``${name}`` or, in outputs, ``${Field.Path}``; its group is what stands inside."""


def quote(value: str) -> str:
    """A string literal whose value is ``value``."""
    return '"' + value.replace('"', '\\"') + '"'


def unquote(literal: str) -> str:
    """The value of a string literal: the quotes off, ``\\"`` decoded.

    Every other backslash stays: it belongs to a regular expression or to a Windows path.
    """
    return literal[1:-1].replace('\\"', '"')


def blank_out(text: str) -> str:
    """The text with ``_`` for every character inside its string literals: what is left are words of the language."""
    return LITERAL.sub(lambda match: '"' + "_" * (len(match[0]) - 2) + '"', text)
