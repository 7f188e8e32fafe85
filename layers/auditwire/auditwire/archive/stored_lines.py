"""Reading what the archive stored: gzipped lines, as they are inflated, so that no object is too large to be read."""

from collections.abc import Iterable, Iterator
from typing import Final

from isal import isal_zlib

from auditwire.archive.errors import UnreadableError

MAX_LINE_BYTES: Final = 256 << 20
"""A longer line was not stored by ingest: its event would be larger than any body."""

_GZIP: Final = 16 + isal_zlib.MAX_WBITS
_STEP: Final = 1 << 20


def inflated_blocks(chunks: Iterable[bytes], place: str) -> Iterator[bytes]:
    """Yields the content of a gzipped object, of which ``chunks`` come one by one, in blocks of whole lines.

    Raises UnreadableError, which names ``place``, where the object is damaged, behind all that can be read before.
    Holds one line and some MiB in memory, whatever the size of the object.
    """
    begun: list[bytes] = []
    size = 0
    try:
        for part in _inflated(chunks):
            end = part.rfind(b"\n") + 1
            if end:
                yield b"".join((*begun, part[:end]))
                begun, size = [], 0
            begun.append(part[end:])
            size += len(part) - end
            if size > MAX_LINE_BYTES:
                raise UnreadableError(f"{place}: is damaged: a line is longer than {MAX_LINE_BYTES:,} bytes")
    except (isal_zlib.error, EOFError) as error:  # type: ignore[misc]  # the stub takes the class for a value
        raise UnreadableError(f"{place}: is damaged: {error}") from error
    if size:
        yield b"".join(begun)


def inflated(packed: bytes, place: str) -> bytes:
    """Inflates gzipped bytes as a whole. Raises UnreadableError, which names ``place``, if they are anything else."""
    return b"".join(inflated_blocks([packed], place))


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Inflates a gzip file, whose members follow each other (RFC 1952, section 2.2).

    Raises isal_zlib.error and EOFError.
    """
    member, is_whole = isal_zlib.decompressobj(wbits=_GZIP), False
    for chunk in chunks:
        rest = chunk
        while rest:
            if is_whole:
                member, is_whole = isal_zlib.decompressobj(wbits=_GZIP), False
            part = member.decompress(rest, _STEP)
            if part:
                yield part
            is_whole = member.eof
            rest = member.unused_data if is_whole else member.unconsumed_tail
    # Where a step was full, there may be more without another byte of input.
    while not is_whole and (part := member.decompress(b"", _STEP)):
        yield part
        is_whole = member.eof
    if not is_whole:
        raise EOFError("it is no gzip file, or a part of one")
