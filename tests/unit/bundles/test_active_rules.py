"""The rules in force, whatever happens to the bucket."""

import hashlib
from datetime import UTC, datetime

import pytest

from auditwire.bundles.active_rules import ActiveRules, RulesProblem
from auditwire.bundles.rules_bucket import ACTIVE_KEY, MemoryRulesBucket, RulesBucketError, bundle_key
from auditwire.bundles.rules_state import Active
from auditwire.rules import Source, load_sources
from auditwire.rules.bundle import encode_bundle
from auditwire.rules.pack import default_rule_set
from made_events import event
from rule_texts import one_rule

COMPILED = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)

SHIPPED = list(dict.fromkeys(rule.document for rule in default_rule_set().alerting))


def bundle_of(name: str) -> tuple[str, bytes]:
    """The digest and the bytes of a bundle with one document of this name."""
    sources = [Source("a.yaml", one_rule(name))]
    rule_set = load_sources(sources).rule_set
    assert rule_set is not None
    return rule_set.digest, encode_bundle(rule_set, sources)


class World:
    """A bucket, a clock, and the rules under test."""

    def __init__(self) -> None:
        self.bucket = MemoryRulesBucket()
        self.now = COMPILED.timestamp() + 60
        self.problems: list[RulesProblem] = []
        self.restart()

    def restart(self) -> None:
        """Begin anew, with what is in the bucket."""
        self.rules = ActiveRules(self.bucket, clock=lambda: self.now, on_problem=self.problems.append)

    def publish(self, name: str, *, stored: bytes | None = None, before: Active | None = None) -> Active:
        """Make a bundle active, after ``before``; ``stored`` puts other bytes in its place."""
        digest, data = bundle_of(name)
        self.bucket.write(bundle_key(digest), data if stored is None else stored)
        named = digest, hashlib.sha256(data).hexdigest(), COMPILED
        active = before.followed_by(*named) if before else Active(*named)
        self.bucket.write(ACTIVE_KEY, active.encode())
        return active

    def documents(self) -> list[str]:
        """The documents of the alerting rules in force, after the next poll."""
        self.now += 31
        return sorted({rule.document for rule in self.rules.current().alerting})


@pytest.fixture
def world() -> World:
    return World()


def test_before_the_first_bundle_the_default_pack_holds(world: World) -> None:
    assert world.documents() == SHIPPED
    assert world.problems == []


def test_a_bundle_comes_into_force_at_the_next_poll_and_not_before(world: World) -> None:
    world.publish("one")
    assert world.documents() == ["one"]
    world.publish("two")

    world.now += 29
    assert world.rules.current().alerting[0].document == "one"
    world.now += 2
    assert world.rules.current().alerting[0].document == "two"


def test_an_unchanged_bundle_is_neither_read_nor_built_again(world: World) -> None:
    world.publish("one")
    world.documents()
    first = world.rules.current()
    reads: list[str] = []
    world.bucket.before = lambda request, key: reads.append(key)

    world.documents()

    assert world.rules.current() is first
    assert reads == [ACTIVE_KEY]


@pytest.mark.parametrize(
    "stored", [pytest.param(b'{"schema":1', id="cut off"), pytest.param(b'{"hello":1}', id="another file")]
)
def test_a_damaged_bundle_leaves_the_last_good_one_and_is_told_once(world: World, stored: bytes) -> None:
    message = "the bundle is not the file active.json names: cut off, or overwritten"
    world.publish("one")
    world.documents()
    world.publish("two", stored=stored)

    assert [world.documents(), world.documents()] == [["one"], ["one"]]
    assert [problem.message for problem in world.problems] == [message]
    assert world.problems[0].diagnostic is not None

    world.publish("two")
    assert world.documents() == ["two"]


def test_who_starts_while_the_bundle_is_damaged_takes_the_one_before_it(world: World) -> None:
    one = world.publish("one")
    world.publish("two", stored=b'{"schema":1', before=one)

    assert world.documents() == ["one"]
    assert [problem.message for problem in world.problems] == [
        "the bundle is not the file active.json names: cut off, or overwritten"
    ]
    world.publish("two", before=one)
    assert world.documents() == ["two"]


def test_where_the_bundle_before_is_damaged_too_the_default_pack_holds(world: World) -> None:
    one = world.publish("one")
    world.publish("two", stored=b"", before=one)
    world.bucket.write(bundle_key(one.digest), b"{}")

    assert world.documents() == SHIPPED


@pytest.mark.parametrize("active", [b"", b"[]", b'{"schema":1,"digest":5}'])
def test_a_foreign_active_json_leaves_the_last_good_bundle(world: World, active: bytes) -> None:
    world.publish("one")
    world.documents()
    world.bucket.write(ACTIVE_KEY, active)

    assert world.documents() == ["one"]
    assert len(world.problems) == 1


def test_a_bundle_that_is_not_there_yet_is_looked_for_again(world: World) -> None:
    world.publish("one")
    world.documents()
    digest, data = bundle_of("two")
    world.publish("two")
    world.bucket.delete(bundle_key(digest))
    assert world.documents() == ["one"]

    world.bucket.write(bundle_key(digest), data)
    assert world.documents() == ["two"]


def test_an_outage_leaves_the_rules_as_they_are_and_is_told_once(world: World) -> None:
    world.publish("one")
    world.documents()

    def fail(request: str, key: str) -> None:
        raise RulesBucketError("503 slow down")

    world.bucket.before = fail
    assert [world.documents(), world.documents()] == [["one"], ["one"]]
    assert [problem.message for problem in world.problems] == ["the rules could not be read: 503 slow down"]


def test_an_outage_at_the_first_request_leaves_the_default_pack_until_it_ends(world: World) -> None:
    world.publish("one")

    def fail(request: str, key: str) -> None:
        raise RulesBucketError("503 slow down")

    world.bucket.before = fail
    assert world.documents() == SHIPPED
    world.bucket.before = lambda request, key: None
    assert world.documents() == ["one"]


def test_who_cannot_learn_the_rules_keeps_every_event_and_asks_again_soon(world: World) -> None:
    read = event(verb="get")
    assert world.rules.current().decide(read).outcome == "ignore"

    def fail(request: str, key: str) -> None:
        raise RulesBucketError("503 slow down")

    world.publish("one")
    world.bucket.before = fail
    world.restart()
    verdict = world.rules.current().decide(read)
    assert (verdict.outcome, verdict.archiving) == ("archive", ("auditwire.RulesUnknown",))
    world.bucket.before = lambda request, key: None
    world.now += 0.9
    assert world.rules.current().decide(read).outcome == "archive"
    world.now += 0.1
    assert world.rules.current().alerting[0].document == "one"


def test_who_cannot_use_the_only_bundle_there_is_keeps_every_event(world: World) -> None:
    world.publish("one", stored=b"{}")

    assert "auditwire.RulesUnknown" in {rule.qualified for rule in world.rules.current().archiving}


@pytest.mark.parametrize(("seconds", "documents"), [(0.19, ["one"]), (0.2, SHIPPED)], ids=["quick", "slow"])
def test_what_fails_quickly_is_tried_again_at_once(world: World, seconds: float, documents: list[str]) -> None:
    failures = [RulesBucketError("connection reset")]

    def fail_once(request: str, key: str) -> None:
        if failures:
            world.now += seconds
            raise failures.pop()

    world.publish("one")
    world.bucket.before = fail_once

    assert world.documents() == documents
    assert len(world.problems) == (documents != ["one"])


def test_a_deleted_active_json_changes_nothing(world: World) -> None:
    world.publish("one")
    world.documents()
    world.bucket.delete(ACTIVE_KEY)

    assert world.documents() == ["one"]


def test_the_ages_are_those_of_the_bundle_and_of_the_last_answer(world: World) -> None:
    assert world.rules.ages() == {}
    world.publish("one")
    world.documents()
    world.now += 9

    assert world.rules.ages() == {"BundleAgeSeconds": 100.0, "RulesPollAgeSeconds": 9.0}


def test_the_age_grows_while_the_rules_that_should_be_in_force_cannot_be_taken(world: World) -> None:
    world.publish("one")
    world.documents()
    world.publish("two", stored=b"half")
    for _ in range(20):
        world.documents()

    assert world.rules.ages()["RulesPollAgeSeconds"] == 20 * 31
    world.publish("two")
    world.documents()
    assert world.rules.ages()["RulesPollAgeSeconds"] == 0


def test_the_age_of_what_was_never_known_counts_from_the_first_question(world: World) -> None:
    def fail(request: str, key: str) -> None:
        raise RulesBucketError("503 slow down")

    world.bucket.before = fail
    for _ in range(10):
        world.documents()
    assert world.rules.ages() == {"RulesPollAgeSeconds": 9 * 31}
