"""What of a condition KubeSphere's engine does not know, or takes for something else (AW111).

An allow-list: whatever stands here is KubeSphere's, everything else is refused by its dialect.
"""

import re
from collections.abc import Iterator
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.quoting import LITERAL, blank_out
from auditwire.condition.syntax import And, AnyOf, Comparison, Expression, Not, Operator, Or, Path, Reference, walk

_NODES: Final = (Comparison, Reference, Not, And, Or)
_AFTER_AN_INDEX: Final = (Operator.CONTAINS,)
_PATH: Final = re.compile(r"(?:[\w.\-]|\[(?:\*|\d+|\d*:\d*)\])+", re.ASCII)

_NEGATIVE: Final = "|".join(one.value for one in Operator if one.is_word and one.negative)
_NOT_OPERATOR: Final = re.compile(rf"(?<![\w.\-])not(\s+)(?:{_NEGATIVE})(?![\w.\-\[])", re.ASCII)

_LOWERED: Final = "compare each spelling there is, or use regex with (?i)"
_INSTEAD: Final = {Operator.STARTSWITH: 'write like "text*"', Operator.ENDSWITH: 'write like "*text"'}
_HINT: Final = "leave it out, or check without --dialect kubesphere"


def only_here(expression: Expression) -> Iterator[Finding]:
    """What of an expression KubeSphere does not know, in the order of the text."""
    for node in walk(expression):
        if isinstance(node, Comparison):
            yield from _comparison(node)
        elif not isinstance(node, _NODES):
            what = "any" if isinstance(node, AnyOf) else type(node).__name__
            yield _finding(f"KubeSphere knows no {what}", _HINT, getattr(node, "offset", 0))


def path_only_here(path: Path) -> Iterator[Finding]:
    """What of a field's path KubeSphere cannot read."""
    if not _PATH.fullmatch(path.text):
        yield _finding(f"KubeSphere cannot read the field {path.text!r}", _HINT, path.offset)


def _comparison(comparison: Comparison) -> Iterator[Finding]:
    path, operator = comparison.field, comparison.operator
    if isinstance(path, Path):
        yield from path_only_here(path)
    if comparison.lowered:
        yield _finding("KubeSphere knows no lower()", _LOWERED, comparison.offset)
    if not operator.in_kubesphere:
        yield _finding(f"KubeSphere knows no operator {operator}", _INSTEAD.get(operator, _HINT), comparison.offset)
    elif isinstance(path, Path) and path.is_indexed and operator not in _AFTER_AN_INDEX:
        yield _finding(
            f"KubeSphere accepts only contains and not contains after {path.text!r}",
            "leave the kubesphere dialect, or use contains",
            comparison.offset,
        )


def spelling_only_here(text: str) -> list[Finding]:
    """What of a condition's spelling KubeSphere's lexer takes for something else. The text is one that parses."""
    findings = [
        _finding(
            'KubeSphere keeps the backslash of \\" as part of the text',
            'match the quote with like and ?, as in like "say ?hi?"',
            match.start(),
        )
        for match in LITERAL.finditer(text)
        if '\\"' in match[0]
    ]
    findings += [
        _finding("KubeSphere wants exactly one space after not in an operator", "write one space", match.start())
        for match in _NOT_OPERATOR.finditer(blank_out(text))
        if match[1] != " "
    ]
    return sorted(findings, key=lambda finding: finding.offset)


def _finding(message: str, hint: str, offset: int) -> Finding:
    return Finding("AW111", message, hint, offset)
