"""A stream too large to hold, cut into bodies between its values: at the same places each time, in bounded memory.

For objects and files of any size: JSON lines, JSON back to back as Firehose writes it, arrays; compressed with gzip,
also in several members, or not.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from isal import isal_zlib

from auditwire.events.bounds import MAX_INFLATED
from auditwire.events.inflating import GZIP_MAGIC, BodyError

MAX_STREAM: Final = 16 * 1024**3
"""Bytes of a stream, inflated. What is larger was made to do harm, or should be several."""

_PIECE: Final = 2 * 1024 * 1024
_WINDOWS: Final = tuple(_PIECE << shift for shift in range(5))
"""A cut is looked for in the first of these that has one. Their sizes are fixed, so that how a stream arrives in chunks
does not matter."""
_STEP: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024
# A new value never begins with these: what is printed deeper, and what closes.
_LINE: Final = re.compile(rb"\n(?=[^ \t\r\n\]}])")
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]|,|"', re.DOTALL)
_BLANK: Final = b" \t\r\n"


def inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A stream inflated, if it begins as gzip does; as it is otherwise. Raises BodyError where it is damaged, once
    everything before that was given, and for more than MAX_STREAM bytes."""
    room = MAX_STREAM
    for part in _inflated(chunks):
        room -= len(part)
        if room < 0:
            raise BodyError("too_large", f"the stream inflates to more than {MAX_STREAM:,} bytes")
        yield part


def pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A stream as bodies of about two megabytes, in its order. Together they hold every value of it.

    A value that is larger is a body of its own. What does not end within MAX_INFLATED bytes is cut there.
    """
    rest, in_array, wanted = b"", False, _PIECE
    for chunk in chunks:
        rest += chunk
        # A byte behind the window says whether a line ends at its end.
        while len(rest) > wanted:
            in_array, rest = _entered(rest, in_array=in_array)
            cut = _cut(rest, in_array=in_array)
            if cut is None:
                # The windows so far have none.
                wanted = next(window for window in _WINDOWS if window >= len(rest))
                break
            wanted = _PIECE
            end, start, ends_array = cut
            if end:
                yield _body(rest[:end], in_array=in_array)
            rest, in_array = rest[start:], in_array and not ends_array
    if rest.strip(_BLANK):
        # Of an array that is read to its end the closing bracket is left.
        yield b"[" + rest if in_array else rest


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    source = iter(chunks)
    begin = b""
    while len(begin) < len(GZIP_MAGIC) and (chunk := next(source, b"")):
        begin += chunk
    if not begin.startswith(GZIP_MAGIC):
        yield begin
        yield from source
        return
    members = _Members()
    for chunk in chain([begin], source):
        yield from members.inflated(chunk)
    if not members.are_whole:
        raise BodyError("truncated", "the gzip stream ends too early")


class _Members:
    """The members of a gzip stream, one behind the other."""

    def __init__(self) -> None:
        self._member = isal_zlib.decompressobj(wbits=31)

    @property
    def are_whole(self) -> bool:
        """Whether the last member has ended."""
        return bool(self._member.eof)

    def inflated(self, chunk: bytes) -> Iterator[bytes]:
        """What a part of the stream inflates to, in parts. Raises BodyError."""
        # In small parts, because what a member leaves unread is copied.
        for start in range(0, len(chunk), _CHUNK):
            waiting = chunk[start : start + _CHUNK]
            while waiting:
                if self._member.eof:
                    self._member = isal_zlib.decompressobj(wbits=31)
                try:
                    part = self._member.decompress(waiting, _STEP)
                except isal_zlib.error as error:  # type: ignore[misc]  # the stub takes the class for a value
                    raise BodyError("bad_gzip", f"the stream is not gzip: {error}") from error
                if part:
                    yield part
                waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail


def _entered(text: bytes, *, in_array: bool) -> tuple[bool, bytes]:
    """Whether a text stands in an array, and the text behind the bracket that opens it."""
    if in_array:
        return True, text
    bare = text.lstrip(_BLANK)
    return (True, bare[1:]) if bare[:1] == b"[" else (False, text)


def _cut(text: bytes, *, in_array: bool) -> tuple[int, int, bool] | None:
    """Where the next body ends, where what follows begins, and whether that is behind the array; None where more of the
    stream has to be there first."""
    for window in _WINDOWS:
        if len(text) <= window:
            return None
        found = None if in_array else _last_line(text, window)
        found = found or _last_value(text, window, in_array=in_array)
        if found is not None:
            return found
    return MAX_INFLATED, MAX_INFLATED, False


def _last_line(text: bytes, window: int) -> tuple[int, int, bool] | None:
    end = window
    # Backwards: of a text with line ends one is near.
    while (at := text.rfind(b"\n", 0, end)) > 0:
        if _LINE.match(text, at):
            return at + 1, at + 1, False
        end = at
    return None


def _last_value(text: bytes, window: int, *, in_array: bool) -> tuple[int, int, bool] | None:
    """The last place in the window between two values that stand beside each other."""
    depth, last = 0, None
    for token in _TOKEN.finditer(text, 0, window):
        kind = text[token.start()]
        if kind in b"[{":
            depth += 1
        elif kind in b"]}":
            depth -= 1
            if depth < 0 and in_array:
                return token.start(), token.end(), True
            depth = max(depth, 0)
            if not depth and not in_array:
                last = token.end(), token.end(), False
        elif kind == ord(",") and not depth and in_array:
            last = token.start(), token.end(), False
        elif kind == ord('"') and token.end() - token.start() == 1:
            # A string that goes on behind the window.
            break
    return last


def _body(text: bytes, *, in_array: bool) -> bytes:
    return b"[%b]" % text if in_array else text
