"""The tampering matrix: what somebody can do to an archive that verifies, and what verifying says afterwards.

Each case begins with the archive of ``intact``: cluster prod with four hours and five objects, cluster test with one.
docs/evidence.md has a line for each; tests/unit/evidence/test_tampering.py runs them.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec

from auditwire.events.gzipping import gzip_lines
from auditwire.evidence.chain import Signed, Tail
from auditwire.evidence.reading import content_of, read_object
from auditwire.evidence.seal import Retention, SealFile, lines_in, parse_entry, parse_file, parse_seal, seal_key
from auditwire.evidence.signing import as_base64
from auditwire.evidence.verify import Head
from auditwire.evidence.writing import Chain, Statement
from sealed import NOON, LocalKey, World

Rights = Literal["bucket", "seal"]
"""Whoever may write to and delete from the bucket; the same with the permission to sign in addition."""


def intact() -> World:
    """The archive before anything happens to it; it verifies as intact and complete."""
    world = World(NOON + timedelta(minutes=10))
    for hour in range(4):
        for _ in range(2 if hour % 2 == 0 else 1):
            world.arrive(3)
            world.after(minutes=5)
        if hour == 0:
            world.arrive(cluster="test")
        world.now = NOON + timedelta(hours=hour + 1)
        world.seal()
        world.seal("test")
    return world


def head_of(world: World) -> Head:
    """What somebody kept elsewhere: the number and the hash of prod's last seal."""
    numbers = [number for number in range(100) if seal_key("prod", number) in world.store.objects]
    return Head("prod", numbers[-1], file_at(world, numbers[-1]).text_sha256)


def objects(world: World, cluster: str = "prod") -> list[str]:
    return [each.key for each in world.store.listing(f"events/cluster={cluster}/")]


def file_at(world: World, number: int) -> SealFile:
    return parse_file(world.store.objects[seal_key("prod", number)])


def write(world: World, number: int, file: SealFile) -> None:
    world.store.put(seal_key("prod", number), msgspec.json.encode(file))


def lines(world: World, key: str) -> list[bytes]:
    return content_of(world.store.objects[key]).splitlines()


def delete(world: World, *keys: str) -> None:
    for key in keys:
        del world.store.objects[key]


def named_by(world: World, number: int) -> list[str]:
    return [parse_entry(line).key for line in lines_in(file_at(world, number).objects)]


def change_event(world: World) -> None:
    key = objects(world)[0]
    world.store.put(key, gzip_lines([line.replace(b"mallory", b"nobody!") for line in lines(world, key)]))


def change_byte(world: World) -> None:
    key = objects(world)[0]
    content = bytearray(world.store.objects[key])
    content[len(content) // 2] ^= 1
    world.store.put(key, bytes(content))


def cut_off(world: World) -> None:
    key = objects(world)[0]
    world.store.put(key, world.store.objects[key][:-30])


def drop_last_event(world: World) -> None:
    key = objects(world)[0]
    world.store.put(key, gzip_lines(lines(world, key)[:-1]))


def repack(world: World) -> None:
    key = objects(world)[0]
    world.store.put(key, gzip.compress(content_of(world.store.objects[key])))


def empty_object(world: World) -> None:
    world.store.put(objects(world)[0], b"")


def delete_object(world: World) -> None:
    delete(world, objects(world)[0])


def swap_objects(world: World) -> None:
    one, other = objects(world)[:2]
    contents = world.store.objects[one], world.store.objects[other]
    world.store.put(one, contents[1])
    world.store.put(other, contents[0])


def another_key(key: str) -> str:
    """The same, with another digest at its end."""
    return f"{key[:-73]}{'f' * 64}.jsonl.gz"


def move_object(world: World) -> None:
    key = objects(world)[0]
    world.store.put(another_key(key), world.store.objects[key])
    delete(world, key)


def copy_object(world: World) -> None:
    key = objects(world)[0]
    world.store.put(another_key(key), world.store.objects[key])


def copy_to_another_cluster(world: World) -> None:
    key = objects(world)[0]
    world.store.put(key.replace("cluster=prod", "cluster=test"), world.store.objects[key])


def add_object(world: World) -> None:
    key = objects(world)[0]
    world.store.put(another_key(key), gzip_lines([line.replace(b"web-", b"fake-") for line in lines(world, key)]))


def add_stranger(world: World) -> None:
    world.store.put("events/cluster=prod/notes.txt", b"nothing to see here")


def overwrite_and_let_it_be_sealed(world: World) -> None:
    change_event(world)
    world.after(hours=1).seal(everything=True)


def hide_behind_a_copy(world: World) -> None:
    """A copy that sorts before the object is sealed with it; then the object is changed, and the copy is not."""
    key = world.arrive(3)
    world.store.put(f"{key[:-73]}{'0' * 64}.jsonl.gz", world.store.objects[key])
    world.after(hours=1).seal()
    world.store.put(key, gzip_lines([line.replace(b"mallory", b"nobody!") for line in lines(world, key)]))


def backdate(world: World) -> None:
    """An object of a later hour that is older than the first seal, as a replica of something old is."""
    key = objects(world)[0].replace("date=2026-11-21", "date=2026-11-23").replace("20261121T", "20261123T")
    world.store.put(key, gzip_lines([b'{"auditID":"never happened"}']))
    world.store.modified[key] = NOON - timedelta(days=9)


def twice_in_a_seal(world: World) -> None:
    key = seal_key("prod", 3)
    world.store.put(key, b'{"objects":"",' + world.store.objects[key][1:])


def roll_back(world: World) -> None:
    key = objects(world)[-1]
    before, arrived = world.store.objects[key], world.store.modified[key]
    world.store.put(key, gzip_lines([b'{"auditID":"never happened"}']))
    world.after(hours=1).seal()
    world.store.objects[key], world.store.modified[key] = before, arrived


def expire_early(world: World) -> None:
    """The lifecycle rule is set to a day."""
    world.after(days=2)
    for _ in range(2):
        world.seal()
        world.seal("test")
    delete(world, *named_by(world, 0))


def delete_last_seal(world: World) -> None:
    delete(world, seal_key("prod", 3))


def cut_tail(world: World) -> None:
    delete(world, *named_by(world, 3), seal_key("prod", 3))


def delete_middle_seal(world: World) -> None:
    delete(world, seal_key("prod", 1))


def delete_hour(world: World) -> None:
    delete(world, *named_by(world, 1), seal_key("prod", 1))


def delete_first_seal(world: World) -> None:
    delete(world, seal_key("prod", 0))


def delete_all_seals(world: World) -> None:
    delete(world, *(seal_key("prod", number) for number in range(4)))


def begin_anew(world: World) -> None:
    delete_all_seals(world)
    world.after(hours=1).seal()


def begin_anew_without_versions(world: World) -> None:
    change_event(world)
    delete_all_seals(world)
    world.store.ever.clear()
    world.after(hours=1).seal()


def change_seal(world: World) -> None:
    file = file_at(world, 1)
    write(world, 1, msgspec.structs.replace(file, seal=file.seal.replace('"events":3', '"events":2')))


def change_list(world: World) -> None:
    """The object is changed, and the list to fit."""
    change_event(world)
    key = objects(world)[0]
    entry = read_object(key, [world.store.objects[key]], world.store.modified[key]).entry
    file = file_at(world, 0)
    old = next(line for line in lines_in(file.objects) if parse_entry(line).key == key)
    fitting = msgspec.json.encode(entry).decode()
    write(world, 0, msgspec.structs.replace(file, objects=file.objects.replace(old, fitting)))


def sign(world: World, number: int, signer: LocalKey, **changes: Any) -> None:
    """Sign a seal again, with these changes."""
    file = file_at(world, number)
    seal = msgspec.structs.replace(parse_seal(file.seal), **changes)
    text = msgspec.json.encode(seal).decode()
    write(world, number, SealFile(text, as_base64(signer.sign(text.encode())), seal.key, file.objects))


def sign_with_another_key(world: World) -> None:
    other = LocalKey()
    sign(world, 1, other, key=other.fingerprint)


def sign_with_another_key_in_our_name(world: World) -> None:
    sign(world, 1, LocalKey())


def replay(world: World) -> None:
    world.store.put(seal_key("prod", 4), world.store.objects[seal_key("prod", 1)])


def replay_over(world: World) -> None:
    world.store.put(seal_key("prod", 3), world.store.objects[seal_key("prod", 1)])


def swap_seals(world: World) -> None:
    one, other = (seal_key("prod", number) for number in (1, 2))
    contents = world.store.objects[one], world.store.objects[other]
    world.store.put(one, contents[1])
    world.store.put(other, contents[0])


def renumber(world: World) -> None:
    world.store.put(seal_key("prod", 4), world.store.objects[seal_key("prod", 3)])
    delete(world, seal_key("prod", 3))


def seal_of_another_cluster(world: World) -> None:
    world.store.put(seal_key("prod", 4), world.store.objects[seal_key("test", 0)])


def empty_seal(world: World) -> None:
    world.store.put(seal_key("prod", 2), b"")


def half_a_seal(world: World) -> None:
    key = seal_key("prod", 2)
    world.store.put(key, world.store.objects[key][:400])


def junk_in_front(world: World) -> None:
    world.store.put(seal_key("prod", 4), b"junk")
    world.after(hours=1).seal()


def more_in_a_seal(world: World) -> None:
    document = json.loads(world.store.objects[seal_key("prod", 2)])
    world.store.put(seal_key("prod", 2), json.dumps({**document, "note": "all is well"}).encode())


def forged_gap(world: World) -> None:
    """The hour is gone, and a seal says that nobody sealed then."""
    delete(world, *named_by(world, 1))
    file = file_at(world, 1)
    text = file.seal.replace('"kind":"regular"', '"kind":"gap"')
    write(world, 1, msgspec.structs.replace(file, seal=text, objects=""))


def damaged_signature(world: World) -> None:
    file = file_at(world, 2)
    other = file_at(world, 1).signature
    write(world, 2, msgspec.structs.replace(file, signature=other))


def signature_that_is_none(world: World) -> None:
    write(world, 2, msgspec.structs.replace(file_at(world, 2), signature="not base64!"))


# Whoever can sign too.


def chain_behind(world: World, number: int) -> Chain:
    """The chain as it was when this seal was the last one, or before there was any."""
    last = None
    if number >= 0:
        file = file_at(world, number)
        last = Signed(parse_seal(file.seal), file)
    tail = Tail(last, number + 1, ())
    return Chain(world.store, world.key, "prod", tail, NOON)


def seal_again(world: World, first: int, last: int, **changes: Any) -> None:
    """Makes the seals from ``first`` to ``last`` anew, of what lies there now."""
    for number in range(first, last + 1):
        old = parse_seal(file_at(world, number).seal)
        keys = [key for key in named_by(world, number) if key in world.store.objects]
        entries = [read_object(key, [world.store.objects[key]], world.store.modified[key]).entry for key in keys]
        chain = chain_behind(world, number - 1)
        window = (NOON + timedelta(hours=number), NOON + timedelta(hours=number + 1))
        delete(world, seal_key("prod", number))
        chain.put(Statement(old.kind, *window), entries, changes.get("retention", old.retention), window[1])


def seal_the_change(world: World) -> None:
    change_event(world)
    seal_again(world, 0, 0)


def rewrite_the_end(world: World) -> None:
    delete(world, *named_by(world, 3))
    seal_again(world, 3, 3)


def rewrite_everything(world: World) -> None:
    change_event(world)
    seal_again(world, 0, 3)


def sign_a_gap(world: World) -> None:
    chain = chain_behind(world, 3)
    start = world.now
    world.arrive(3)
    delete(world, objects(world)[-1])
    world.after(hours=1)
    chain.put(Statement("gap", start, world.now, reason="maintenance"), [], world.retention, world.now)


def sign_a_beginning(world: World) -> None:
    chain = Chain(world.store, world.key, "prod", Tail(None, 4, ()), world.now)
    world.after(hours=1)
    chain.put(Statement("first", world.now - timedelta(hours=1), world.now), [], world.retention, world.now)


def leave_out(world: World) -> None:
    """The seal of the next hour does not name an object that arrived."""
    world.arrive(3)
    start = world.now
    world.after(hours=1)
    chain_behind(world, 3).put(Statement("regular", start, world.now), [], world.retention, world.now)


def leave_out_and_delete(world: World) -> None:
    leave_out(world)
    delete(world, objects(world)[-1])


def make_up_and_seal(world: World) -> None:
    add_object(world)
    world.after(hours=1).seal(everything=True)


def shorten_retention(world: World) -> None:
    """The seal of the next hour names one day, and what it names is gone after two."""
    key = world.arrive(3)
    world.after(hours=1)
    before, world.retention = world.retention, Retention(1, "none")
    world.seal()
    world.retention = before
    for _ in range(2):
        world.after(days=1)
        world.seal()
        world.seal("test")
    delete(world, key)


@dataclass(frozen=True)
class Case:
    """Something that somebody does, in words and as a function; what verifying says of it: the exit code, and the
    states beside ``valid``, ``sealed``, ``expired`` and ``before_first``; and the exit code with the head of before."""

    name: str
    what: str
    do: Callable[[World], None]
    outcome: int
    says: frozenset[str]
    with_head: int
    rights: Rights = "bucket"


def case(
    do: Callable[[World], None], what: str, outcome: int, *says: str, head: int | None = None, rights: Rights = "bucket"
) -> Case:
    with_head = outcome if head is None else head
    return Case(do.__name__.replace("_", "-"), what, do, outcome, frozenset(says), with_head, rights)


CASES: Final = {
    one.name: one
    for one in (
        case(change_event, "changes an event and packs the object again", 1, "changed"),
        case(change_byte, "flips one bit of an object", 1, "changed"),
        case(cut_off, "cuts off the end of an object", 1, "changed"),
        case(drop_last_event, "leaves out the last event of an object", 1, "changed"),
        case(repack, "packs the same events with another gzip", 1, "changed"),
        case(empty_object, "empties an object", 1, "changed"),
        case(delete_object, "deletes an object", 1, "missing"),
        case(swap_objects, "swaps the contents of two objects", 1, "changed"),
        case(move_object, "moves an object to another key", 1, "missing", "duplicate"),
        case(copy_object, "copies an object to another key", 3, "duplicate"),
        case(copy_to_another_cluster, "copies an object to another cluster", 3, "duplicate"),
        case(add_object, "adds an object with invented events", 3, "pending"),
        case(add_stranger, "adds a file that is no archive object", 3, "pending"),
        case(
            overwrite_and_let_it_be_sealed, "overwrites an object, and the next seal names the new bytes", 1, "changed"
        ),
        case(
            hide_behind_a_copy,
            "copies an object before it is sealed, and changes the object afterwards",
            1,
            "changed",
        ),
        case(backdate, "adds an object that the store says is older than the first seal", 3, "unsealed"),
        case(roll_back, "overwrites an object, lets that be sealed, and restores the old version", 1, "changed"),
        case(expire_early, "shortens the lifecycle rule, so that objects expire early", 1, "missing"),
        case(delete_last_seal, "deletes the last seal", 3, "pending", head=1),
        case(cut_tail, "deletes the last seal with all objects that it names", 0, head=1),
        case(delete_middle_seal, "deletes a seal in the middle", 1, "missing", "unsealed"),
        case(delete_hour, "deletes a seal in the middle with all objects that it names", 1, "missing", "unsealed"),
        case(delete_first_seal, "deletes the first seal", 1, "missing", "unsealed"),
        case(delete_all_seals, "deletes all seals", 3, "pending", "unsealed", head=1),
        case(begin_anew, "deletes all seals, and sealing goes on", 1, "missing"),
        case(
            begin_anew_without_versions,
            "changes an object, deletes all seals with all their versions, and sealing goes on",
            0,
            head=1,
        ),
        case(change_seal, "changes the text of a seal", 1, "bad_signature", "unsealed"),
        case(change_list, "changes an object, and the seal's list to match", 1, "malformed", "pending", "unsealed"),
        case(sign_with_another_key, "signs a seal with another key", 1, "unknown_key", "unsealed"),
        case(
            sign_with_another_key_in_our_name,
            "signs a seal with another key and names the right one",
            1,
            "bad_signature",
            "unsealed",
        ),
        case(replay, "copies an old seal to the next number", 1, "moved"),
        case(replay_over, "copies an old seal over a newer one", 1, "moved", "pending"),
        case(swap_seals, "swaps two seals", 1, "moved", "unsealed"),
        case(renumber, "gives a seal another number", 1, "moved"),
        case(seal_of_another_cluster, "copies a seal of another cluster into the chain", 1, "moved"),
        case(empty_seal, "empties a seal", 1, "malformed", "unsealed"),
        case(half_a_seal, "cuts off the end of a seal", 1, "malformed", "unsealed"),
        case(junk_in_front, "puts junk in the place of the next seal", 1, "malformed"),
        case(more_in_a_seal, "adds a member to the JSON of a seal", 1, "malformed", "unsealed"),
        case(twice_in_a_seal, "adds a member a second time to the JSON of a seal", 1, "malformed", "pending"),
        case(forged_gap, "deletes the objects of a seal and turns it into a gap", 1, "bad_signature", "unsealed"),
        case(damaged_signature, "puts the signature of one seal into another", 1, "bad_signature", "unsealed"),
        case(signature_that_is_none, "damages the signature of a seal", 1, "malformed", "unsealed"),
        case(seal_the_change, "changes an object and signs its seal again", 1, "broken_chain", rights="seal"),
        case(rewrite_the_end, "deletes the newest objects and signs the last seal again", 0, head=1, rights="seal"),
        case(rewrite_everything, "changes an object and signs the whole chain again", 0, head=1, rights="seal"),
        case(sign_a_gap, "deletes an hour before it is sealed and signs a gap for it", 3, "gap", rights="seal"),
        case(sign_a_beginning, "signs the beginning of a new chain", 1, "restarted", rights="seal"),
        case(leave_out, "leaves an object out of its seal", 3, "unsealed", rights="seal"),
        case(leave_out_and_delete, "leaves an object out of its seal and deletes it", 0, rights="seal"),
        case(make_up_and_seal, "adds an object with invented events and seals it", 0, rights="seal"),
        case(
            shorten_retention,
            "seals with a shorter retention, and deletes the objects when that is over",
            0,
            rights="seal",
        ),
    )
}
