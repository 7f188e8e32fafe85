"""A stream is cut between its values, at the same places however it arrives."""

import gzip
import json
from collections.abc import Iterator
from random import Random

import pytest

from auditwire.events import BodyError, decode
from auditwire.events.pieces import inflated, pieces
from envelopes import cloudwatch, text_of
from local_road import exec_event

COUNT = 900
EVENTS = [exec_event(number, annotations={"padding": "x" * (number % 4_000 + 2_000)}) for number in range(COUNT)]
TEXTS = [json.dumps(event) for event in EVENTS]
STREAMS = {
    "lines": "\n".join(TEXTS).encode() + b"\n",
    "lines with CRLF": "\r\n".join(TEXTS).encode(),
    "back to back": "".join(TEXTS).encode(),
    "an array": text_of(EVENTS),
    "arrays": b"".join(text_of(EVENTS[start : start + 300]) for start in range(0, COUNT, 300)),
    "a printed array": json.dumps(EVENTS, indent=2).encode(),
    "printed values": "\n".join(json.dumps(event, indent=1) for event in EVENTS).encode(),
    "wrapped": text_of([{"log": text} for text in TEXTS]),
    "of Firehose": b"".join(text_of(cloudwatch(TEXTS[start : start + 50])) for start in range(0, COUNT, 50)),
}


def in_chunks(data: bytes, most: int) -> Iterator[bytes]:
    rng, at = Random(7), 0
    while at < len(data):
        size = rng.randrange(1, most)
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_every_value_is_in_one_piece_in_order(stream: bytes) -> None:
    found = list(pieces([stream]))
    decoded = [decode(piece) for piece in found]

    assert len(found) > 1
    assert max(map(len, found)) <= 2 * 1024 * 1024 + 2
    assert [event.auditID for one in decoded for event in one.events] == [event["auditID"] for event in EVENTS]
    assert [reject for one in decoded for reject in one.rejects] == []


@pytest.mark.parametrize("stream", [STREAMS[name] for name in ("lines", "back to back", "an array")])
def test_the_pieces_are_the_same_however_the_stream_arrives(stream: bytes) -> None:
    whole = list(pieces([stream]))
    members = b"".join(gzip.compress(stream[at : at + 700_000], 1) for at in range(0, len(stream), 700_000))

    assert list(pieces(in_chunks(stream, 300_000))) == whole
    assert list(pieces(inflated(in_chunks(members, 100_000)))) == whole


def test_what_is_small_is_given_as_it_is() -> None:
    for body in (b'{"a":1}', b"[1, 2]\n", b"no JSON", b'["a'):
        assert list(pieces([body[:3], body[3:]])) == [body]
    assert list(pieces([])) == list(pieces([b" \n "])) == []


def test_a_large_value_is_a_piece_of_its_own_and_one_without_an_end_is_cut() -> None:
    large = json.dumps(exec_event(1, annotations={"padding": "x" * 5_000_000})).encode()
    found = list(pieces(in_chunks(large + b"\n" + TEXTS[0].encode() + b"\n", 1_000_000)))
    assert [json.loads(one)["auditID"] for line in found for one in line.splitlines()] == [
        exec_event(1)["auditID"], EVENTS[0]["auditID"],
    ]  # fmt: skip

    endless = b'{"a":"' + b"x" * 35_000_000
    assert [len(piece) for piece in pieces([endless])] == [32 << 20, len(endless) - (32 << 20)]


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (gzip.compress(STREAMS["lines"])[:-20], "truncated"),
        (gzip.compress(b"x") + b"rubbish" * 9, "bad_gzip"),
        (b"\x1f\x8b" + b"\x00" * 99, "bad_gzip"),
    ],
    ids=["cut", "rubbish behind it", "rubbish"],
)
def test_what_is_damaged_is_an_error_behind_what_could_be_read(packed: bytes, reason: str) -> None:
    found: list[bytes] = []
    with pytest.raises(BodyError) as caught:
        found.extend(pieces(inflated([packed])))
    assert caught.value.reason == reason


def test_a_bomb_ends_at_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditwire.events.pieces.MAX_STREAM", 10_000_000)
    with pytest.raises(BodyError, match="more than 10,000,000 bytes"):
        for _ in inflated([gzip.compress(b" " * 20_000_000)]):
            pass
