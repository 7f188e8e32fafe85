"""Audit events in a file, one after the other, each with its place in that file.

An audit.log can have gigabytes, so JSON lines are streamed. A document of several lines (an indented EventList, an
array, objects back to back) cannot be cut before its end, so it is read whole, up to a bound.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from itertools import chain
from pathlib import Path
from typing import IO, cast

import msgspec
import orjson

from auditwire_cli.errors import CommandError, UsageError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_BYTES = 256 << 20
"""An EventList on one line can be long, but a device such as /dev/zero has no line end."""
MAX_DOCUMENT_BYTES = 1 << 30

_SHAPES = "give an audit.log (JSON lines), an EventList, an array, or objects back to back"
_UNFINISHED = (b"[", b"{", b",")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Item:
    """One event as it is in its file, byte for byte.

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
        """Every event of the file, in order. In JSON lines, a line that is not JSON is an Item with a fault.

        Raises CommandError when the file as a whole is not JSON in any shape, when its gzip data are damaged, and for
        a line or a document that is too long.
        """
        with self._readable():
            lines, numbered = self._begin()
            if lines:
                for line, text in numbered:
                    yield from _of_line(line, text)
            else:
                yield from self._items_of_document(numbered)

    def texts(self) -> Iterator[bytes]:
        """Every line of JSON lines, unread, or else every event of the file. Raises as iterating does."""
        with self._readable():
            lines, numbered = self._begin()
            if lines:
                for _, text in numbered:
                    yield text
            else:
                for item in self._items_of_document(numbered):
                    yield item.raw

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError, ValueError) as error:
            # gzip reports damage as any of these, depending on where it is.
            raise CommandError(f"cannot read {self.name}: {error}") from None

    def _begin(self) -> tuple[bool, Iterator[tuple[int, bytes]]]:
        """Whether these are JSON lines, and the lines with their numbers, without empty ones."""
        numbered = ((line, text) for line, text in enumerate(self._lines(), start=1) if text.strip())
        head = [(line, text.removeprefix(BYTE_ORDER_MARK)) for line, text in _first_two(numbered)]
        return _is_json_lines([text for _, text in head]), chain(head, numbered)

    def _items_of_document(self, numbered: Iterator[tuple[int, bytes]]) -> Iterator[Item]:
        first = 0

        def texts() -> Iterator[bytes]:
            nonlocal first
            for line, text in numbered:
                first = first or line
                yield text

        document = self._whole(texts())
        if not document:
            return
        try:
            parts = split(document)
        except ValueError as error:
            raise CommandError(f"there are no audit events in {self.name}: {_reason(error)}", _SHAPES) from None
        for number, part in enumerate(parts, start=1):
            yield Item(first, part, number, _fault(part))

    def _lines(self) -> Iterator[bytes]:
        number = 0
        while line := self._stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise CommandError(f"{self.name}:{number}: the line is longer than {MAX_LINE_BYTES >> 20} MiB", _SHAPES)
            yield line

    def _whole(self, lines: Iterator[bytes]) -> bytes:
        document = bytearray()
        for line in lines:
            document += line
            if len(document) > MAX_DOCUMENT_BYTES:
                raise CommandError(
                    f"{self.name} is not JSON lines, and longer than {MAX_DOCUMENT_BYTES >> 20} MiB", _SHAPES
                )
        return bytes(document)


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
    return line.startswith(b"{") and line.endswith(b"\n") and _is_json(line)


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


def _of_line(line: int, text: bytes) -> Iterator[Item]:
    try:
        parts = split(text)
    except ValueError as error:
        yield Item(line, text.strip(), fault=_reason(error))
        return
    for number, part in enumerate(parts, start=1):
        yield Item(line, part, number if len(parts) > 1 else 0, _fault(part))


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


def _first_two(lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    # zip() would swallow a third line; range comes first so that it does not.
    for _, line in zip(range(2), lines, strict=False):
        yield line


def _is_json_lines(head: list[bytes]) -> bool:
    """Whether a file that begins with these lines has one JSON value a line.

    The first line may be the tail or the head of an event that log rotation cut; then the second one decides.
    """
    if not head:
        return False
    if _is_json(head[0]):
        return True
    return len(head) == 2 and not head[0].rstrip().endswith(_UNFINISHED) and _is_json(head[1])


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _inflated(stream: BufferedReader) -> IO[bytes]:
    if stream.peek(2)[:2] != _GZIP_MAGIC:
        return stream
    from isal import igzip

    inflating = igzip.IGzipFile(fileobj=stream)  # type: ignore[no-untyped-call]
    return cast("IO[bytes]", BufferedReader(inflating))
