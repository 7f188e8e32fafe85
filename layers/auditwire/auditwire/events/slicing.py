"""A body over the bounds, cut into bodies below them: at the borders of items, at the same places each time.

For roads that are no request and have time: what a sender put into one body is taken all the same. No event is ever
cut, and each slice has the envelope around it that its items came in.
"""

from base64 import b64decode, b64encode
from binascii import Error as NoBase64Error
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from auditwire.events.bounds import MAX_ITEMS
from auditwire.events.casing import fields_of
from auditwire.events.decoding import is_over_bound
from auditwire.events.inflating import BodyError, inflate_unlabelled
from auditwire.events.wrapping import otlp_protobuf
from auditwire.events.wrapping.wrapped_lines import REQUIRED_IN_LOWER_CASE

MAX_SLICED: Final = 1024**3
"""Bytes of a body, inflated, that is cut at all; what is larger is for a machine with more memory, in pieces."""

_MAX_PACK_ITEMS: Final = MAX_ITEMS // 2
_MAX_PACK_BYTES: Final = 2 * 1024 * 1024
_NOT_CUT: Final = frozenset((*REQUIRED_IN_LOWER_CASE, "protopayload"))
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_DOCUMENTS = msgspec.json.Decoder(msgspec.Raw)
_TEXT = msgspec.json.Decoder(str)


def slices(body: bytes) -> Iterator[bytes]:
    """A body, compressed or not, as bodies within the bounds, in its order; the inflated body itself where it is within
    them. What cannot be cut, such as one huge item, is a slice that is not.

    Raises BodyError for a body that cannot be inflated, or to more than ``MAX_SLICED`` bytes.
    """
    yield from _cut(inflate_unlabelled(body, limit=MAX_SLICED))


def _cut(text: bytes) -> Iterator[bytes]:
    parts = _parts(text) if is_over_bound(text) else []
    if len(parts) < 2:
        yield text
        return
    for part in parts:
        yield from _cut(part)


def _parts(text: bytes) -> list[bytes]:
    """A text in several, each with some of its items; none where it cannot be cut."""
    if otlp_protobuf.may_be_request(text):
        # Collectors put fewer records into a request than the bound.
        return []
    try:
        documents = _DOCUMENTS.decode_lines(text)
    except (msgspec.DecodeError, RecursionError):
        return [b"\n".join(pack) for pack in _packs(text.split(b"\n"), _begins_line)]
    if len(documents) == 1:
        return _parts_of_value(documents[0])
    return [b"\n".join(map(bytes, pack)) for pack in _packs(documents)]


def _parts_of_value(value: msgspec.Raw) -> list[bytes]:
    """A value in several, each with a part of the longest list in it; none for an event, which is not cut."""
    match bytes(memoryview(value)[:1]):
        case b"[":
            items = _LIST.decode(value)
            if len(items) == 1:
                return [b"[%b]" % part for part in _parts_of_value(items[0])]
            return [b"[%b]" % b",".join(map(bytes, pack)) for pack in _packs(items)]
        case b"{":
            fields = fields_of(value)
            if not fields or not _NOT_CUT.isdisjoint(name.lower() for name in fields):
                return []
            longest = max(fields, key=lambda name: len(memoryview(fields[name])))
            parts = _parts_of_value(fields[longest])
            return [msgspec.json.encode(fields | {longest: msgspec.Raw(part)}) for part in parts]
        case b'"':
            return _parts_of_data(_TEXT.decode(value))
        case _:
            return []


def _parts_of_data(text: str) -> list[bytes]:
    """Base64 of a body in several, each of a part of that body."""
    try:
        inner = list(_cut(inflate_unlabelled(b64decode(text, validate=True), limit=MAX_SLICED)))
    except (NoBase64Error, ValueError, BodyError):
        return []
    return [b'"%b"' % b64encode(part) for part in inner] if len(inner) > 1 else []


def _begins_line(line: bytes) -> bool:
    """Whether a new value may begin with a line: nothing that is printed deeper, and no closing bracket."""
    return line[:1] not in (b" ", b"\t", b"]", b"}", b"")


def _packs(
    items: Sequence[msgspec.Raw] | Sequence[bytes], may_begin: Callable[[bytes], bool] = lambda _: True
) -> Iterator[list[msgspec.Raw | bytes]]:
    """Items in packs of so many that few packs are over a bound; at least two packs, where there are two items."""
    most = min(_MAX_PACK_ITEMS, -(-len(items) // 2))
    pack: list[msgspec.Raw | bytes] = []
    size = 0
    for item in items:
        length = len(memoryview(item))
        if pack and (len(pack) >= most or size + length > _MAX_PACK_BYTES) and may_begin(bytes(memoryview(item)[:1])):
            yield pack
            pack, size = [], 0
        pack.append(item)
        size += length
    if pack:
        yield pack
