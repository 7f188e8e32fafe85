"""Regular expressions that are a plain text in disguise."""

import re
from typing import Final

from auditwire.condition.quoting import quote

_PLAIN: Final = re.compile(r"[A-Za-z0-9_:/@ ,=-]+", re.ASCII)
_CHOICE: Final = re.compile(r"\^\(((?:[A-Za-z0-9_:/@=-]+\|)+[A-Za-z0-9_:/@=-]+)\)\$", re.ASCII)


def literal_of_regex(field: str, pattern: str, *, negated: bool) -> str:
    """The comparison of ``field`` without ``regex`` that means the same, or nothing: the pattern is needed."""
    no = "not " if negated else ""
    choice = _CHOICE.fullmatch(pattern)
    if choice:
        return f"{field} {no}in ({', '.join(quote(word) for word in choice[1].split('|'))})"
    starts, ends = pattern.startswith("^"), pattern.endswith("$")
    literal = pattern.removeprefix("^").removesuffix("$")
    if not _PLAIN.fullmatch(literal):
        return ""
    if starts and ends:
        return f"{field} {'!=' if negated else '='} {quote(literal)}"
    if starts or ends:
        return f"{field} {no}like {quote(literal + '*' if starts else '*' + literal)}"
    return f"{field} {no}contains {quote(literal)}"
