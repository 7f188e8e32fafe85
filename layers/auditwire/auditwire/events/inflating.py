"""Inflating a request body as its ``Content-Encoding`` says, within a bound."""

import sys
from typing import Final

from isal import isal_zlib

from auditwire.events.bounds import MAX_INFLATED

GZIP_MAGIC: Final = b"\x1f\x8b"
"""How gzip begins; no JSON text does."""

_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
# What is left of gzip's first bytes when somebody took them for a text: one that is no UTF-8 became U+FFFD.
_GZIP_AS_TEXT: Final = "\x1f\ufffd".encode()
_STEP = 1024 * 1024
_PIECE = 16 * 1024
_GZIP = 16 + isal_zlib.MAX_WBITS
_ZLIB = isal_zlib.MAX_WBITS
_RAW_DEFLATE = -isal_zlib.MAX_WBITS


class BodyError(Exception):
    """A body is not what its header says.

    ``reason`` is a stable word for counters: ``bad_encoding``, ``bad_gzip``, ``gzip_as_text``, ``truncated``,
    ``too_large``. ``detail`` is one sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def inflate(body: bytes, content_encoding: str | None, *, limit: int = MAX_INFLATED) -> bytes:
    """The body as JSON text: gzip, deflate and zstd are inflated to at most ``limit`` bytes, identity and no header
    pass through.

    Raises BodyError for any other encoding, for bytes that are not what it says, and for more than ``limit`` bytes.
    Memory stays within the limit: the stream is inflated step by step and given up at the first byte too many.
    """
    encoding = (content_encoding or "").strip().lower()
    if encoding in ("", "identity") or not body:
        return body
    match encoding:
        case "gzip" | "x-gzip":
            return _gunzip(body, limit)
        case "deflate":
            # RFC 9110 means zlib's form; some send the bare stream.
            return _members(body, _ZLIB if _is_zlib(body) else _RAW_DEFLATE, "deflate", limit)
        case "zstd":
            return _unzstd(body, limit)
        case _:
            raise BodyError("bad_encoding", "the content encoding is none of gzip, deflate, zstd and identity")


def inflate_unlabelled(body: bytes, *, limit: int = MAX_INFLATED) -> bytes:
    """The body inflated by what its first bytes say, for bytes whose header nobody kept; as it stands where they say
    nothing. Raises BodyError as inflate does."""
    if body.startswith(GZIP_MAGIC):
        return inflate(body, "gzip", limit=limit)
    if body.startswith(_ZSTD_MAGIC):
        return inflate(body, "zstd", limit=limit)
    # JSON never begins like this.
    return inflate(body, "deflate", limit=limit) if _is_zlib(body) else body


def is_gzip_as_text(body: bytes) -> bool:
    """Whether a body was gzip before somebody handed it over as text: API Gateway does so with application/json. Its
    bytes are lost."""
    return body.startswith(_GZIP_AS_TEXT)


def _is_zlib(body: bytes) -> bool:
    return len(body) > 1 and body[0] == 0x78 and int.from_bytes(body[:2], "big") % 31 == 0


def _gunzip(body: bytes, limit: int) -> bytes:
    if is_gzip_as_text(body):
        raise BodyError(
            "gzip_as_text", "gzip that was handed over as text: its bytes are lost; send it as another type"
        )
    return _members(body, _GZIP, "gzip", limit)


def _members(body: bytes, wbits: int, name: str, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit
    view = memoryview(body)
    # A gzip file may have several members, one after the other (RFC 1952, section 2.2).
    while view:
        if wbits == _GZIP and bytes(view[:2]) != GZIP_MAGIC[: len(view)]:
            raise BodyError("bad_gzip", "the body is not gzip")
        member = isal_zlib.decompressobj(wbits=wbits)
        while not member.eof:
            # Fed in small pieces, because what a member leaves unread is copied, and a body may consist of tiny members
            # only.
            piece = view[:_PIECE]
            try:
                part = member.decompress(piece, min(_STEP, room + 1))
            except isal_zlib.error as error:  # type: ignore[misc]  # the stub takes the class for a value
                raise BodyError("bad_gzip", f"the body is not {name}: {error}") from error
            room -= len(part)
            if room < 0:
                raise _too_large(limit)
            rest = member.unused_data if member.eof else member.unconsumed_tail
            read = len(piece) - len(rest)
            if not part and not read and not member.eof:
                raise BodyError("truncated", f"the {name} stream ends too early")
            parts.append(part)
            view = view[read:]
        if view and wbits != _GZIP:
            raise BodyError("bad_gzip", f"something stands behind the {name} stream")
    return b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    # Imported when the first such body comes: hardly a sender uses it, and every cold start would pay.
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415

    parts: list[bytes] = []
    room = limit
    rest = body
    while rest:
        if not rest.startswith(_ZSTD_MAGIC[: len(rest)]):
            raise BodyError("bad_gzip", "the body is not zstd")
        # A frame says how much memory it needs to be read; one that needs more than the limit is too large anyway.
        frame = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 25})
        while not frame.eof:
            try:
                part = frame.decompress(rest, min(_STEP, room + 1))
            except zstd.ZstdError as error:
                raise BodyError("bad_gzip", f"the body is not zstd: {error}") from error
            rest = b""
            room -= len(part)
            if room < 0:
                raise _too_large(limit)
            parts.append(part)
            if not part and frame.needs_input and not frame.eof:
                raise BodyError("truncated", "the zstd stream ends too early")
        rest = frame.unused_data
    return b"".join(parts)


def _too_large(limit: int) -> BodyError:
    return BodyError("too_large", f"the body inflates to more than {limit:,} bytes")
