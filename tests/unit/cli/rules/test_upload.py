"""Sending documents as one: nothing is looked at half-way, and whoever ends it early leaves things as they were."""

import os
import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from auditwire.bundles.rules_bucket import MARKER_KEY, RulesBucketError
from auditwire.documents.source import Source, digest_of
from auditwire_cli.errors import CommandError
from auditwire_cli.rules.upload import Upload, documents_in, marker_age, send
from rules_publishing import World, rule

AFTER = {"a.yaml": rule("a"), "sub/b.yml": rule("b2"), "c.yaml": rule("c")}


@pytest.fixture
def world() -> World:
    world = World(a=rule("a"), old=rule("old"))
    world.bucket.write("rules/sub/b.yml", rule("b"))
    world.bucket.write("rules/notes.txt", b"none of our business")
    return world


def upload_for(world: World) -> Upload:
    return Upload(documents_in(world.bucket), AFTER)


def test_an_upload_knows_what_changes_and_what_compile_rules_will_call_it(world: World) -> None:
    upload = upload_for(world)

    assert upload
    assert upload.written == ["c.yaml", "sub/b.yml"]
    assert upload.deleted == ["old.yaml"]
    assert upload.digest == digest_of(Source(path, data.decode()) for path, data in AFTER.items())
    assert not Upload(AFTER, dict(AFTER))


def test_everything_comes_to_lie_there_and_is_called_what_was_foreseen(world: World) -> None:
    upload = upload_for(world)

    send(world.bucket, upload)

    assert documents_in(world.bucket) == AFTER
    assert world.listing() == ["rules/a.yaml", "rules/c.yaml", "rules/notes.txt", "rules/sub/b.yml"]
    assert world.compile().digest == upload.digest


def test_compile_rules_waits_while_it_is_sent(world: World) -> None:
    verdicts = []

    def at_document(request: str, key: str) -> None:
        if request in ("write", "delete") and key.startswith("rules/") and key != MARKER_KEY:
            hook, world.bucket.before = world.bucket.before, lambda request, key: None
            verdicts.append(world.compile().verdict)
            world.bucket.before = hook

    world.bucket.before = at_document
    send(world.bucket, upload_for(world))

    assert verdicts == ["waiting"] * 3


@pytest.mark.parametrize("number", [2, 3, 4], ids=["the first document", "the second document", "the third"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RulesBucketError], ids=lambda error: error.__name__)
def test_what_ends_it_early_leaves_the_documents_as_they_were(
    world: World, number: int, error: type[BaseException]
) -> None:
    before = documents_in(world.bucket)

    def stop() -> None:
        raise error

    world.at_request(number, stop, "write", "delete")
    with pytest.raises(error):
        send(world.bucket, upload_for(world))

    assert documents_in(world.bucket) == before
    assert MARKER_KEY not in world.listing()


def test_sigterm_cleans_up_too(world: World) -> None:
    before = documents_in(world.bucket)
    handler = signal.getsignal(signal.SIGTERM)

    world.at_request(3, lambda: os.kill(os.getpid(), signal.SIGTERM), "write", "delete")
    with pytest.raises(KeyboardInterrupt):
        send(world.bucket, upload_for(world))

    assert documents_in(world.bucket) == before
    assert signal.getsignal(signal.SIGTERM) is handler


def test_ctrl_c_while_cleaning_up_changes_nothing(world: World) -> None:
    before = documents_in(world.bucket)

    def interrupt_and_insist() -> None:
        world.at_request(1, lambda: os.kill(os.getpid(), signal.SIGINT), "write", "delete")
        raise KeyboardInterrupt

    world.at_request(3, interrupt_and_insist, "write", "delete")
    with pytest.raises(KeyboardInterrupt):
        send(world.bucket, upload_for(world))

    assert documents_in(world.bucket) == before
    assert MARKER_KEY not in world.listing()


def test_a_bucket_that_takes_nothing_any_longer_is_named(world: World) -> None:
    def fail(request: str, key: str) -> None:
        if request in ("write", "delete") and key in ("rules/sub/b.yml", "rules/c.yaml"):
            raise RulesBucketError(f"s3://bucket/{key}: it is full")

    world.bucket.before = fail

    with pytest.raises(CommandError, match="only some documents were sent, and the bucket could not be restored"):
        send(world.bucket, upload_for(world))
    assert MARKER_KEY not in world.listing()


def test_somebody_else_is_publishing(world: World) -> None:
    world.bucket.write(MARKER_KEY, b"theirs")

    with pytest.raises(CommandError, match=r"somebody else has been publishing for \d s"):
        send(world.bucket, upload_for(world))

    stored = world.bucket.read(MARKER_KEY)
    assert stored is not None
    assert stored.data == b"theirs"


def test_somebody_else_begins_in_the_same_moment(world: World) -> None:
    def theirs() -> None:
        world.bucket.before = lambda request, key: None
        world.bucket.write(MARKER_KEY, b"theirs")

    world.at_request(1, theirs, "write")

    with pytest.raises(CommandError, match="somebody else has been publishing for a moment"):
        send(world.bucket, upload_for(world))


def test_a_forgotten_marker_is_in_nobodys_way(world: World) -> None:
    world.later(-100)
    world.bucket.write(MARKER_KEY, b"forgotten")
    world.later(100)
    assert 99 < (marker_age(world.bucket, datetime.now(UTC)) or 0) < 110

    send(world.bucket, upload_for(world))

    assert documents_in(world.bucket) == AFTER
    assert marker_age(world.bucket, datetime.now(UTC) + timedelta(seconds=1)) is None


def test_the_marker_stays_young_however_long_it_takes(world: World) -> None:
    time = 0.0
    writes = []

    def slowly(request: str, key: str) -> None:
        nonlocal time
        if request == "write":
            time += 15
            writes.append(key)

    world.bucket.before = slowly
    send(world.bucket, Upload({}, {f"{number}.yaml": b"" for number in range(6)}), clock=lambda: time)

    assert writes.count(MARKER_KEY) >= 3
    gaps = [position for position, key in enumerate(writes) if key == MARKER_KEY]
    assert max(after - before for before, after in pairwise(gaps)) * 15 < 60
