"""Nesting that is too deep to decode: finding it, and cutting it out so that its neighbours can be read.

JSON readers descend one stack frame per level, and give up on a whole body if one value in it is too deep. One fixed
bound applies here, whatever stack the interpreter has left. No Kubernetes object comes near it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 500
"""The most levels of brackets that an item may have, including its own."""

_CHUNK = 64 * 1024
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NOT_OPENINGS = bytes(set(range(256)) - set(b"[{"))
_ODD_BACKSLASHES = re.compile(rb"(?<!\\)(?:\\\\)*\\\Z")
# The last alternative is a string that never ends. Matching it alone keeps the scan linear.
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]|"', re.DOTALL)


def is_too_deep(item: bytes | memoryview, limit: int = MAX_DEPTH) -> bool:
    """Whether a valid JSON text nests deeper than ``limit`` levels. Takes linear time; memory does not grow with the
    text."""
    view = memoryview(item)
    # Each level costs two bytes and needs an opening bracket. These two tests decide nearly all items.
    if view.nbytes <= 2 * limit:
        return False
    if view.nbytes <= _CHUNK and len(view.tobytes().translate(None, _NOT_OPENINGS)) <= limit:
        return False
    openings = 0
    for chunk in _chunks(view):
        openings += len(chunk.translate(None, _NOT_OPENINGS))
    if openings <= limit:
        return False
    # Counting bracket by bracket is slow. Removing innermost pairs first leaves few brackets to count, and hides at
    # most two levels per round. So what stays well below the limit without them is below it with them.
    rounds = min(4, limit // 2)
    return _depth_exceeds(view, limit - 2 * rounds, rounds) and _depth_exceeds(view, limit, 0)


def _depth_exceeds(view: memoryview, limit: int, rounds: int) -> bool:
    """Whether the depth exceeds the limit after this many rounds of removing innermost pairs of brackets."""
    depth = 0
    in_string = 0
    for chunk in _chunks(view):
        # Without escapes, every quote starts or ends a string, so every other part is outside of strings.
        parts = chunk.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        brackets = b"".join(parts[in_string::2]).translate(None, _NOT_BRACKETS)
        for _ in range(rounds):
            brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        for bracket in brackets:
            depth += 1 if bracket in b"[{" else -1
            if depth > limit:
                return True
        in_string ^= (len(parts) - 1) & 1
    return False


def _chunks(view: memoryview) -> Iterator[bytes]:
    """Yields the text in pieces, none of which ends inside an escape."""
    start = 0
    while start < view.nbytes:
        chunk = view[start : start + _CHUNK].tobytes()
        if chunk.endswith(b"\\") and _ODD_BACKSLASHES.search(chunk):
            chunk = view[start : start + _CHUNK + 1].tobytes()
        yield chunk
        start += len(chunk)


@dataclass(frozen=True, slots=True)
class Cut:
    """A body whose deepest values are replaced by marks, and the values themselves."""

    body: bytes
    mark: bytes
    values: tuple[bytes, ...]

    def touches(self, item: bytes) -> bool:
        """Whether something was cut out of this part of the body."""
        return self.mark in item

    def restore(self, item: bytes) -> bytes:
        """The part as it was received."""
        marks = re.compile(b'"' + re.escape(self.mark) + b'([0-9]+)"')
        return marks.sub(lambda found: self.values[int(found[1])], item)


def cut_deep_values(body: bytes, limit: int = MAX_DEPTH) -> Cut:
    """The body with every value deeper than ``limit`` levels replaced by a string that occurs nowhere else.

    A single linear pass that only matches brackets. So a syntax error stays where it is and is found later.
    """
    mark = b"auditwire-cut-"
    while mark in body:
        mark += b"-"
    parts: list[bytes] = []
    values: list[bytes] = []
    depth = kept = start = 0
    for token in _TOKENS.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth == limit + 1:
                start = token.start()
        elif first in b"]}":
            depth -= 1
            if depth == limit:
                parts += (body[kept:start], b'"%b%d"' % (mark, len(values)))
                values.append(body[start : token.end()])
                kept = token.end()
        elif token.end() - token.start() == 1:
            break
    # A value that never ends is cut off as a whole. The rest is then reported as truncated.
    parts.append(body[kept:start] if depth > limit else body[kept:])
    return Cut(b"".join(parts), mark, tuple(values))
