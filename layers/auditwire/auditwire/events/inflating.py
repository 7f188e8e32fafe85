"""Inflating a request body as its ``Content-Encoding`` says, within a bound."""

from isal import isal_zlib

MAX_INFLATED_BYTES = 64 * 1024 * 1024
_STEP = 1024 * 1024
_PIECE = 16 * 1024
_MAGIC = b"\x1f\x8b"
_GZIP = 16 + isal_zlib.MAX_WBITS


class BodyError(Exception):
    """A body is not what its header says.

    ``reason`` is a stable word for counters: ``bad_encoding``, ``bad_gzip``, ``truncated``, ``gzip_bomb``. ``detail``
    is one sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def inflate(body: bytes, content_encoding: str | None, *, limit: int = MAX_INFLATED_BYTES) -> bytes:
    """The body as JSON text. Gzip is inflated to at most ``limit`` bytes; with identity or no header the body is
    returned unchanged.

    Raises BodyError for any other encoding, for bytes that are not gzip, and for more than ``limit`` bytes. Memory
    stays within the limit: the stream is inflated step by step, and given up at the first byte too many.
    """
    encoding = (content_encoding or "").strip().lower()
    if encoding in ("", "identity") or not body:
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise BodyError("bad_encoding", "the content encoding is neither gzip nor identity")
    return _gunzip(body, limit)


def _gunzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit
    view = memoryview(body)
    # A gzip file may have several members, one after the other (RFC 1952, section 2.2).
    while view:
        if bytes(view[:2]) != _MAGIC[: len(view)]:
            raise BodyError("bad_gzip", "the body is not gzip")
        member = isal_zlib.decompressobj(wbits=_GZIP)
        while not member.eof:
            # Fed in small pieces, because what a member leaves unread is copied, and a body may consist of tiny members
            # only.
            piece = view[:_PIECE]
            try:
                part = member.decompress(piece, min(_STEP, room + 1))
            except isal_zlib.error as error:  # type: ignore[misc]  # the stub takes the class for a value
                raise BodyError("bad_gzip", f"the body is not gzip: {error}") from error
            room -= len(part)
            if room < 0:
                raise BodyError("gzip_bomb", f"the body inflates to more than {limit} bytes")
            rest = member.unused_data if member.eof else member.unconsumed_tail
            read = len(piece) - len(rest)
            if not part and not read and not member.eof:
                raise BodyError("truncated", "the gzip stream ends too early")
            parts.append(part)
            view = view[read:]
    return b"".join(parts)
