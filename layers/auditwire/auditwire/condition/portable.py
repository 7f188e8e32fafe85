"""Spellings that this language reads and KubeSphere's engine does not, or not so (AW111)."""

import re
from typing import Final

from auditwire.condition.errors import Finding

_STRING: Final = re.compile(r'"(?:[^"\\]|\\[\s\S])*+"|"[^"]*"')
_NOT_OPERATOR: Final = re.compile(r"(?<![\w.\-])not(\s+)(?:in|contains|like|regex|exists)(?![\w.\-\[])", re.ASCII)


def spelling_only_here(text: str) -> list[Finding]:
    """What of a condition's spelling KubeSphere's lexer takes for something else. The text is one that parses."""
    findings = [
        _finding(
            'KubeSphere keeps the backslash of \\" as part of the text',
            'match the quote with like and ?, as in like "say ?hi?"',
            match.start(),
        )
        for match in _STRING.finditer(text)
        if '\\"' in match[0]
    ]
    bare = _STRING.sub(lambda match: '"' + "_" * (len(match[0]) - 2) + '"', text)
    findings += [
        _finding("KubeSphere wants exactly one space after not in an operator", "write one space", match.start())
        for match in _NOT_OPERATOR.finditer(bare)
        if match[1] != " "
    ]
    return sorted(findings, key=lambda finding: finding.offset)


def _finding(message: str, hint: str, offset: int) -> Finding:
    return Finding("AW111", message, hint, offset)
