"""Where files go, and what goes into which: the same for the same seal."""

import random

import pytest

from auditwire.ocsf.layout import MAX_EVENTS, MAX_STORED_BYTES, Exported, Part, Place, day_of, parts_of

DIGEST = "0" * 64


def at(day: str, number: int = 0, *, events: int = 1, size: int = 100, hour: int = 22) -> Exported:
    t = f"{day.replace('-', '')}T{hour:02}{number // 60:02}{number % 60:02}.000000Z"
    return Exported(f"events/cluster=prod/date={day}/hour={hour:02}/{t}-{DIGEST}.jsonl.gz", size, events)


def test_the_key_is_that_of_a_custom_source_of_security_lake() -> None:
    part = Part("20261121", ())
    place = Place("ext/auditwire/", "eu-west-1", "123456789012")

    key = place.key(part, "prod", 42, "ab" * 32, 3)

    folder = "ext/auditwire/region=eu-west-1/accountId=123456789012/eventDay=20261121/"
    assert key == f"{folder}prod-0000000042-abababababab-0003.parquet"
    assert place.key(part, "prod", 42, "ab" * 32, 3, 1) == f"{folder}prod-0000000042-abababababab-0003-1.parquet"


@pytest.mark.parametrize(
    ("key", "day"),
    [
        (at("2026-11-21").key, "20261121"),
        ("events/cluster=prod/date=2026-02-30/hour=22/x", "19700101"),
        ("events/cluster=prod/x", "19700101"),
    ],
)
def test_an_object_is_of_the_day_under_which_it_lies(key: str, day: str) -> None:
    assert day_of(key) == day


def test_days_have_files_of_their_own_and_the_order_of_the_objects_changes_nothing() -> None:
    objects = [at("2026-11-21", 5), at("2026-11-20"), at("2026-11-21", 1), at("2026-11-22", events=0)]
    parts = parts_of(objects)

    assert [(part.day, part.events) for part in parts] == [("20261120", 1), ("20261121", 2)]
    assert parts[1].objects == (objects[2], objects[0])
    random.Random(1).shuffle(objects)
    assert parts_of(objects) == parts


@pytest.mark.parametrize(
    ("events", "size", "expected"),
    [(MAX_EVENTS // 2, 1, [2, 2, 1]), (1, MAX_STORED_BYTES // 2, [2, 2, 1]), (MAX_EVENTS + 1, 1, [1] * 5), (1, 1, [5])],
)
def test_a_busy_day_has_several_files(events: int, size: int, expected: list[int]) -> None:
    parts = parts_of(at("2026-11-21", number, events=events, size=size) for number in range(5))
    assert [len(part.objects) for part in parts] == expected


def test_nothing_to_export_is_no_file() -> None:
    assert parts_of([at("2026-11-21", events=0)]) == parts_of([]) == []
