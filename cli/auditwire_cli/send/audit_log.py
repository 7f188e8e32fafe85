"""Audit events in a file, one after the other, each with its place in that file.

An audit.log can have gigabytes, so lines are streamed. A value of several lines, such as a printed EventList, is held
until it ends. What is no JSON stays a line: it may be an event behind a prefix, a part of one, or no event.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Final, cast

import msgspec
import orjson

from auditwire.documents.utf16 import UTF16_HINT, is_utf16
from auditwire_cli.errors import CommandError, UsageError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_BYTES = 256 << 20
"""An EventList on one line can be long, but a device such as /dev/zero has no line end."""
MAX_DOCUMENT_BYTES = 1 << 30
MAX_HEAD_BYTES = 16 << 20
"""So much of a file may stand before its first event, or before anything that could be one."""

_SHAPES = "give an audit.log (JSON lines), an EventList, an array, or objects back to back"
# A file that was cut back while it was written has NUL bytes where it was cut.
_BLANK: Final = b" \t\r\n\0"
_INSIDE = "not JSON: it is inside of a value whose beginning is cut off"
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_NOT_JSON: Final = frozenset(("invalid_json", "invalid_utf8", "truncated"))
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a file, or a line of it that is not JSON; byte for byte.

    ``line`` counts from 1. ``number`` is its place among several on that line, also from 1, and 0 where it is alone.
    ``fault`` says why these bytes are not JSON, and so cannot be a part of a list; it is empty when they are.
    """

    line: int
    raw: bytes
    number: int = 0
    fault: str = ""

    @property
    def place(self) -> str:
        """Where it is, for a message: ``12``, or ``1 item 3``."""
        return f"{self.line} item {self.number}" if self.number else str(self.line)


@dataclass(frozen=True, slots=True)
class AuditLog:
    """An open file of events. ``size`` is its bytes on disk, None where they are not known; ``position()`` is how many
    of them have been read, so that there is progress for compressed files too.
    """

    name: str
    size: int | None
    position: Callable[[], int]
    _stream: IO[bytes]

    def __iter__(self) -> Iterator[Item]:
        """Every value of the file, in order; lists of events are taken apart. What is not JSON is an Item with a fault.

        Raises CommandError when nothing in the file can be an event, when its gzip data are damaged, and for a line or
        a value that is too long.
        """
        yield from self._readable(self._items())

    def texts(self) -> Iterator[bytes]:
        """The same as bytes, and quicker: a line with an object is not looked into, so it may hold more than one
        event, or none. Raises as iterating does."""
        for item in self._readable(self._items(looks_into_objects=False)):
            yield item.raw

    def _readable(self, items: Iterator[Item]) -> Iterator[Item]:
        head: list[Item] = []
        head_bytes = 0
        is_known = False
        try:
            for item in items:
                if is_known:
                    yield item
                    continue
                head.append(item)
                head_bytes += len(item.raw)
                is_known = not item.fault or _may_be_event(item.raw)
                if is_known:
                    yield from head
                elif head_bytes > MAX_HEAD_BYTES:
                    break
        except (EOFError, OSError, ValueError) as error:
            # gzip reports damage as any of these, depending on where it is.
            raise CommandError(f"cannot read {self.name}: {error}") from None
        if head and not is_known:
            if is_utf16(head[0].raw.decode("utf-8", "replace")):
                raise CommandError(f"{self.name} is UTF-16, not UTF-8", UTF16_HINT)
            raise CommandError(f"there are no audit events in {self.name}: {head[0].fault}", _SHAPES)

    def _items(self, *, looks_into_objects: bool = True) -> Iterator[Item]:
        lines = enumerate(self._lines(), start=1)
        returned: list[tuple[int, bytes]] = []
        while (numbered := returned.pop() if returned else next(lines, None)) is not None:
            line, raw = numbered
            text = raw.strip(_BLANK).removeprefix(BYTE_ORDER_MARK).strip(_BLANK)
            if not text:
                continue
            if not looks_into_objects and text[:1] == b"{" and text[-1:] == b"}":
                yield Item(line, text)
                continue
            parts = _parts(text)
            if isinstance(parts, str) and (open_brackets := _open_brackets(text)):
                block = _gathered(self.name, raw, open_brackets, lines, returned) + _closing(lines, returned)
                yield from _of_block(line, block.rstrip(_BLANK).lstrip(b"\r\n\0").removeprefix(BYTE_ORDER_MARK))
            else:
                yield from _of_parts(line, text, parts)

    def _lines(self) -> Iterator[bytes]:
        number = 0
        while line := self._stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise CommandError(f"{self.name}:{number}: the line is longer than {MAX_LINE_BYTES >> 20} MiB", _SHAPES)
            yield line


@contextmanager
def open_audit_log(name: str) -> Iterator[AuditLog]:
    """The file called ``name``, or standard input for ``-``. gzip is recognised by its first bytes.

    Raises UsageError for a file that cannot be opened.
    """
    if name == "-":
        # Without its own buffer, which would wait until it is full: what comes from a pipe is sent at once.
        stdin = cast("RawIOBase", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
        yield AuditLog("-", None, lambda: 0, _inflated(BufferedReader(stdin)))
        return
    path = Path(name)
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    with file:
        if path.is_file():
            yield AuditLog(name, path.stat().st_size, file.tell, _inflated(file))
        else:
            yield AuditLog(name, None, lambda: 0, _inflated(file))


def begins_with_events(path: Path) -> bool:
    """Whether a file is JSON lines that can be read from any line on: not compressed, with an object on its first line.

    Raises UsageError for a file that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_LINE_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return line.startswith(b"{") and line.endswith(b"\n") and not isinstance(_parts(line), str)


def split(document: bytes) -> list[bytes]:
    """The items of a document: those of an EventList's ``items`` or KubeSphere's ``Items``, those of an array, objects
    back to back, or the one object that it is. Raises ValueError when it is not JSON.
    """
    text = document.strip()
    try:
        try:
            return _of_value(text)
        except msgspec.DecodeError:
            # Objects back to back: only a decoder that says where a value ends can take them apart.
            return _back_to_back(text.decode())
    except RecursionError:
        raise ValueError("nested too deep") from None


def _of_value(text: bytes) -> list[bytes]:
    if text.startswith(b"["):
        return [bytes(element) for element in _elements.decode(text)]
    if text.startswith(b"{"):
        for key, value in _members.decode(text).items():
            if key in {"items", "Items"} and bytes(value).startswith(b"["):
                return [bytes(element) for element in _elements.decode(value)]
    msgspec.json.decode(text, type=msgspec.Raw)
    return [text]


def _back_to_back(text: str) -> list[bytes]:
    scan = json.JSONDecoder().raw_decode
    parts: list[bytes] = []
    start = 0
    while start < len(text):
        _, end = scan(text, start)
        try:
            parts += _of_value(text[start:end].encode())
        except msgspec.DecodeError:
            # Python's json accepts NaN; as an item of its own it is found and named later.
            parts.append(text[start:end].encode())
        while end < len(text) and text[end].isspace():
            end += 1
        start = end
    return parts


def _parts(text: bytes) -> list[bytes] | str:
    """The items of a text that is JSON, or why it is not."""
    try:
        return split(text)
    except ValueError as error:
        return _reason(error)


def _of_parts(line: int, text: bytes, parts: list[bytes] | str) -> Iterator[Item]:
    if isinstance(parts, str):
        yield Item(line, text, fault=parts)
        return
    for number, part in enumerate(parts, start=1):
        yield Item(line, part, number if len(parts) > 1 else 0, _fault(part))


def _of_block(line: int, block: bytes) -> Iterator[Item]:
    """The items of lines that look like one value. Where they are none, each line counts, as for the endpoint."""
    from auditwire.events.bounds import OverBoundError
    from auditwire.events.lines import Faulty, split_lines, stands_alone

    parts = _parts(block)
    lines = block.split(b"\n")
    if not isinstance(parts, str):
        if stands_alone(lines, 0, len(lines)):
            yield from _of_parts(line, block.strip(_BLANK), parts)
            return
        parts = _INSIDE
    try:
        found = list(split_lines(block))
    except (OverBoundError, RecursionError):
        yield Item(line, block, fault=parts)
        return
    at = end = 0
    for each in found:
        for text in [each.text] if isinstance(each, Faulty) else map(bytes, each):
            start = block.find(text, end)
            line += block.count(b"\n", at, start)
            found_in = _parts(text)
            is_inside = isinstance(each, Faulty) and not isinstance(found_in, str)
            yield from _of_parts(line, text, _INSIDE if is_inside else found_in)
            at, end = start, start + len(text)


def _gathered(
    name: str, raw: bytes, stack: list[int], lines: Iterator[tuple[int, bytes]], returned: list[tuple[int, bytes]]
) -> bytes:
    """A line with those that follow until everything is closed that it opens; ``stack`` are its open brackets.

    A line that cannot go on with what is before it is the beginning of something else, and is ``returned``.
    """
    block = bytearray(raw)
    while stack:
        following = next(lines, None)
        if following is None:
            break
        text = following[1].strip(_BLANK)
        # A member has a name first: behind an open brace no line is a whole value.
        if chr(stack[-1]) == "{" and text[:1] == b"{" and not isinstance(_parts(text), str):
            returned.append(following)
            break
        block += following[1]
        if len(block) > MAX_DOCUMENT_BYTES:
            raise CommandError(f"{name} has a value that is longer than {MAX_DOCUMENT_BYTES >> 20} MiB", _SHAPES)
        if not _follow(text, stack):
            break
    return bytes(block)


def _closing(lines: Iterator[tuple[int, bytes]], returned: list[tuple[int, bytes]]) -> bytes:
    """The lines that come next and only close what began before: with them a value is known to be a part of another."""
    from auditwire.events.lines import CLOSING

    closing = bytearray()
    while (numbered := returned.pop() if returned else next(lines, None)) is not None:
        text = numbered[1].strip(_BLANK)
        if not text or text.strip(CLOSING):
            returned.append(numbered)
            break
        closing += numbered[1]
    return bytes(closing)


def _open_brackets(text: bytes) -> list[int]:
    """The brackets that a text leaves open, if it may be the beginning of a value that goes on on the next line."""
    stack: list[int] = []
    return stack if text[:1] in (b"{", b"[") and _follow(text, stack) else []


def _follow(text: bytes, stack: list[int]) -> bool:
    """Brings a stack of open brackets up to date with one line more. False if the line ends within a string."""
    outside = text.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
    for bracket in b"".join(outside[::2]).translate(None, _NO_BRACKETS):
        if bracket in b"{[":
            stack.append(bracket)
        elif stack:
            stack.pop()
    return len(outside) % 2 == 1


def _may_be_event(line: bytes) -> bool:
    """Whether a line that is not JSON is or holds something of an audit log, such as an event behind a prefix."""
    from auditwire.events import decode

    decoded = decode(line)
    return bool(decoded.events or any(reject.reason not in _NOT_JSON for reject in decoded.rejects))


def _fault(item: bytes) -> str:
    # Strict on purpose: bad UTF-8, NaN or a lone surrogate in one item spoils the whole body that it is in.
    try:
        orjson.loads(item)
    except orjson.JSONDecodeError as error:
        return _reason(error)
    return ""


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start + 1}"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (character {error.pos + 1})"
    return f"not JSON: {error}"


def _inflated(stream: BufferedReader) -> IO[bytes]:
    if stream.peek(2)[:2] != _GZIP_MAGIC:
        return stream
    from isal import igzip

    inflating = igzip.IGzipFile(fileobj=stream)  # type: ignore[no-untyped-call]
    return cast("IO[bytes]", BufferedReader(inflating))
