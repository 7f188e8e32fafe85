"""What could not be read is put aside: a few items for themselves, many together, the same ones once."""

from datetime import UTC, datetime

from auditwire.archive import MemoryArchive
from auditwire.archive.rejected import MAX_OBJECTS, quarantine_rejects
from auditwire.events import Reject, decode

RECEIVED = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)


def items(count: int) -> list[Reject]:
    """As decoding finds them, over several lines each."""
    return decode(b"[%b]" % b",".join(b'{"verb":\n"get","n":%d}' % number for number in range(count))).rejects


def put(archive: MemoryArchive, rejects: list[Reject]) -> list[tuple[Reject, str]]:
    return quarantine_rejects(archive, rejects, cluster="prod", received=RECEIVED)


def test_a_few_items_are_an_object_each() -> None:
    archive = MemoryArchive()
    rejects = items(MAX_OBJECTS)

    assert [reject for reject, _ in put(archive, rejects)] == rejects
    assert len(archive.objects) == MAX_OBJECTS
    assert {note["reason"] for note in archive.metadata.values()} == {"missing_field"}


def test_an_item_that_comes_often_is_one_object() -> None:
    archive = MemoryArchive()

    assert len(put(archive, decode(b"[%b1]" % (b"1," * 1_000)).rejects)) == 1
    assert len(archive.objects) == 1


def test_many_items_are_one_object_that_can_be_taken_up_again() -> None:
    archive = MemoryArchive()
    rejects = items(MAX_OBJECTS + 1)
    [(body, key)] = put(archive, rejects)

    assert list(archive.objects) == [key]
    assert (archive.metadata[key]["reason"], archive.metadata[key]["kind"]) == ("many_items", "body")
    assert [reject.raw for reject in decode(body.raw).rejects] == [reject.raw for reject in rejects]
    assert put(archive, rejects) == [(body, key)]
    assert list(archive.objects) == [key]
