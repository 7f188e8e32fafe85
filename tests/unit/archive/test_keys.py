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
    assert partition([], RECEIVED) == []


def test_events_are_grouped_by_the_hour_they_happened_in() -> None:
    times = "2026-11-21T22:59:59.999999Z", "2026-11-21T23:00:00Z", "2026-11-21T22:05:00+00:00", "2026-11-21T23:30:00.5Z"
    found = partition(events(*times), RECEIVED)
    assert found == [
        HourGroup("2026-11-21T22", "20261121T220500.000000Z", (0, 2)),
        HourGroup("2026-11-21T23", "20261121T230000.000000Z", (1, 3)),
    ]


def test_later_hours_than_24_join_the_last_and_are_known_as_strays() -> None:
    times = [f"2026-11-{1 + hour // 24:02}T{hour % 24:02}:10:00Z" for hour in range(30)]
    times.append("2026-11-01T23:59:00Z")
    found = partition(events(*reversed(times)), RECEIVED)
    assert len(found) == 24
    assert [group.hour for group in found] == [f"2026-11-01T{hour:02}" for hour in range(24)]
    last = found[-1]
    assert last.t == "20261101T231000.000000Z"
    assert last.strays == frozenset(range(1, 7))
    assert last.members == (0, 1, 2, 3, 4, 5, 6, 7)
    assert sorted(at for group in found for at in group.members) == list(range(31))


@pytest.mark.parametrize("time", [None, "not a time", "9999-12-31T23:59:59Z", "2026-11-23T09:35:00Z"])
def test_an_event_without_a_plausible_time_is_filed_by_its_receipt_and_never_under_a_neighbours_time(
    time: str | None,
) -> None:
    times = ("2026-11-21T22:05:00Z", time, "2026-11-21T23:05:00Z", time)
    dated = [
        HourGroup("2026-11-21T22", "20261121T220500.000000Z", (0,)),
        HourGroup("2026-11-21T23", "20261121T230500.000000Z", (2,)),
    ]
    assert partition(events(*times), RECEIVED) == [
        *dated,
        HourGroup("2026-11-22T09", "20261122T090000.000000Z", (1, 3)),
    ]
    # The same object when it comes again in that hour, another one later; the others stay where they are.
    again = RECEIVED.replace(minute=34)
    assert partition(events(*times, received=again), again) == partition(events(*times), RECEIVED)
    if time is None:
        later = RECEIVED.replace(hour=10)
        assert partition(events(*times, received=later), later)[:2] == dated


def test_an_event_of_the_same_hour_keeps_its_own_object() -> None:
    found = partition(events("2026-11-22T09:10:00Z", None), RECEIVED)
    assert found == [
        HourGroup("2026-11-22T09", "20261122T090000.000000Z", (1,)),
        HourGroup("2026-11-22T09", "20261122T091000.000000Z", (0,)),
    ]


def test_what_happened_at_the_start_of_the_hour_has_no_second_object_of_the_same_key() -> None:
    found = partition(events("2026-11-22T09:10:00Z", None, "2026-11-22T09:00:00Z"), RECEIVED)
    assert found == [HourGroup("2026-11-22T09", "20261122T090000.000000Z", (0, 1, 2))]


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2019-11-22T09:30:00Z", "2026-11-23T09:30:00Z"])
def test_old_events_keep_their_hour_and_so_do_those_of_a_fast_clock(time: str) -> None:
    (group,) = partition(events(time), RECEIVED)
    assert group.hour == time[:13]


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001


@given(st.lists(MOMENTS.map(lambda moment: f"{moment.isoformat()}Z") | st.none()))
def test_every_event_is_in_exactly_one_of_at_most_24_groups(times: list[str | None]) -> None:
    found = partition(events(*times), RECEIVED)
    assert len(found) <= 24
    assert sorted(at for group in found for at in group.members) == list(range(len(times)))
    assert [group.t for group in found] == sorted(group.t for group in found)
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
