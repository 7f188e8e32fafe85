"""What ``Content-Encoding`` says about a request body, undone within a bound."""

from isal import isal_zlib

LIMIT = 64 * 1024 * 1024
_STEP = 1024 * 1024
_GZIP = 16 + isal_zlib.MAX_WBITS


class BodyError(Exception):
    """A body that is not what its header says.

    ``reason`` is a stable word for counters: ``bad_encoding``, ``bad_gzip``, ``truncated``, ``gzip_bomb``.
    ``detail`` is one sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def inflate(body: bytes, content_encoding: str | None, *, limit: int = LIMIT) -> bytes:
    """The body as JSON text: gzip is inflated to at most ``limit`` bytes, identity and no header pass
    through.

    Raises BodyError for any other encoding, for bytes that are not gzip, and for more than ``limit`` bytes.
    Memory stays within the limit: the stream is inflated step by step and given up at the first byte too
    many.
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
    rest = body
    # A gzip file may have several members, one behind the other (RFC 1952, section 2.2).
    while rest:
        member = isal_zlib.decompressobj(wbits=_GZIP)
        while not member.eof:
            try:
                part = member.decompress(rest, min(_STEP, room + 1))
            except isal_zlib.error as error:
                raise BodyError("bad_gzip", f"the body is not gzip: {error}") from error
            room -= len(part)
            if room < 0:
                raise BodyError("gzip_bomb", f"the body inflates to more than {limit} bytes")
            if not part and not member.eof and not member.unconsumed_tail:
                raise BodyError("truncated", "the gzip stream ends too early")
            parts.append(part)
            rest = member.unconsumed_tail
        rest = member.unused_data
    return b"".join(parts)
