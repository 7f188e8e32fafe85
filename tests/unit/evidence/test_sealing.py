"""Sealing: what arrived is sealed once, in order, whatever comes twice, late, damaged or never."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from auditwire.events.gzipping import gzip_lines
from auditwire.evidence.errors import DeniedError, EvidenceError
from auditwire.evidence.order import Order
from auditwire.evidence.reading import ReadObject
from auditwire.evidence.seal import Books, Entry, Seal, lines_in, parse_entry, parse_file, seal_key
from auditwire.evidence.sealing import Sealed
from auditwire.evidence.store import MemoryStore
from sealed import NOON, LocalKey, World, objects, outcome, seals, spans


def shape(done: Sealed) -> list[tuple[str, str, str, int]]:
    """Kind, hour and minute from and to, number of objects of each seal."""
    return [(one.seal.kind, one.seal.start[11:16], one.seal.end[11:16], one.seal.objects.count) for one in done.seals]


def keys_in(done: Sealed) -> list[str]:
    return [parse_entry(line).key for one in done.seals for line in lines_in(one.file.objects)]


def test_the_first_seal_begins_with_the_hour_of_the_first_arrival() -> None:
    world = World(NOON + timedelta(minutes=20))
    key = world.arrive()

    done = world.after(hours=1).seal()

    assert shape(done) == [("first", "12:00", "13:00", 1), ("regular", "13:00", "13:20", 0)]
    assert keys_in(done) == [key]
    assert done.seals[0].seal.previous is None
    assert done.rest is None


def test_nothing_is_sealed_before_something_has_arrived() -> None:
    done = World().seal()

    assert not done.seals
    assert not done.chain_faults


def test_a_seal_names_the_one_before_it_and_the_bytes_as_they_lie_there() -> None:
    world = World()
    key = world.arrive(3)
    first = world.after(hours=1).seal().seals[0]
    world.arrive()
    (second,) = world.after(hours=1).seal().seals

    assert second.seal.previous == first.as_previous()
    assert first.file.text_sha256 == sha256(first.file.seal.encode()).hexdigest()
    assert world.key.verify(second.file.seal.encode(), second.file.signature_bytes())
    entry = parse_entry(lines_in(first.file.objects)[0])
    assert (entry.key, entry.size, entry.sha256) == (
        key,
        len(world.store.objects[key]),
        sha256(world.store.objects[key]).hexdigest(),
    )
    assert (entry.events, entry.first, entry.last, entry.modified) == (
        3,
        "2026-11-21T12:00:00.001000Z",
        "2026-11-21T12:00:00.003000Z",
        "2026-11-21T12:00:00Z",
    )


def test_what_lies_in_the_bucket_is_what_jq_can_read() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()

    document = json.loads(world.store.objects[seal_key("prod", 0)])

    assert document.keys() == {"seal", "signature", "key", "objects"}
    assert document["key"] == world.key.fingerprint
    assert json.loads(document["seal"])["objects"]["sha256"] == sha256(document["objects"].encode()).hexdigest()


def test_the_same_order_twice_seals_once() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()

    assert not world.seal().seals


def test_a_clock_that_goes_back_changes_nothing() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()

    assert not world.after(minutes=-30).seal().seals


def test_empty_hours_are_sealed() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()

    assert shape(world.after(hours=3).seal()) == [
        ("regular", "13:00", "14:00", 0),
        ("regular", "14:00", "15:00", 0),
        ("regular", "15:00", "16:00", 0),
    ]


def test_a_cluster_that_was_not_used_for_a_month_is_sealed_daily() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    for _ in range(40):
        world.after(days=1).seal()

    assert shape(world.after(hours=22).seal()) == []
    assert shape(world.after(hours=1).seal()) == [("regular", "12:00", "12:00", 0)]
    # An arrival ends that.
    world.arrive()
    assert shape(world.after(hours=1).seal()) == [("regular", "12:00", "13:00", 1)]


def test_who_asks_for_everything_gets_a_seal_of_a_quiet_cluster_too() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    for _ in range(40):
        world.after(days=1).seal()

    assert shape(world.after(hours=2).seal(everything=True)) == [("regular", "12:00", "15:00", 0)]


@pytest.mark.parametrize("world", [World(max_objects=2), World(max_bytes=1000)], ids=["objects", "bytes"])
def test_a_busy_hour_has_several_seals_that_end_between_two_seconds(world: World) -> None:
    for _ in range(3):
        world.arrive()
    for _ in range(2):
        world.after(minutes=10).arrive()

    done = world.after(minutes=40).seal()

    # Three in one second stay together, however small a seal is to be.
    assert shape(done) == [("first", "12:00", "12:10", 3), ("regular", "12:10", "13:00", 2)]


def test_out_of_time_the_rest_is_handed_over() -> None:
    world = World(steps=4, max_objects=1)
    for _ in range(3):
        world.arrive()
        world.after(minutes=10)
    world.after(minutes=30)

    first = world.seal()
    second = world.seal()

    assert shape(first) == [("first", "12:00", "12:10", 1), ("regular", "12:10", "12:20", 1)]
    assert first.rest == world.order()
    assert shape(second) == [("regular", "12:20", "13:00", 1)]
    assert len(keys_in(first) + keys_in(second)) == 3


def test_out_of_time_within_a_second_it_is_left_as_a_whole() -> None:
    world = World(steps=2)
    for _ in range(3):
        world.arrive()
    world.after(hours=1)

    done = world.seal()

    assert not done.seals
    assert done.rest == world.order()


def test_what_was_told_of_is_found_in_old_hours() -> None:
    world = World()
    world.arrive()
    old = world.after(minutes=1).arrive(at=NOON - timedelta(days=90))

    done = world.after(hours=1).seal(hours=["2026-08-23T12"])

    assert old in keys_in(done)
    assert not done.unseen


def test_what_nobody_told_of_is_found_within_a_week_and_sealed_as_a_backfill() -> None:
    world = World()
    world.arrive()
    old = world.after(minutes=1).arrive(at=NOON - timedelta(days=90))
    found = []
    for _ in range(169):
        done = world.after(hours=1).seal()
        found += [one for one in done.seals if one.seal.kind == "backfill"]

    (backfill,) = found
    assert keys_in(Sealed([backfill])) == [old]
    assert (backfill.seal.start, backfill.seal.end) == ("2026-11-21T12:01:00Z", "2026-11-21T12:01:01Z")
    reports = world.reports()
    assert outcome(reports) == 0
    assert spans(reports)[-1] == ("2026-11-21T12:00:00Z", backfill_end(world), "sealed")


def backfill_end(world: World) -> str:
    return world.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_is_seen_late_of_the_last_week_is_found_within_a_day() -> None:
    world = World()
    world.arrive()
    late = world.after(minutes=1).arrive(at=NOON - timedelta(days=4))

    unseen = sum(world.after(hours=1).seal().unseen for _ in range(25))

    assert unseen == 1
    assert objects(world.reports())[late] == "valid"


def test_everything_is_looked_through_when_asked_for() -> None:
    world = World()
    world.arrive()
    odd = "events/cluster=prod/notes/readme.txt"
    loose = "events/cluster=prod/loose"
    for key in (odd, loose):
        world.after(seconds=1).store.put(key, b"what is this")
    old = world.arrive(at=NOON - timedelta(days=400))

    done = world.after(hours=1).seal(everything=True)

    assert set(keys_in(done)) > {odd, loose, old}
    assert done.unseen == 3
    assert done.faults == {"foreign": 2}
    assert outcome(world.reports()) == 0


def test_sweeping_goes_on_where_it_was_left() -> None:
    world = World()
    world.arrive()
    olds = [world.after(seconds=1).arrive(at=NOON - timedelta(days=days)) for days in (100, 200, 300)]
    world.after(hours=1)
    everything = world.order(everything=True)
    order: Order | None = everything
    rounds: list[Sealed] = []
    while order is not None:
        world.steps = 3
        rounds.append(world.sealer().seal(order))
        order = rounds[-1].rest

    assert len(rounds) > 2
    assert sorted(key for done in rounds for key in keys_in(done)) == sorted(
        world.store.objects.keys() - seal_keys(world)
    )
    assert all(old in {key for done in rounds for key in keys_in(done)} for old in olds)


def seal_keys(world: World) -> set[str]:
    return {key for key in world.store.objects if key.startswith("seals/")}


def test_what_arrived_before_the_first_seal_is_not_its_business() -> None:
    world = World()
    old = world.arrive(at=NOON - timedelta(days=90))
    world.after(days=3).arrive()
    world.after(hours=1).seal()

    reports = world.reports()

    assert old not in objects(reports)
    assert spans(reports)[0] == ("", "2026-11-24T12:00:00Z", "before_first")
    assert outcome(reports) == 0


def test_who_asks_for_everything_first_has_the_whole_archive_sealed() -> None:
    world = World()
    old = world.arrive(at=NOON - timedelta(days=90))
    new = world.after(hours=3).arrive()

    done = world.after(hours=1).seal(everything=True)

    assert set(keys_in(done)) == {old, new}
    reports = world.reports()
    assert spans(reports)[0] == ("", "2026-11-21T12:00:00Z", "before_first")
    assert outcome(reports) == 0


def test_what_has_not_arrived_yet_is_not_sealed() -> None:
    world = World()
    world.arrive()

    with pytest.raises(EvidenceError, match="not known yet"):
        world.sealer().seal(Order(cluster="prod", to=NOON + timedelta(hours=1)))


def test_a_long_silence_of_the_sealer_is_a_gap_and_what_arrived_in_it_a_backfill() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    missed = world.after(hours=1).arrive()

    world.after(days=5)
    done = world.seal()
    for _ in range(25):
        world.after(hours=1).seal()

    gap = done.seals[0].seal
    assert (gap.kind, gap.start, gap.end) == ("gap", "2026-11-21T13:00:00Z", "2026-11-25T14:00:00Z")
    assert gap.reason == "no seal was made from 2026-11-21T13:00:00Z to 2026-11-26T14:00:00Z"
    reports = world.reports()
    assert objects(reports)[missed] == "valid"
    assert spans(reports)[2] == (gap.start, gap.end, "gap")
    assert outcome(reports) == 3


def test_a_short_silence_is_made_up_for() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    world.after(hours=1).arrive()

    done = world.after(hours=40).seal()

    assert {one.seal.kind for one in done.seals} == {"regular"}
    assert done.behind == timedelta(hours=41).total_seconds()
    assert outcome(world.reports()) == 0


def test_a_key_that_does_not_sign_leaves_nothing_half_done() -> None:
    world = World()
    world.arrive()
    world.key.enabled = False
    with pytest.raises(EvidenceError, match="disabled"):
        world.after(hours=1).seal()
    assert not seal_keys(world)
    world.key.enabled = True

    assert shape(world.after(hours=1).seal()) == [("first", "12:00", "13:00", 1), ("regular", "13:00", "14:00", 0)]


@dataclass
class Rival(MemoryStore):
    """A store in which somebody else puts the next seal at the last moment."""

    rival: object = None

    def put_new(self, key: str, content: bytes, retain_until: datetime | None) -> bool:
        rival, self.rival = self.rival, None
        if callable(rival):
            rival()
        return MemoryStore.put_new(self, key, content, retain_until)


def test_of_two_at_once_the_loser_goes_on_from_the_winner() -> None:
    store = Rival()
    world = World(store=store)
    world.arrive()
    world.after(minutes=30)
    other = replace(world)
    world.arrive()
    world.after(minutes=30)
    store.rival = other.seal

    done = world.seal()

    assert shape(done) == [("regular", "12:30", "13:00", 1)]
    assert seals(world.reports()) == [(0, "valid"), (1, "valid")]
    assert outcome(world.reports()) == 0


def test_junk_in_the_place_of_a_seal_stops_nobody() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    junk = [seal_key("prod", 1), seal_key("prod", 9_999_999_999)]
    world.store.put(junk[0], b"")
    world.store.put(junk[1], b'{"seal": "x"}')
    world.arrive()

    done = world.after(hours=1).seal()

    assert [one.seal.number for one in done.seals] == [2]
    assert [fault.partition(" ")[0] for fault in done.chain_faults] == [junk[1], junk[0]]
    assert seals(world.reports()) == [(0, "valid"), (1, "malformed"), (2, "valid"), (9_999_999_999, "malformed")]


def test_seals_that_are_gone_are_told_and_their_numbers_not_used_again() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    world.after(hours=1).seal()
    for key in seal_keys(world):
        del world.store.objects[key]

    done = world.after(hours=1).seal()

    assert done.chain_faults == ("the seals of cluster prod are gone: there were 2, up to number 1",)
    assert done.seals[0].seal.number == 2
    reports = world.reports()
    assert seals(reports)[:3] == [(0, "missing"), (1, "missing"), (2, "valid")]
    assert outcome(reports) == 1


def test_another_key_goes_on_with_the_chain() -> None:
    world = World()
    world.arrive()
    first = world.after(hours=1).seal().seals[0]
    former, world.key = world.key, LocalKey()

    (second,) = world.after(hours=1).seal().seals

    assert second.seal.previous == first.as_previous()
    assert seals(world.reports())[0] == (0, "unknown_key")
    both = {one.fingerprint: one for one in (former, world.key)}
    assert seals(world.reports_with(both)) == [(0, "valid"), (1, "valid")]


def test_a_seal_of_a_foreign_key_behind_ours_is_passed_over() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()
    ours, world.key = world.key, LocalKey()
    world.after(hours=1).seal()
    world.key = ours

    done = world.after(hours=1).seal()

    assert done.chain_faults == ("seals/cluster=prod/0000000001.json is signed by another key",)
    assert shape(done)[0] == ("regular", "13:00", "14:00", 0)
    assert [one.seal.number for one in done.seals] == [2, 3]


DAMAGED = {
    "empty": (b"", "bad_gzip"),
    "no gzip": (b"hello", "bad_gzip"),
    "cut off": (None, "truncated"),
    "no JSON": ("no json", "bad_line"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_damaged_is_sealed_as_it_lies_there(case: str) -> None:
    content, fault = DAMAGED[case]
    world = World()
    key = world.arrive()
    if content is None:
        content = world.store.objects[key][:-20]
    world.store.objects[key] = gzip_lines([content.encode()]) if isinstance(content, str) else content

    done = world.after(hours=1).seal()

    entry = parse_entry(lines_in(done.seals[0].file.objects)[0])
    assert (entry.events, entry.root, entry.fault) == (None, None, fault)
    assert done.faults == {fault: 1}
    assert outcome(world.reports()) == 0


@dataclass
class Refusing(MemoryStore):
    """A store that does not give out some objects."""

    refused: set[str] = field(default_factory=set)

    def read(self, key: str) -> Iterator[bytes]:
        if key in self.refused:
            raise DeniedError(key)
        return MemoryStore.read(self, key)


def test_an_object_that_cannot_be_read_stops_no_seal() -> None:
    store = Refusing()
    world = World(store=store)
    foreign, good = world.arrive(), world.arrive()
    store.refused = {foreign}

    done = world.after(hours=1).seal()

    assert done.faults == {"denied": 1}
    assert objects(world.reports()) == {foreign: "unsealed", good: "valid"}
    assert outcome(world.reports()) == 3


def test_where_nothing_can_be_read_nothing_is_sealed() -> None:
    store = Refusing()
    world = World(store=store)
    store.refused = {world.arrive(), world.arrive()}

    with pytest.raises(DeniedError):
        world.after(hours=1).seal()
    assert not seal_keys(world)


@dataclass
class Vanishing(MemoryStore):
    """A store in which an object is listed and then gone."""

    vanishing: set[str] = field(default_factory=set)

    def read(self, key: str) -> Iterator[bytes]:
        if key in self.vanishing:
            self.objects.pop(key, None)
        return MemoryStore.read(self, key)


def test_what_goes_before_it_is_read_is_named_and_missed() -> None:
    store = Vanishing()
    world = World(store=store)
    gone, good = world.arrive(), world.arrive()
    store.vanishing = {gone}

    done = world.after(hours=1).seal()

    assert done.faults == {"gone": 1}
    assert objects(world.reports()) == {gone: "missing", good: "valid"}


def test_the_books_of_the_hours_that_ended_are_in_the_seal() -> None:
    world = World()
    asked: list[Sequence[datetime]] = []
    counted = (Books("2026-11-21T12", 5, 1, 4, 0, 0),)

    def read_books(cluster: str, hours: Sequence[datetime]) -> tuple[Books, ...] | None:
        asked.append(hours)
        return counted if hours else ()

    world.arrive()
    world.after(minutes=30)
    half = world.sealer(read_books=read_books).seal(world.order())
    world.after(minutes=40)
    rest = world.sealer(read_books=read_books).seal(world.order())

    assert asked == [[], [NOON], []]
    assert half.seals[0].seal.books == ()
    assert [one.seal.books for one in rest.seals] == [counted, ()]


def test_books_that_cannot_be_read_delay_nothing() -> None:
    world = World(books=None)
    world.arrive()

    assert world.after(hours=1).seal().seals[0].seal.books is None


@dataclass
class Collecting:
    """Follows the sealer."""

    read: list[ReadObject] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    fails: bool = False

    def take(self, read: ReadObject) -> None:
        self.read.append(read)

    def sealed(self, seal: Seal, entries: Sequence[Entry]) -> None:
        if self.fails:
            raise RuntimeError("no room")
        self.entries += entries


def test_a_follower_gets_every_object_as_it_was_read_and_hears_when_it_is_sealed() -> None:
    world, follower = World(), Collecting()
    key = world.arrive(3)
    world.after(hours=1)

    world.sealer(followers=[follower]).seal(world.order())

    assert [read.entry for read in follower.read] == follower.entries
    assert follower.entries[0].key == key
    assert follower.read[0].content.count(b"\n") == 3


def test_a_follower_that_fails_delays_no_seal() -> None:
    world, follower = World(), Collecting(fails=True)
    world.arrive()
    world.after(hours=2)

    done = world.sealer(followers=[follower]).seal(world.order())

    assert len(done.seals) == 2
    assert done.problems == ["Collecting failed: RuntimeError: no room"]


def test_seals_are_retained_longer_than_what_they_name() -> None:
    world = World()
    world.arrive()
    world.after(hours=1).seal()

    assert world.store.retained[seal_key("prod", 0)] == world.now + timedelta(days=31)


def test_a_text_of_the_longest_names_can_still_be_signed() -> None:
    cluster = "c" * 63
    hours = tuple(Books(f"2026-11-{day:02}T23", *[10**12] * 5) for day in range(1, 25))
    world = World(books=hours, store=MemoryStore(bucket="b" * 63))
    world.arrive(cluster=cluster)

    done = world.after(hours=1).seal(cluster)

    assert len(done.seals[0].file.seal.encode()) <= 4096
    assert done.seals[0].seal.books is None


def test_a_seal_is_read_back_as_it_was_written() -> None:
    world = World()
    world.arrive()
    (one,) = world.after(hours=1).seal().seals

    assert parse_file(world.store.objects[seal_key("prod", 0)]) == one.file
