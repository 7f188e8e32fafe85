"""What is kept until later: items of the archive table, lines that are searched, the outbox, the quarantine."""

import gzip
import json
import re
from collections.abc import Hashable
from datetime import UTC, datetime
from functools import partial
from random import Random

from auditwire.alerts import MemoryPublisher
from auditwire.alerts.counting import message_counted_under
from auditwire.alerts.message import Message
from auditwire.alerts.outbox import decode_messages, encode_messages, outbox_key
from auditwire.archive import MemoryArchive, QuarantineNote, partition
from auditwire.archive.errors import ArchiveError
from auditwire.archive.found import found_in
from auditwire.archive.items import INDEXES, LINE, index_value, item_of, key_of
from auditwire.archive.keys import kept_at
from auditwire.archive.quarantine import QuarantineEntry
from auditwire.archive.store import Record
from auditwire.events import decode, encode_line, settle
from auditwire.ingest.ingest import Ingest
from auditwire.ingest.retry import read_again, retry
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target
from fuzz.targets.requests import OneCluster, Rules

RECEIVED = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)
_PARTITION = re.compile(r"prod#[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]#[0-7]")
_EVENT = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z#[0-9a-f]{64}")
_ENTRY = QuarantineEntry("quarantine/cluster=prod/x.gz", "prod", "x", 1, RECEIVED)


def _item(data: bytes) -> Hashable:
    events = decode(data).events[:50]
    for event in events:
        settle(event, cluster="prod", received=RECEIVED)
    outcome = []
    for group in partition(events, RECEIVED):
        for event in (events[position] for position in group.members):
            record = Record(event, encode_line(event, {"flags": sorted(event.flags)}), group.t)
            key = key_of(f"prod#{record.at[:13]}", record, 8)
            assert _PARTITION.fullmatch(key.partition), f"an odd partition {key.partition!r}"
            assert _EVENT.fullmatch(key.event), f"an odd key {key.event!r}"
            item = item_of(key, record, {LINE: {"B": b""}}, 1)
            found = found_in(record.line, "here", partial(kept_at, t=group.t))
            assert found.at == record.at, "kept at another time than it is found at"
            wanted = {"auditID": found.audit_id, "user": found.user, "object": found.object}
            for name in INDEXES:
                value = item.get(name, {}).get("S")
                assert value == index_value(wanted[name]), f"{name} is kept as {value!r} and looked for otherwise"
                assert value is None or 0 < len(value.encode()) <= 1024, f"{name} cannot stand in an index"
            assert len(json.dumps({**item, LINE: ""}, ensure_ascii=False).encode(errors="strict")) < 8192
            outcome.append((frozenset(item), frozenset(event.flags)))
    return tuple(outcome[:3])


def _search(data: bytes) -> Hashable:
    try:
        found = found_in(data, "here", partial(kept_at, t="20261121T220500.000000Z"))
    except ArchiveError:
        return "damaged"
    return bool(found.user), bool(found.object), found.code is None


def _outbox(data: bytes) -> Hashable:
    try:
        messages = decode_messages(data)
    except ValueError:
        return "damaged"
    assert decode_messages(encode_messages(messages)) == messages, "another message after a second time"
    assert outbox_key(messages) == outbox_key(list(messages)), "another key"
    return len(messages), frozenset(message_counted_under(one) == "prod" for one in messages)


def _outboxes() -> list[bytes]:
    attributes = {"rule": "own.Exec", "cluster": "prod", "namespace": "shop"}
    messages = [Message(text.decode(), attributes) for text in seeds.messages()]
    return [encode_messages(messages), encode_messages(messages[:1]), encode_messages([]), gzip.compress(b"{}\n[]\n")]


class _Held:
    """A quarantine with one object."""

    def __init__(self, note: QuarantineNote, raw: bytes) -> None:
        self.note, self.raw, self.is_there = note, raw, True

    def read(self, entry: QuarantineEntry) -> tuple[QuarantineNote, bytes]:
        return self.note, self.raw

    def remove(self, entry: QuarantineEntry) -> None:
        self.is_there = False


def _retry(data: bytes) -> Hashable:
    kind = "item" if data[:1] == b"i" else "body"
    held = _Held(QuarantineNote("invalid_json", kind, "prod", RECEIVED), data[1:])  # type: ignore[arg-type]
    again = read_again(held.note, held.raw)
    archive = MemoryArchive()
    ingest = Ingest(OneCluster(), Rules(), archive, MemoryPublisher())  # type: ignore[arg-type]
    done = retry(held, ingest, _ENTRY, RECEIVED.timestamp() + 2)
    if done.account is None:
        assert again.fault is not None, "nothing was taken, and nothing is wrong"
        assert held.is_there, "what nobody could read has gone"
        return kind, again.fault.reason
    account = done.account
    assert done.outcome == "taken", done.why
    assert kind == "body" or account.received == 1, "an item has become several"
    assert account.received == account.archived + account.ignored.total() + account.quarantined.total(), (
        "events are lost"
    )
    assert held.is_there == any(reject.raw == held.raw for reject in again.decoded.rejects), "gone, or left, wrongly"
    return kind, min(account.received, 3), frozenset(account.quarantined)


def _quarantined() -> list[bytes]:
    small = [body for body in seeds.bodies() if len(body) < 4_096]
    return [
        *(b"b" + body for body in small),
        *(b"i" + body for body in small),
        *(b"b" + gzip.compress(body, mtime=0) for body in small[:5]),
    ]


_mutate_any = mutator((b"\x1f\x8b", b"\n", b'{"message":"","attributes":{}}', b'"attributes"'), trees=False)


def _mutate_outbox(rng: Random, corpus: list[bytes]) -> bytes:
    # What is behind the checksum is only seen in what was compressed after the change.
    if rng.random() < 0.2:
        return _mutate_any(rng, corpus)
    plain = []
    for packed in corpus[-20:]:
        try:
            plain.append(gzip.decompress(packed))
        except (OSError, EOFError, ValueError):
            plain.append(b'{"message":"x","attributes":{"cluster":"prod"}}\n')
    return gzip.compress(_mutate_lines(rng, plain), 1, mtime=0)


_mutate_lines = mutator(
    (b"\n", b'{"message":"', b'"attributes":{', b'"cluster":"', b"\xe2\x80\xa8", b"\\ud800", b"null")
)

ITEM = Target("item", _item, seeds.bodies, mutator(), share=2)
SEARCH = Target(
    "search",
    _search,
    lambda: [b'{"cluster":"prod","auditID":"x","stageTimestamp":"2026-11-21T22:05:00.123456Z"}', *seeds.bodies()],
    mutator(),
)
OUTBOX = Target("outbox", _outbox, _outboxes, _mutate_outbox)
RETRY = Target("retry", _retry, _quarantined, mutator(), share=2)
