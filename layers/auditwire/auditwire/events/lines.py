"""A body that is no JSON as a whole, taken line by line: every whole line is decided about, whatever stands between.

A value begins where a line begins, and ends where one ends: a line of its own, or several that are one value together.
What stands inside of a value is never taken out of it.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from auditwire.events.bounds import MAX_ITEMS, OverBoundError

_SPACE = b" \t\r"
_BLANK = _SPACE + b"\0"
_BOM = b"\xef\xbb\xbf"
_MAX_LINES: Final = 20 * MAX_ITEMS
"""A printed event has some fifty lines; printed bodies are only taken line by line when there is a fault in them."""

CLOSING = b"]}, \t\r"
"""A line of nothing else closes what began on lines before."""
_LOOKED_AT: Final = 100

_DOCUMENTS = msgspec.json.Decoder(msgspec.Raw)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# The beginning of a list of items: an array, or an object whose items come next. What is below it belongs to it.
_LIST = re.compile(rb'(?:\{(?:[^{}\[\]]|\{\})*?"(?:items|records|logEvents)"[ \t]*:[ \t]*)?\[', re.IGNORECASE)


class Faulty(msgspec.Struct, frozen=True, gc=False):
    """A line that is no JSON, with the lines that belong to it; without the white space and NUL bytes around it."""

    text: bytes
    is_utf8: bool = True


def split_lines(text: bytes) -> Iterator[list[msgspec.Raw] | Faulty]:
    """The values of each line, or the line itself where it is faulty, in order.

    Raises OverBoundError for a text of too many lines, and RecursionError where a value nests too deep.
    """
    if text.count(b"\n") > _MAX_LINES:
        raise OverBoundError("too_many_items", f"the body has more than {_MAX_LINES:,} lines, and faults among them")
    lines = text.split(b"\n")
    ends: list[int] | None = None
    at = 0
    while at < len(lines):
        line = lines[at]
        # Where a file was cut back while it was written NUL bytes stand in front of what was written next.
        whole = line.strip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)
        if not whole:
            at += 1
            continue
        found = _values(whole)
        if found is not None:
            yield found
            at += 1
            continue
        opens = whole[:1] in (b"{", b"[")
        if opens:
            ends = ends if ends is not None else _ends(lines)
            if ends[at] > at + 1 and stands_alone(lines, at, ends[at]):
                found = _values(b"\n".join(lines[at : ends[at]]).strip(_BLANK))
                if found is not None:
                    yield found
                    at = ends[at]
                    continue
        first, at = at, at + 1
        if opens:
            at = _end_of_faulty(lines, first)
        faulty = b"\n".join(lines[first:at]).strip(_BLANK + b"\n")
        yield Faulty(faulty, is_utf8=_is_utf8(faulty))


def stands_alone(lines: list[bytes], first: int, end: int) -> bool:
    """Whether lines that close what they open may be a value of their own, and none from inside of another one whose
    beginning is cut off: as it is printed, a value begins and ends without indent, and nothing is left to be closed
    behind it."""
    if _indent(lines[first].lstrip(b"\0")) or _indent(lines[end - 1]):
        return False
    following = (line.strip(_BLANK) for line in lines[end : end + _LOOKED_AT])
    return next(filter(None, following), b"x").strip(CLOSING) != b""


def _values(text: bytes) -> list[msgspec.Raw] | None:
    try:
        values = _DOCUMENTS.decode_lines(text)
    except msgspec.DecodeError:
        return None
    return values if text.isascii() or _is_utf8(text) else None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ends(lines: list[bytes]) -> list[int]:
    """For each line the number of the line behind the one where everything is closed that is open since its beginning;
    0 where that never happens."""
    depths = [0]
    for line in lines:
        # No string goes over a line end, so each line's quotes can be counted by themselves.
        brackets = line
        if b'"' in line:
            brackets = b"".join(line.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
        brackets = brackets.translate(None, _NO_BRACKETS)
        opened = brackets.count(b"{") + brackets.count(b"[")
        depths.append(depths[-1] + 2 * opened - len(brackets))
    ends = [0] * len(lines)
    open_lines: list[int] = []
    for number, depth in enumerate(depths):
        while open_lines and depths[open_lines[-1]] >= depth:
            ends[open_lines.pop()] = number
        if number < len(lines):
            open_lines.append(number)
    return ends


def _end_of_faulty(lines: list[bytes], first: int) -> int:
    """The number of the line behind a faulty value that begins a line, with what belongs to it: the members that are
    printed below an opening brace, and the items of a list that is cut off."""
    begin, indent, at = lines[first].strip(_SPACE), _indent(lines[first]), first + 1
    if begin.endswith(b",") and _LIST.match(begin):
        while at < len(lines) and lines[at].rstrip(_SPACE).endswith(b","):
            at += 1
        at += 1
    elif begin == b"{":
        while at < len(lines) and (not lines[at].strip(_SPACE) or _indent(lines[at]) > indent):
            at += 1
        at += at < len(lines) and _indent(lines[at]) == indent and lines[at].lstrip(_SPACE).startswith(b"}")
    return min(at, len(lines))


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))
