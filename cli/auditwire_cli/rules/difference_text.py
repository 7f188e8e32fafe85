"""The difference between two sets of rules, for people."""

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted

if TYPE_CHECKING:
    from auditwire.rules.difference import Change, Difference, RuleChange

_WIDTH = 88
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def difference_text(found: "Difference") -> str:
    """What is decided differently, rule by rule; the last line counts the changes."""
    lines: list[str] = []
    for rule in found.rules:
        lines += _rule(rule)
    for title, changes in _others(found):
        if changes:
            lines.append(f"~ {title}")
            for change in changes:
                lines += _change(change)
    return "\n".join([*lines, summary(found)])


def summary(found: "Difference") -> str:
    """``1 rule added, 2 changed; settings changed``, or that there is no difference."""
    kinds = [(kind, sum(rule.kind == kind for rule in found.rules)) for kind in _SIGNS]
    parts = [f"{count:,} {kind}" for kind, count in kinds if count]
    if parts:
        first, *rest = parts
        count, _, kind = first.partition(" ")
        parts = [f"{counted(int(count.replace(',', '')), 'rule')} {kind}", *rest]
    others = [name for name, changes in _others(found) if changes]
    texts = [", ".join(parts)] if parts else []
    texts += [f"{' and '.join(others)} changed"] if others else []
    return "; ".join(texts) or "no difference"


def _others(found: "Difference") -> tuple[tuple[str, "tuple[Change, ...]"], ...]:
    return ("exceptions", found.exceptions), ("settings", found.settings), ("audit policy", found.policy)


def _rule(rule: "RuleChange") -> Iterator[str]:
    yield f"{_SIGNS[rule.kind]} {rule.rule}"
    if rule.kind == "changed":
        for change in rule.changes:
            yield from _change(change)
    else:
        facts = {change.what: change.after if rule.kind == "added" else change.before for change in rule.changes}
        for what in ("used for", "priority", "enabled", "condition"):
            value = facts.get(what) or ""
            if value and not (what == "enabled" and value == "true"):
                first, *rest = broken(value)
                yield f"    {what}: {first}"
                yield from (f"      {line}" for line in rest)
    if rule.through:
        yield f"    because of {', '.join(rule.through)}"


def _change(change: "Change") -> Iterator[str]:
    before, after = printable(change.before or ""), printable(change.after or "")
    if "\n" not in f"{change.before}{change.after}" and len(before) + len(after) <= _WIDTH - len(change.what):
        yield f"    {change.what}: {before or 'none'} → {after or 'none'}"
        return
    yield f"    {change.what}:"
    old, new = broken(change.before or ""), broken(change.after or "")
    for line in list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]:
        yield "      …" if line.startswith("@@") else f"      {line}"


def broken(text: str) -> list[str]:
    """A condition or another text as lines; of a long condition, each test at its outermost level has its own line."""
    if "\n" in text:
        return [printable(line) for line in text.split("\n")]
    if len(text) <= _WIDTH:
        return [printable(text)] if text else []
    return [printable(piece) for line in _split(text, 0, (" and ", " or ")) for piece in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    """A line that is still long, broken after the commas of its lists."""
    if len(line) <= _WIDTH:
        return [line]
    first, *rest = _split(line, None, (", ",))
    return [first, *(f"  {item}" for item in rest)]


def _split(text: str, level: int | None, separators: tuple[str, ...]) -> list[str]:
    """The text, cut at separators that are outside of strings, at this depth of parentheses (None: at any).

    A word begins the next piece; a comma ends the one before it.
    """
    pieces, start, depth, in_string, position = [], 0, 0, False, 0
    while position < len(text):
        character = text[position]
        if in_string:
            position += 1 if character != "\\" else 2
            in_string = character != '"'
            continue
        in_string = character == '"'
        depth += (character == "(") - (character == ")")
        separator = next((one for one in separators if text.startswith(one, position)), "")
        if separator and level in (None, depth):
            cut = position + (1 if separator != ", " else 2)
            pieces.append(text[start:cut].rstrip())
            start = cut
        position += 1
    return [*pieces, text[start:]]
