"""From documents in the bucket to the bundle in force: whoever writes meanwhile, and whatever is wrong with them."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditwire.bundles.compile_rules import (
    MAX_DOCUMENT_BYTES,
    MAX_DOCUMENTS,
    MAX_OBJECTS,
    Compiled,
    StillChangingError,
    compile_rules,
    confirm_announced,
)
from auditwire.bundles.rules_bucket import (
    ACTIVE_KEY,
    MARKER_KEY,
    STATUS_KEY,
    MemoryRulesBucket,
    RulesBucketError,
    bundle_key,
)
from auditwire.bundles.rules_state import Active, Status
from auditwire.documents.source import Source, digest_of
from auditwire.rules import rule_files
from auditwire.rules.bundle import decode_bundle
from rule_texts import one_rule


def good(name: str) -> bytes:
    return one_rule(name).encode()


def test_tests_in_the_bucket_are_no_documents_but_none_may_hide_among_them() -> None:
    world = World()
    world.put("a.yaml", good("a"))
    world.put("a.test.yaml", b"tests: []")
    accepted = world.compile()
    world.put("b.test.yml", good("b"))
    refused = world.compile()

    assert accepted.verdict == "accepted"
    assert [one.key for one in world.status().sources] == ["rules/a.yaml"]
    assert refused.verdict == "refused"
    assert [(found.code, found.path) for found in refused.diagnostics] == [("AW221", "b.test.yml")]
    assert world.in_force() == ["a"]


def broken(name: str) -> bytes:
    return good(name).replace(b"Verb", b"Vreb")


class World:
    """A bucket, a clock that only moves when told, and what compile_rules says."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.bucket = MemoryRulesBucket(lambda: self.now)
        self.waits: list[float] = []

    def put(self, name: str, content: bytes) -> None:
        self.bucket.write(f"rules/{name}", content)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def compile(self) -> Compiled:
        return compile_rules(self.bucket, now=lambda: self.now, sleep=self.waits.append, jitter=lambda: 1.0)

    def in_force(self) -> list[str]:
        """Names of the documents in force, as a function would find them."""
        stored = self.bucket.read(ACTIVE_KEY)
        if stored is None:
            return []
        active = Active.decode(stored.data)
        bundle = self.bucket.read(bundle_key(active.digest))
        assert bundle is not None
        assert hashlib.sha256(bundle.data).hexdigest() == active.sha256
        return [rule.document for rule in decode_bundle(bundle.data).rule_set.alerting]

    def status(self) -> Status:
        stored = self.bucket.read(STATUS_KEY)
        assert stored is not None
        return Status.decode(stored.data)

    def meanwhile(self, request: str, key: str, *actions: object) -> None:
        """Let another writer act right before the next such requests, one action each."""
        left = list(actions)

        def before(asked: str, at: str) -> None:
            if (asked, at) == (request, key) and left:
                action = left.pop(0)
                hook, self.bucket.before = self.bucket.before, lambda request, key: None
                try:
                    assert callable(action)
                    action()
                finally:
                    self.bucket.before = hook

        self.bucket.before = before


@pytest.fixture
def world() -> World:
    return World()


class TestAccepted:
    """Documents without errors come into force."""

    def test_the_documents_as_a_whole(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        world.put("team/b.yml", good("two"))
        world.put("notes.txt", b"not rules")
        world.put(".hidden.yaml", b"not rules")

        compiled = world.compile()

        assert (compiled.verdict, compiled.announce, world.waits) == ("accepted", False, [])
        assert world.in_force() == ["one", "two"]
        assert (
            compiled.digest
            == compiled.active
            == digest_of([Source("a.yaml", good("one").decode()), Source("team/b.yml", good("two").decode())])
        )

    def test_status_says_what_was_looked_at(self, world: World) -> None:
        world.put("b.yaml", good("two"))
        world.put("a.yaml", good("one"))
        compiled = world.compile()

        status = world.status()

        assert (status.verdict, status.digest, status.active) == ("accepted", compiled.digest, compiled.digest)
        assert (status.time, status.errors, status.alerted) == (world.now, 0, False)
        assert [(source.key, source.sha256) for source in status.sources] == [
            ("rules/a.yaml", hashlib.sha256(good("one")).hexdigest()),
            ("rules/b.yaml", hashlib.sha256(good("two")).hexdigest()),
        ]

    def test_the_digest_is_that_of_the_same_folder(self, world: World) -> None:
        folder = Path(__file__).parents[3] / "rules"
        texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in rule_files(folder)}
        for name, text in texts.items():
            world.put(name, text.encode())

        compiled = world.compile()

        assert compiled.verdict == "accepted"
        assert compiled.digest == digest_of(Source(name, text) for name, text in texts.items())

    def test_a_bundle_is_as_young_as_its_last_coming_into_force(self, world: World) -> None:
        digests = []
        for name in ("one", "two", "one"):
            world.put("a.yaml", good(name))
            digests.append(world.compile().digest)
            world.later(60)
        world.compile()

        written = {listed.key: listed.modified for listed in world.bucket.entries("bundles/")}

        assert digests[0] == digests[2]
        assert written[bundle_key(digests[0] or "")] == world.now - timedelta(seconds=60)
        assert written[bundle_key(digests[1] or "")] == world.now - timedelta(seconds=120)

    def test_the_same_documents_again_move_nothing(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        world.compile()
        before = world.bucket.entries("")
        world.later(300)

        assert world.compile().verdict == "unchanged"
        assert [one for one in world.bucket.entries("") if one.key != STATUS_KEY] == [
            one for one in before if one.key != STATUS_KEY
        ]
        assert world.status().time == world.now

    def test_documents_of_before_come_back(self, world: World) -> None:
        for name in ("one", "two", "one"):
            world.put("a.yaml", good(name))
            assert world.compile().verdict == "accepted"
            assert world.in_force() == [name]

    @pytest.mark.parametrize("damage", [b"", b'{"half', b"a foreign file", None])
    def test_a_bundle_that_was_damaged_is_written_anew(self, world: World, damage: bytes | None) -> None:
        world.put("a.yaml", good("one"))
        key = bundle_key(str(world.compile().digest))
        if damage is None:
            world.bucket.delete(key)
        else:
            world.bucket.write(key, damage)

        assert world.compile().verdict == "unchanged"
        assert world.in_force() == ["one"]

    @pytest.mark.parametrize("key", [ACTIVE_KEY, STATUS_KEY])
    def test_a_foreign_file_in_place_of_the_state_is_overwritten(self, world: World, key: str) -> None:
        world.put("a.yaml", good("one"))
        world.bucket.write(key, b"a foreign file")
        world.compile()

        assert world.in_force() == ["one"]
        assert world.status().verdict == "accepted"

    def test_a_fresh_stack_says_nothing(self, world: World) -> None:
        assert world.compile() == Compiled(verdict="unchanged", digest=None, active=None)
        assert world.bucket.entries("") == []


class TestRefused:
    """With any error nothing moves."""

    @pytest.fixture
    def world(self) -> World:
        world = World()
        world.put("a.yaml", good("one"))
        world.compile()
        return world

    def test_what_was_in_force_stays_and_the_report_names_the_place(self, world: World) -> None:
        before = world.bucket.entries("")
        world.put("b.yaml", broken("two"))
        compiled = world.compile()

        (found,) = compiled.diagnostics
        assert (compiled.verdict, compiled.announce) == ("refused", True)
        assert (found.path, found.line, found.column, found.code) == ("b.yaml", 6, 58, "AW102")
        assert world.in_force() == ["one"]
        status = world.status()
        assert (status.verdict, status.errors, status.active) == ("refused", 1, digest_of_one())
        assert status.diagnostics == (found.as_json(),)
        assert {one.key for one in world.bucket.entries("")} - {one.key for one in before} == {"rules/b.yaml"}

    def test_mending_it_brings_it_into_force(self, world: World) -> None:
        world.put("b.yaml", broken("two"))
        world.compile()
        world.put("b.yaml", good("two"))

        assert world.compile().verdict == "accepted"
        assert world.in_force() == ["one", "two"]
        assert (world.status().verdict, world.status().errors) == ("accepted", 0)

    def test_going_back_to_what_is_in_force_ends_the_refusal(self, world: World) -> None:
        world.put("b.yaml", broken("two"))
        world.compile()
        world.bucket.delete("rules/b.yaml")

        assert world.compile().verdict == "unchanged"
        assert world.status().verdict == "accepted"

    def test_a_document_that_others_refer_to_is_deleted(self, world: World) -> None:
        macros = good("macros").replace(b"condition: 'Verb = \"get\"'", b"condition: 'Verb = \"x\"'")
        macros += b"  - {name: reads, type: macro, macro: 'Verb = \"get\"'}\n"
        world.put("macros.yaml", macros)
        world.put("a.yaml", good("one").replace(b'Verb = "get"', b"${macros.reads}"))
        assert world.compile().verdict == "accepted"
        world.bucket.delete("rules/macros.yaml")

        compiled = world.compile()

        assert compiled.verdict == "refused"
        assert compiled.diagnostics[0].path == "a.yaml"
        assert world.in_force() == ["one", "macros"]

    def test_an_emptied_bucket_keeps_the_last_good_rules(self, world: World) -> None:
        world.bucket.delete("rules/a.yaml")
        world.put("notes.txt", b"not rules")
        compiled = world.compile()

        assert (compiled.verdict, [found.code for found in compiled.diagnostics]) == ("refused", ["AW404"])
        assert world.in_force() == ["one"]

    def test_bytes_that_are_no_text(self, world: World) -> None:
        world.put("b.yaml", b"\xff\xfe" + good("two"))

        assert world.compile().verdict == "refused"
        assert world.in_force() == ["one"]

    @pytest.mark.parametrize(
        ("documents", "words"),
        [
            pytest.param({"b.yaml": b"#" * (MAX_DOCUMENT_BYTES + 1)}, "1,048,577 bytes", id="large"),
            pytest.param({f"{n}.yaml": b"#" for n in range(MAX_DOCUMENTS)}, "501 documents", id="many"),
            pytest.param({f"{n}.yaml": b"#" * MAX_DOCUMENT_BYTES for n in range(8)}, "bytes in all", id="large in all"),
            pytest.param({f"{n}.txt": b"#" for n in range(MAX_OBJECTS)}, "5,000 objects", id="foreign files"),
        ],
    )
    def test_too_much_is_refused_unread(self, world: World, documents: dict[str, bytes], words: str) -> None:
        for name, content in documents.items():
            world.put(name, content)
        read: list[str] = []
        world.bucket.before = lambda request, key: read.append(key) if request == "read" else None

        compiled = world.compile()

        (found,) = compiled.diagnostics
        assert (compiled.verdict, found.code) == ("refused", "AW405")
        assert words in found.message
        assert read == [ACTIVE_KEY, STATUS_KEY]
        assert world.compile().announce is False

    def test_an_outage_is_raised_and_moves_nothing(self, world: World) -> None:
        def outage(request: str, key: str) -> None:
            if key == "rules/a.yaml":
                raise RulesBucketError("503")

        world.put("b.yaml", good("two"))
        world.bucket.before = outage
        with pytest.raises(RulesBucketError):
            world.compile()
        world.bucket.before = lambda request, key: None

        assert world.in_force() == ["one"]
        assert world.compile().verdict == "accepted"


def digest_of_one() -> str:
    return digest_of([Source("a.yaml", good("one").decode())])


class TestAnnouncing:
    """A refusal is told once."""

    @pytest.fixture
    def world(self) -> World:
        world = World()
        world.put("a.yaml", broken("one"))
        return world

    def test_once_for_the_same_documents(self, world: World) -> None:
        first = world.compile()
        confirm_announced(world.bucket, first)
        world.later(300)

        assert [first.announce, world.compile().announce, world.compile().announce] == [True, False, False]
        assert world.status().alerted

    def test_again_for_other_documents_and_after_a_success(self, world: World) -> None:
        told = []
        for content in (broken("one"), broken("two"), good("two"), broken("two")):
            world.put("a.yaml", content)
            compiled = world.compile()
            told.append(compiled.announce)
            if compiled.announce:
                confirm_announced(world.bucket, compiled)

        assert told == [True, True, False, True]

    def test_once_while_another_run_is_telling(self, world: World) -> None:
        first = world.compile()
        second = world.compile()
        confirm_announced(world.bucket, first)

        assert (first.announce, second.announce) == (True, False)
        assert world.status().alerted

    def test_again_when_the_alert_was_lost(self, world: World) -> None:
        assert world.compile().announce
        world.later(61)

        assert world.compile().announce

    def test_a_confirmation_that_comes_late_changes_no_other_verdict(self, world: World) -> None:
        first = world.compile()
        world.put("a.yaml", good("one"))
        world.compile()
        confirm_announced(world.bucket, first)

        assert (world.status().verdict, world.status().alerted) == ("accepted", False)

    def test_a_confirmation_outlasts_another_writer(self, world: World) -> None:
        first = world.compile()
        moved = world.status()
        world.meanwhile("write", STATUS_KEY, lambda: world.bucket.write(STATUS_KEY, moved.encode() + b"\n"))
        confirm_announced(world.bucket, first)

        assert world.status().alerted


class TestPublishing:
    """A set of files goes live as one."""

    def test_nothing_moves_while_the_marker_is_there(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        world.compile()
        world.bucket.write(MARKER_KEY, b"")
        world.put("a.yaml", good("two"))
        before = world.bucket.entries("")
        world.later(59)

        compiled = world.compile()

        assert (compiled.verdict, compiled.digest, compiled.active) == ("waiting", None, digest_of_one())
        assert world.bucket.entries("") == before

    def test_all_comes_into_force_once_it_is_gone(self, world: World) -> None:
        world.bucket.write(MARKER_KEY, b"")
        world.put("a.yaml", good("one"))
        assert world.compile().verdict == "waiting"
        world.put("b.yaml", good("two"))
        world.bucket.delete(MARKER_KEY)

        assert world.compile().verdict == "accepted"
        assert world.in_force() == ["one", "two"]

    def test_a_marker_left_behind_holds_nothing_up(self, world: World) -> None:
        world.bucket.write(MARKER_KEY, b"")
        world.put("a.yaml", good("one"))
        world.later(60)

        assert world.compile().verdict == "accepted"

    def test_an_upload_that_begins_while_documents_are_read_is_waited_for(self, world: World) -> None:
        world.put("b.yaml", good("one"))

        def begin() -> None:
            world.bucket.write(MARKER_KEY, b"")
            world.put("a.yaml", good("two"))

        world.meanwhile("read", "rules/b.yaml", begin)

        assert world.compile().verdict == "waiting"
        assert world.in_force() == []


class TestRaces:
    """Others write at every moment; what lies there in the end is in force in the end."""

    def test_a_document_changed_between_listing_and_reading(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        world.meanwhile("read", "rules/a.yaml", lambda: world.put("a.yaml", good("two")))

        assert world.compile().verdict == "accepted"
        assert world.in_force() == ["two"]
        assert world.waits == [0.1]

    def test_a_document_deleted_between_listing_and_reading(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        world.put("b.yaml", good("two"))
        world.meanwhile("read", "rules/b.yaml", lambda: world.bucket.delete("rules/b.yaml"))

        assert world.compile().verdict == "accepted"
        assert world.in_force() == ["one"]

    @pytest.mark.parametrize("action", ["add", "delete"])
    def test_a_document_added_or_deleted_after_reading(self, world: World, action: str) -> None:
        world.put("a.yaml", good("one"))
        world.put("b.yaml", good("two"))

        def change() -> None:
            if action == "add":
                world.put("0.yaml", good("zero"))
            else:
                world.bucket.delete("rules/a.yaml")

        world.meanwhile("read", "rules/b.yaml", change)

        assert world.compile().verdict == "accepted"
        assert world.in_force() == (["zero", "one", "two"] if action == "add" else ["two"])

    @pytest.mark.parametrize(
        ("request_", "key"),
        [
            ("read", ACTIVE_KEY),
            ("read", STATUS_KEY),
            ("entries", "rules/"),
            ("read", "rules/a.yaml"),
            ("write", ACTIVE_KEY),
            ("write", STATUS_KEY),
        ],
    )
    def test_two_uploads_at_once_end_with_both_in_effect(self, world: World, request_: str, key: str) -> None:
        # At each moment of the first run, somebody uploads a second document and a whole second run goes by.
        world.put("a.yaml", good("one"))
        others: list[Compiled] = []

        def second_upload() -> None:
            world.put("b.yaml", good("two"))
            others.append(world.compile())

        world.meanwhile(request_, key, second_upload)
        world.compile()

        assert world.in_force() == ["one", "two"]
        assert (world.status().verdict, world.status().digest) == ("accepted", others[0].digest)

    def test_an_older_look_does_not_undo_a_newer_one(self, world: World) -> None:
        # The first run has read a broken document; before it says so, the document is mended and goes live.
        world.put("a.yaml", broken("one"))

        def mend() -> None:
            world.put("a.yaml", good("one"))
            assert world.compile().verdict == "accepted"

        world.meanwhile("write", STATUS_KEY, mend)

        assert world.compile().verdict == "unchanged"
        assert world.status().verdict == "accepted"

    def test_what_a_run_brought_into_force_counts_even_if_it_had_to_look_again(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        world.meanwhile("write", STATUS_KEY, lambda: world.bucket.write(STATUS_KEY, b"{}"))

        assert world.compile().verdict == "accepted"

    def test_a_bucket_that_never_rests_ends_the_run_in_bounded_time(self, world: World) -> None:
        world.put("a.yaml", good("one"))
        number = iter(range(1_000))
        changes = [lambda: world.put("a.yaml", good(f"n{next(number)}"))] * 100
        world.meanwhile("read", "rules/a.yaml", *changes)

        with pytest.raises(StillChangingError):
            world.compile()
        assert len(world.waits) == 9
        assert max(world.waits) == 3.0
        assert sum(world.waits) < 20
        assert world.in_force() == []
