r"""Whether a text is in an event: within one of its strings, value or key, or within a number as it is written.

The line itself is looked at, token by token, not what a decoder makes of it: of a key that stands twice both values
count, and ``1e400`` is a number like any other.
"""

import re
from typing import Final

import msgspec

# Of valid JSON: a string, or anything else that is neither space nor punctuation.
_TOKEN: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"|[^\s"{}\[\]:,]+')
# What also stands between tokens, so that finding it in the line is not finding it in a token.
_BETWEEN: Final = frozenset('{}[]:, "')


def has_text(line: bytes, text: str) -> bool:
    """Whether the text, which is not empty, is in the event of an archived line. The line must be valid JSON."""
    wanted = text.encode("utf-8", "surrogatepass")
    if b"\\" not in line:
        # Nothing is escaped, so every token is written as it is.
        return wanted in line and (_BETWEEN.isdisjoint(text) or any(wanted in token for token in _tokens(line)))
    return any(wanted in token for token in _tokens(line))


def _tokens(line: bytes) -> list[bytes]:
    tokens = []
    for found in _TOKEN.finditer(line):
        token = found[0] if found[1] is None else found[1]
        if b"\\" in token:
            token = msgspec.json.decode(b'"' + token + b'"', type=str).encode()
        tokens.append(token)
    return tokens
