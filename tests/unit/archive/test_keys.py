"""Keys: the same for a repeated batch, another for any other, and safe from what senders choose."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.archive import HourGroup, batch_digest, object_key, partition, quarantine_key
from auditwire.events import Event, settle

RECEIVED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def events(*stage_times: str | None, received: datetime = RECEIVED) -> list[Event]:
    made = [
        Event(level="Metadata", auditID="a", stage="ResponseComplete", verb="get", stageTimestamp=time)
        for time in stage_times
    ]
    for event in made:
        settle(event, cluster="prod", received=received)
    return made


def test_no_events_make_no_group() -> None:
    assert partition([]) == []


def test_events_are_grouped_by_the_hour_they_happened_in() -> None:
    found = partition(
        events(
            "2026-11-21T22:59:59.999999Z", "2026-11-21T23:00:00Z", "2026-11-21T22:05:00+00:00", "2026-11-21T23:30:00.5Z"
        )
    )
    assert found == [
        HourGroup("2026-11-21T22", "20261121T220500.000000Z", (0, 2)),
        HourGroup("2026-11-21T23", "20261121T230000.000000Z", (1, 3)),
    ]


def test_later_hours_than_24_join_the_last_and_are_known_as_strays() -> None:
    times = [f"2026-11-{1 + hour // 24:02}T{hour % 24:02}:10:00Z" for hour in range(30)]
    times.append("2026-11-01T23:59:00Z")
    found = partition(events(*reversed(times)))
    assert len(found) == 24
    assert [group.hour for group in found] == [f"2026-11-01T{hour:02}" for hour in range(24)]
    last = found[-1]
    assert last.t == "20261101T231000.000000Z"
    assert last.strays == frozenset(range(1, 7))
    assert last.members == (0, 1, 2, 3, 4, 5, 6, 7)
    assert sorted(at for group in found for at in group.members) == list(range(31))


def test_events_without_a_time_of_their_own_do_not_move_the_others_when_the_batch_is_sent_again() -> None:
    times = ("2026-11-21T22:05:00Z", "not a time", None)
    first = partition(events(*times))
    again = partition(events(*times, received=datetime(2026, 11, 23, tzinfo=UTC)))
    assert first == again == [HourGroup("2026-11-21T22", "20261121T220500.000000Z", (0, 1, 2), frozenset((1, 2)))]


def test_a_body_without_any_time_goes_by_the_hour_it_came_in() -> None:
    times = (None, "yesterday")
    expected = [HourGroup("2026-11-22T09", "20261122T090000.000000Z", (0, 1))]
    assert partition(events(*times)) == expected
    assert partition(events(*times, received=RECEIVED.replace(minute=34))) == expected


@given(st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda moment: f"{moment.isoformat()}Z")))  # noqa: DTZ001
def test_every_event_is_in_exactly_one_of_at_most_24_groups(times: list[str]) -> None:
    found = partition(events(*times))
    assert len(found) <= 24
    assert sorted(at for group in found for at in group.members) == list(range(len(times)))
    assert all(group.strays <= set(group.members) for group in found)
    assert len({group.t for group in found}) == len(found)


def test_one_body_from_two_clusters_is_two_bodies() -> None:
    assert batch_digest("prod", b"{}") == sha256(b"prod\0{}").hexdigest()
    assert len({batch_digest("prod", b"{}"), batch_digest("prod2", b"{}"), batch_digest("prod", b"2{}")}) == 3


def test_keys_are_as_athena_and_people_expect_them() -> None:
    key = object_key("prod", "2026-11-21T22", "20261121T220500.000000Z", "abc")
    assert key == "events/cluster=prod/date=2026-11-21/hour=22/20261121T220500.000000Z-abc.jsonl.gz"
    assert quarantine_key("prod", "abc") == "quarantine/cluster=prod/abc.gz"


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a=b", "prod\n"])
def test_no_key_is_made_with_a_name_that_is_no_cluster_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a cluster name and cannot be part of a key"):
        object_key(name, "2026-11-21T22", "t", "d")
    with pytest.raises(ValueError, match="is not a cluster name and cannot be part of a key"):
        quarantine_key(name, "d")
