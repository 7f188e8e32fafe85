"""Content encodings are undone within a bound."""

import gzip
import os
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from auditwire.events import BodyError, inflate
from auditwire.events.inflating import inflate_unlabelled

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"items":[]}' * 1000
PACKED = gzip.compress(TEXT, mtime=0)  # the same bytes in every test process


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_a_plain_body_passes_through(encoding: str | None) -> None:
    assert inflate(TEXT, encoding) is TEXT


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip ", "x-gzip"])
def test_gzip_is_inflated(encoding: str) -> None:
    assert inflate(PACKED, encoding) == TEXT


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("deflate", zlib.compress), ("deflate", raw_deflate), ("zstd", zstd.compress), ("ZSTD", zstd.compress)],
)
def test_other_encodings_of_shippers_are_inflated_within_the_limit(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    assert inflate(pack(TEXT), encoding, limit=len(TEXT)) == TEXT
    with pytest.raises(BodyError) as refused:
        inflate(pack(TEXT), encoding, limit=len(TEXT) - 1)
    assert refused.value.reason == "too_large"


def test_frames_of_zstd_one_behind_the_other_are_inflated_whole() -> None:
    assert inflate(zstd.compress(TEXT) + zstd.compress(b"") + zstd.compress(TEXT), "zstd") == TEXT * 2


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstd.compress, lambda text: text])
def test_without_a_header_the_first_bytes_say_how_to_inflate(pack: Callable[[bytes], bytes]) -> None:
    assert inflate_unlabelled(pack(TEXT)) == TEXT


def test_a_body_of_several_members_is_inflated_whole() -> None:
    assert inflate(PACKED + gzip.compress(b"") + PACKED, "gzip") == TEXT * 2


def test_what_does_not_compress_is_inflated_too() -> None:
    noise = os.urandom(3_000_000)

    assert inflate(gzip.compress(noise), "gzip") == noise


def test_an_empty_body_is_empty_whatever_the_header_says() -> None:
    assert inflate(b"", "gzip") == b""


@pytest.mark.parametrize(
    ("body", "encoding", "reason", "detail"),
    [
        (PACKED.decode("utf-8", "replace").encode(), "gzip", "gzip_as_text",
         "gzip that was handed over as text: its bytes are lost; send it as another type"),
        (TEXT, "deflate", "bad_gzip", "the body is not deflate: Error -3 Invalid lookback distance found"),
        (zlib.compress(TEXT)[:-1], "deflate", "truncated", "the deflate stream ends too early"),
        (zlib.compress(TEXT) + b"x", "deflate", "bad_gzip", "something stands behind the deflate stream"),
        (TEXT, "zstd", "bad_gzip", "the body is not zstd"),
        (zstd.compress(TEXT)[:-9], "zstd", "truncated", "the zstd stream ends too early"),
        (TEXT, "br", "bad_encoding", "the content encoding is none of gzip, deflate, zstd and identity"),
        (PACKED, "gzip, gzip", "bad_encoding", "the content encoding is none of gzip, deflate, zstd and identity"),
        (TEXT, "gzip", "bad_gzip", "the body is not gzip"),
        (b"{", "gzip", "bad_gzip", "the body is not gzip"),
        (PACKED + b"trailing", "gzip", "bad_gzip", "the body is not gzip"),
        (PACKED[:-8] + b"sums" + PACKED[-4:], "gzip", "bad_gzip",
         "the body is not gzip: Error -6 Incorrect checksum found"),
        (PACKED[:-1], "gzip", "truncated", "the gzip stream ends too early"),
        (PACKED[:20], "gzip", "truncated", "the gzip stream ends too early"),
        (PACKED[:1], "gzip", "truncated", "the gzip stream ends too early"),
    ],
)  # fmt: skip
def test_what_is_not_what_the_header_says_is_refused(body: bytes, encoding: str, reason: str, detail: str) -> None:
    with pytest.raises(BodyError) as refused:
        inflate(body, encoding)

    assert (refused.value.reason, refused.value.detail, str(refused.value)) == (reason, detail, detail)


def test_the_limit_itself_is_allowed_and_one_byte_more_is_not() -> None:
    assert inflate(PACKED, "gzip", limit=len(TEXT)) == TEXT
    with pytest.raises(BodyError) as refused:
        inflate(PACKED, "gzip", limit=len(TEXT) - 1)
    assert refused.value.reason == "too_large"
    with pytest.raises(BodyError) as refused:
        inflate(PACKED + PACKED, "gzip", limit=len(TEXT) + 1)
    assert refused.value.reason == "too_large"


@pytest.mark.slow
def test_a_bomb_costs_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    try:
        with pytest.raises(BodyError) as refused:
            inflate(bomb, "gzip", limit=10_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert refused.value.reason == "too_large"
    assert peak < 13_000_000


def test_a_body_of_many_tiny_members_is_read_to_its_end() -> None:
    assert inflate(gzip.compress(b"") * 100_000, "gzip") == b""
