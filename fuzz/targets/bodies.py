"""Request bodies: inflating, decoding, and what becomes of their events in the archive."""

import gzip
import re
from collections.abc import Hashable
from datetime import UTC, datetime
from random import Random

import msgspec

from auditwire.events import BodyError, Level, as_stored, decode, encode_line, inflate, settle
from auditwire.events.redact_uri import redact_uri
from auditwire.events.timestamps import normalise
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target

RECEIVED = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)

_STAMP = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_INFLATED = 1024 * 1024


def _decode(data: bytes) -> Hashable:
    decoded = decode(data)
    for reject in decoded.rejects:
        # What was wrapped in text or base64 is not in the body as it stands.
        assert reject.raw == data or reject.kind == "item", "a reject is not as received"
    if len(data) < 4_096:
        again = decode(data)
        assert again.events == decoded.events, "decoding twice gives two results"
        assert again.rejects == decoded.rejects, "decoding twice gives two results"
        assert again.skipped == decoded.skipped, "decoding twice gives two results"
    reasons = frozenset((reject.kind, reject.reason) for reject in decoded.rejects)
    kinds = frozenset((event.sender, event.canonical) for event in decoded.events)
    return reasons, kinds, min(len(decoded.events), 4), min(len(decoded.rejects), 4)


def _line(data: bytes) -> Hashable:
    outcome = []
    for event in decode(data).events[:50]:
        settle(event, cluster="prod", received=RECEIVED)
        for level in (None, Level.METADATA, Level.REQUEST):
            stored = as_stored(event, level, omit_managed_fields=level is Level.REQUEST)
            line = encode_line(stored, {"received": "now"})
            assert b"\n" not in line, "a line end in a line"
            assert b"\r" not in line, "a carriage return in a line"
            fields = _OBJECT.decode(line)
            assert [key for key in fields if key.lower() == "_auditwire"] == ["_auditwire"], "a forged provenance"
            assert line.count(b'"received":"now"') >= 1
            assert fields["cluster"] == msgspec.Raw(b'"prod"'), "another cluster"
            assert _STAMP.fullmatch(msgspec.json.decode(fields["stageTimestamp"])), "an odd stageTimestamp"
            assert encode_line(as_stored(event, level, omit_managed_fields=level is Level.REQUEST), {"received": "now"})
            if level is Level.METADATA:
                assert stored.requestObject is None, "a body at level Metadata"
                assert stored.responseObject is None, "a body at level Metadata"
        outcome.append((frozenset(event.flags), event.sender, frozenset(event.edited)))
        _ = event.requestBody, event.responseBody, event.digest, event.unknown
    return tuple(outcome[:3])


def _inflate(data: bytes) -> Hashable:
    encodings = (None, "gzip", "identity", "GZIP ", "deflate", "x-gzip")
    encoding = encodings[data[0] % len(encodings)] if data else "gzip"
    try:
        inflated = inflate(data[1:], encoding, limit=_INFLATED)
    except BodyError as error:
        return error.reason
    assert len(inflated) <= max(_INFLATED, len(data)), "more than the limit"
    return min(len(inflated).bit_length(), 12)


def _gzipped() -> list[bytes]:
    plain = [body for body in seeds.bodies() if len(body) < 4_096]
    whole = [b"\x01" + gzip.compress(body, mtime=0) for body in plain]
    bomb = gzip.compress(bytes(4 * _INFLATED), mtime=0)
    return [
        *whole,
        b"\x01" + bomb,
        b"\x01" + gzip.compress(b"", mtime=0) * 300,
        *(b"\x00" + body for body in plain[:3]),
    ]


def _uri(data: bytes) -> Hashable:
    text = data.decode("utf-8", "replace")
    redacted = redact_uri(text)
    assert redact_uri(redacted) == redacted, "redacting twice changes more"
    return redacted == text, redacted.count("[REDACTED]") < 3


def _timestamp(data: bytes) -> Hashable:
    text = data.decode("utf-8", "surrogateescape")
    normal = normalise(text)
    if normal is None:
        return None
    assert _STAMP.fullmatch(normal), "not in normal form"
    assert normalise(normal) == normal, "the normal form is not stable"
    return normal == text, len(text)


_URI_WORDS = (
    b"token=", b"access_token=", b"?", b"&", b";", b"#", b"%26", b"%3f", b"%3d", b"bearer ", b"Bearer%20", b"eyJhbGciOi",
    b"eyJh.eyJz.sig", b".", b"base64url.bearer.authorization.k8s.io.", b"%74oken=", b"/api/v1/", b"%", b"+", b"authorization=",
)  # fmt: skip
_TIME_WORDS = (
    b"T", b"t", b"Z", b"z", b"+", b"-", b":", b".", b"60", b"59", b"23", b"24", b"0000", b"0001", b"9999", b"02-29", b"12-31",
    b"00", b"\xd9\xa3", b"\n", b"000000000", b"+23:59", b"-23:59", b"+24:00",
)  # fmt: skip
_TIMES = (
    b"2026-11-21T22:05:00.123456Z", b"2026-11-21T22:05:00Z", b"2026-11-21t22:05:00.1234567890+02:00", b"0001-01-01T00:00:00Z",
    b"2016-12-31T23:59:60Z", b"9999-12-31T23:59:60.9-00:01", b"2024-02-29T00:00:00-23:59",
)  # fmt: skip


def _mutate_gzip(rng: Random, corpus: list[bytes]) -> bytes:
    changed = _any_bytes(rng, corpus)
    # Most changes break the checksum; what comes after it is only seen in what was compressed after the change.
    return b"\x01" + gzip.compress(changed, 1, mtime=0) if rng.random() < 0.2 else changed


_any_bytes = mutator((b"\x1f\x8b", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", b"\x00\x00", b"\xff\xff"), trees=False)

DECODE = Target("decode", _decode, seeds.bodies, mutator(), share=2)
INFLATE = Target("inflate", _inflate, _gzipped, _mutate_gzip)
LINE = Target("line", _line, seeds.bodies, mutator(), share=2)
URI = Target(
    "uri",
    _uri,
    lambda: [b"/api/v1/pods?token=abc&x=y"],
    mutator(_URI_WORDS, trees=False, largest=1024 * 1024),
    share=0.5,
)
TIMESTAMP = Target("timestamp", _timestamp, lambda: list(_TIMES), mutator(_TIME_WORDS, trees=False), share=0.4)
