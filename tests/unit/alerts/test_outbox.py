"""The outbox: what is put there comes out text for text, under a key that nobody chooses, in memory as in S3."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib
from moto import mock_aws

from auditwire.alerts import OutboxError, encode_message, fold
from auditwire.alerts.message import Message, message_of
from auditwire.alerts.outbox import (
    Contents,
    HeldMessages,
    MemoryOutbox,
    NoOutbox,
    S3Outbox,
    decode_messages,
    encode_messages,
    outbox_key,
)
from auditwire.alerts.unjudged import Unjudged, decode_unjudged, encode_unjudged
from auditwire.thresholds.store import Addition
from occurrences import occurrence, rule_of

BUCKET = "archive"
ONE, TWO, THREE = (Message(f'{{"n":{number}}}', {"rule": "r"}) for number in (1, 2, 3))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", "us-east-1", config=Config(retries={"total_max_attempts": 1}))
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture(params=["memory", "s3"])
def outbox(request: pytest.FixtureRequest) -> HeldMessages:
    return MemoryOutbox() if request.param == "memory" else S3Outbox(request.getfixturevalue("s3"), BUCKET)


@given(st.lists(st.builds(Message, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3)), max_size=5))
def test_messages_come_out_as_they_went_in(messages: list[Message]) -> None:
    assert decode_messages(encode_messages(messages)) == tuple(messages)


def test_an_alert_is_kept_as_it_would_have_been_published() -> None:
    rule = rule_of(annotations={"note": "\ufffe\n\u2028 ü"})
    (alert,) = fold([occurrence(rule=rule)], cluster="prod", bundle="b")
    (message,) = decode_messages(encode_messages([message_of(alert)]))
    assert message.body.encode() == encode_message(alert)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no gzip",
        encode_messages([ONE])[:-1],
        encode_messages([ONE])[:12],
        encode_messages([ONE]).replace(b"\x1f\x8b", b"\x1f\x8c"),
    ],
)
def test_what_is_damaged_is_no_message(packed: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says its own
        decode_messages(packed)


def test_a_line_of_something_else_is_no_message() -> None:
    for line in (b"[]", b"{}", b'{"message":1,"attributes":{}}', b'{"message":"","attributes":{"a":1}}', b"x"):
        with pytest.raises(ValueError):  # noqa: PT011 - each says its own
            decode_messages(isal_zlib.compress(line, 1, wbits=31))


def test_the_key_is_that_of_the_messages_and_nothing_else() -> None:
    keys = {outbox_key(messages) for messages in ([ONE], [TWO], [ONE, TWO], [Message(ONE.body, {"rule": "s"})])}
    assert len(keys) == 4
    assert outbox_key([ONE]) == outbox_key([Message(ONE.body, dict(ONE.attributes))])
    assert outbox_key([ONE], "outbox/refused/").startswith("outbox/refused/")


def test_the_same_messages_again_change_nothing(outbox: HeldMessages) -> None:
    outbox.hold([ONE, TWO])
    (first,) = outbox.listing().waiting
    outbox.hold([ONE, TWO])
    assert outbox.listing().waiting == (first,)


def test_what_waits_comes_oldest_first() -> None:
    moments = iter(datetime(2026, 11, 21, hour, tzinfo=UTC) for hour in (9, 7, 8))
    outbox = MemoryOutbox(lambda: next(moments))
    for message in (ONE, TWO, THREE):
        outbox.hold([message])
    keys = [entry.key for entry in outbox.listing().waiting]
    assert keys == [outbox_key([message]) for message in (TWO, THREE, ONE)]


def test_refused_messages_lie_aside_and_do_not_wait(outbox: HeldMessages) -> None:
    outbox.set_aside([ONE])
    outbox.set_aside([ONE])
    outbox.hold([TWO])
    listing = outbox.listing()
    assert [entry.key for entry in listing.waiting] == [outbox_key([TWO])]
    assert listing.refused == 1


def test_an_object_shrinks_keeps_its_age_and_goes(outbox: HeldMessages) -> None:
    outbox.hold([ONE, TWO, THREE])
    (entry,) = outbox.listing().waiting
    seen = outbox.read(entry)
    assert seen is not None
    assert seen.messages == (ONE, TWO, THREE)
    assert datetime.now(UTC) - seen.since < timedelta(minutes=1)

    assert outbox.replace(entry, seen, [TWO])
    now = outbox.read(entry)
    assert now is not None
    assert (now.messages, now.since) == ((TWO,), seen.since)

    outbox.remove(entry)
    assert outbox.read(entry) is None
    assert outbox.listing().waiting == ()
    # What was removed may come again, in a bucket with versions too.
    outbox.hold([ONE, TWO, THREE])
    assert len(outbox.listing().waiting) == 1


def test_what_another_run_has_changed_is_not_overwritten(outbox: HeldMessages) -> None:
    outbox.hold([ONE, TWO, THREE])
    (entry,) = outbox.listing().waiting
    seen = outbox.read(entry)
    assert seen is not None
    assert outbox.replace(entry, seen, [TWO])
    assert not outbox.replace(entry, seen, [THREE])
    outbox.remove(entry)
    assert not outbox.replace(entry, seen, [THREE])
    assert outbox.listing().waiting == ()


def test_other_objects_are_none_of_the_outbox(s3: Any) -> None:
    outbox = S3Outbox(s3, BUCKET)
    for key in ("events/a", "outbox/notes.txt", "outbox/cluster=x/a.jsonl.gz"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    assert outbox.listing().waiting == ()


def test_an_object_that_is_damaged_is_named(s3: Any) -> None:
    outbox = S3Outbox(s3, BUCKET)
    outbox.hold([ONE])
    (entry,) = outbox.listing().waiting
    s3.put_object(Bucket=BUCKET, Key=entry.key, Body=b"no gzip")
    with pytest.raises(OutboxError, match="could not be read: it is damaged"):
        outbox.read(entry)


@pytest.mark.parametrize("since", ["no time", "2026-11-21T22:00:00"], ids=["unreadable", "without a zone"])
def test_a_time_that_cannot_be_read_is_that_of_the_object(s3: Any, since: str) -> None:
    key = outbox_key([ONE])
    s3.put_object(Bucket=BUCKET, Key=key, Body=encode_messages([ONE]), Metadata={"since": since})
    outbox = S3Outbox(s3, BUCKET)
    (entry,) = outbox.listing().waiting
    contents = outbox.read(entry)
    assert contents is not None
    assert contents.since == entry.written


FACTS = tuple(
    Unjudged(Addition("mine.many", 4, 600, f"g{number}", number, ("a", "b")), "prod", "bundle", message)
    for number, message in enumerate((ONE, None, TWO))
)


def test_matches_that_wait_to_be_judged_lie_apart_shrink_and_go(outbox: HeldMessages) -> None:
    outbox.hold_unjudged(FACTS)
    outbox.hold_unjudged(FACTS)
    outbox.hold([ONE])
    listing = outbox.listing()
    assert ([entry.key for entry in listing.waiting], listing.refused) == ([outbox_key([ONE])], 0)
    (entry,) = listing.unjudged
    assert entry.key.startswith("outbox/unjudged/")
    seen = outbox.read_unjudged(entry)
    assert seen is not None
    assert seen.facts == FACTS

    assert outbox.replace_unjudged(entry, seen, FACTS[1:])
    assert not outbox.replace_unjudged(entry, seen, FACTS[:1])
    now = outbox.read_unjudged(entry)
    assert now is not None
    assert (now.facts, now.since) == (FACTS[1:], seen.since)
    outbox.remove(entry)
    assert outbox.read_unjudged(entry) is None
    assert outbox.listing().unjudged == ()


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"[]",
        b"{}",
        encode_unjudged(FACTS[:1]).replace(b'"members":["a","b"]', b'"members":[]'),
        encode_unjudged(FACTS[:1]).replace(b'"at_least":4', b'"at_least":0'),
        encode_unjudged(FACTS[:1]).replace(b'"within":600', b'"within":"x"'),
        encode_unjudged(FACTS[:1]).replace(b'"window":0', b'"windows":0'),
        encode_unjudged(FACTS[:1])[:-9],
    ],
)
def test_what_is_damaged_is_no_match(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says its own
        decode_unjudged(line)


def failure(status: int) -> ClientError:
    return ClientError({"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}, "x")  # type: ignore[typeddict-item]


class Broken:
    """A client that fails as it is told to."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_: Any, **__: Any) -> Any:
            if self.errors:
                raise self.errors.pop(0)
            return {}

        return call


@pytest.mark.parametrize("error", [failure(500), failure(403), ReadTimeoutError(endpoint_url="x")])
def test_what_s3_does_not_do_is_an_error(error: Exception) -> None:
    entry, seen = MemoryOutbox(), Contents((ONE,), datetime.now(UTC), "v")
    entry.hold([ONE])
    (held,) = entry.listing().waiting
    for attempt in (
        lambda outbox: outbox.hold([ONE]),
        lambda outbox: outbox.set_aside([ONE]),
        lambda outbox: outbox.listing(),
        lambda outbox: outbox.read(held),
        lambda outbox: outbox.replace(held, seen, [ONE]),
        lambda outbox: outbox.remove(held),
    ):
        with pytest.raises(OutboxError, match="s3://archive/outbox/"):
            attempt(S3Outbox(Broken(error), BUCKET))  # type: ignore[arg-type, no-untyped-call]


def test_another_writer_in_the_way_is_waited_for() -> None:
    waits: list[float] = []
    S3Outbox(Broken(failure(409), failure(409)), BUCKET, waits.append).hold([ONE])  # type: ignore[arg-type]
    assert waits == [0.05, 0.1]
    with pytest.raises(OutboxError, match=r"could not be written: .*\(409\)"):
        S3Outbox(Broken(*[failure(409)] * 4), BUCKET, waits.append).hold([ONE])  # type: ignore[arg-type]


def test_a_road_without_an_outbox_says_so() -> None:
    for put in (NoOutbox().hold, NoOutbox().set_aside):
        with pytest.raises(OutboxError, match="no outbox for 2 alerts"):
            put([ONE, TWO])
