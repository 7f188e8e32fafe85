"""What a body may not decide: whose event it is, and how its times are written."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from audit_events import as_kubesphere, item, text_of
from auditwire.events import Event, decode, settle
from auditwire.events.timestamps import as_text, normalise
from payloads import payload

RECEIVED = datetime(2026, 11, 21, 23, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
NOW = "2026-11-21T22:00:00.000005Z"


def settled(**changes: object) -> Event:
    (event,) = decode(text_of(item(**changes))).events
    settle(event, cluster="prod", received=RECEIVED)
    return event


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2026-11-21T22:05:00.123456Z", "2026-11-21T22:05:00.123456Z"),
        ("2026-11-21T22:05:00Z", "2026-11-21T22:05:00.000000Z"),
        ("2026-11-21T22:05:00.5Z", "2026-11-21T22:05:00.500000Z"),
        ("2026-11-21T22:05:00.123456789Z", "2026-11-21T22:05:00.123456Z"),
        ("2026-11-21T22:05:59.999999999Z", "2026-11-21T22:05:59.999999Z"),
        ("2026-11-21t22:05:00.1z", "2026-11-21T22:05:00.100000Z"),
        ("2026-11-21T23:35:00+01:30", "2026-11-21T22:05:00.000000Z"),
        ("2026-11-21T22:05:00.000001-08:00", "2026-11-22T06:05:00.000001Z"),
        ("2026-11-21T22:05:00-00:00", "2026-11-21T22:05:00.000000Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000000Z"),
        ("2026-12-31T23:59:60.25Z", "2027-01-01T00:00:00.250000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_timestamp_is_normalised(text: str, normal: str) -> None:
    assert normalise(text) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "1732226700", "2026-11-21", "2026-11-21T22:05:00", "2026-11-21 22:05:00Z", "20261121T220500Z",
        "2026-11-21T22:05Z", "2026-11-21T22:05:00.Z", "2026-11-21T22:05:00,5Z", "2026-11-21T22:05:00+0100",
        "2026-13-01T00:00:00.000000Z", "2026-11-31T00:00:00.000000Z", "2023-02-29T00:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T24:00:00.000000Z", "2026-11-21T22:60:00.000000Z", "2026-11-21T22:05:61Z",
        "2026-11-21T22:05:00+24:00",
        "2026-11-21T22:05:00+01:60", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z", "10000-01-01T00:00:00Z",
        "2026-W47-6T22:05:00.000000Z", "\uff12\uff10\uff12\uff16-11-21T22:05:00.123456Z",
        "2026-11-21T22:05:00.123456Z\n",
        "2026-11-21T22:05:00\x00Z", "2026-11-21T22:05:00." + "1" * 100 + "Z", "2" * 1_000_000,
    ],
)  # fmt: skip
def test_what_is_no_timestamp_is_unreadable(text: str) -> None:
    assert normalise(text) is None


def test_moments_are_written_in_normal_form() -> None:
    assert as_text(RECEIVED) == NOW
    assert as_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


def test_the_cluster_is_the_credentials() -> None:
    event = settled()

    assert (event.cluster, event.reportedCluster, event.flags, event.edited) == ("prod", "", (), frozenset())


def test_another_cluster_in_the_body_is_kept_and_flagged() -> None:
    event = settled(cluster="forged")

    assert (event.cluster, event.reportedCluster, event.flags) == ("prod", "forged", ("cluster_differs",))


@pytest.mark.parametrize("reported", ["prod", "", None])
def test_the_same_or_no_cluster_in_the_body_is_nothing_to_note(reported: str | None) -> None:
    assert settled(cluster=reported).flags == ()


def test_times_are_normalised_and_marked_as_edited() -> None:
    event = settled(requestReceivedTimestamp="2026-11-21T22:05:00Z", stageTimestamp="2026-11-21T23:05:01+01:00")

    assert event.requestReceivedTimestamp == "2026-11-21T22:05:00.000000Z"
    assert event.stageTimestamp == "2026-11-21T22:05:01.000000Z"
    assert event.edited == {"requestReceivedTimestamp", "stageTimestamp"}
    assert event.flags == ()


def test_an_unreadable_time_is_replaced_by_the_receive_time_and_flagged() -> None:
    event = settled(requestReceivedTimestamp="yesterday", stageTimestamp="\x00" * 70_000)

    assert (event.requestReceivedTimestamp, event.stageTimestamp) == (NOW, NOW)
    assert sorted(event.flags) == ["received_time_unreadable", "stage_time_unreadable"]


@pytest.mark.parametrize(
    ("times", "expected", "flags"),
    [
        ({"requestReceivedTimestamp": "2026-11-21T21:00:00Z"}, "2026-11-21T21:00:00.000000Z", ()),
        ({"requestReceivedTimestamp": "2026-11-21T21:00:00Z", "timestamp": "2017-01-01T00:00:00Z"},
         "2026-11-21T21:00:00.000000Z", ()),
        ({"timestamp": "2017-09-11T19:55:05Z", "metadata": {"creationTimestamp": "2017-09-11T19:55:04Z"}},
         "2017-09-11T19:55:05.000000Z", ()),
        ({"timestamp": 5, "metadata": {"creationTimestamp": "2017-09-11T19:55:04Z"}},
         "2017-09-11T19:55:04.000000Z", ()),
        ({"metadata": {"creationTimestamp": 5}}, NOW, ("stage_time_missing",)),
        ({"metadata": []}, NOW, ("stage_time_missing",)),
        ({}, NOW, ("stage_time_missing",)),
    ],
)  # fmt: skip
def test_an_absent_stage_time_is_the_next_the_event_knows(
    times: dict[str, Any], expected: str, flags: tuple[str, ...]
) -> None:
    for absent in ({"stageTimestamp": None}, {"stageTimestamp": ""}):
        event = settled(**{"requestReceivedTimestamp": None, **absent, **times})

        assert (event.stageTimestamp, event.flags) == (expected, flags)


def test_an_absent_receive_time_stays_absent() -> None:
    assert settled(requestReceivedTimestamp=None).requestReceivedTimestamp is None


def test_events_of_2017_settle_the_same_at_every_repeat() -> None:
    times = set()
    for received in (RECEIVED, RECEIVED + timedelta(days=1)):
        for event in decode(payload("kube-log-1.8-lines")).events:
            settle(event, cluster="prod", received=received)
            times.add((event.stageTimestamp, *event.flags))

    assert times == {("2017-09-11T19:55:05.000000Z",), ("2017-09-11T19:55:34.000000Z",)}


def test_settling_twice_changes_nothing_more() -> None:
    event = settled(cluster="forged", stageTimestamp="x", level="Everything")
    before = (event.cluster, event.reportedCluster, event.flags, event.stageTimestamp)

    settle(event, cluster="prod", received=RECEIVED)

    assert (event.cluster, event.reportedCluster, event.flags, event.stageTimestamp) == before
    assert before[2] == ("cluster_differs", "level_unknown", "stage_time_unreadable")


def test_kubesphere_events_settle_alike() -> None:
    (event,) = decode(text_of(as_kubesphere(item(cluster="host", stageTimestamp="2026-11-21T22:05:01.5Z")))).events
    settle(event, cluster="demo-ks", received=RECEIVED)

    assert (event.cluster, event.reportedCluster) == ("demo-ks", "host")
    assert event.stageTimestamp == "2026-11-21T22:05:01.500000Z"


@pytest.mark.parametrize(
    ("time", "is_implausible"),
    [
        ("2026-11-22T22:00:00.000005Z", False),
        ("2026-11-22T22:00:00.000006Z", True),
        ("2026-11-22T23:00:00.000006+01:00", True),
        ("9999-12-31T23:59:59Z", True),
        ("1970-01-01T00:00:00Z", False),
        ("no time", False),
    ],
)
@pytest.mark.parametrize("field", ["stageTimestamp", "requestReceivedTimestamp"])
def test_a_time_more_than_a_day_ahead_stays_and_is_flagged(time: str, is_implausible: bool, field: str) -> None:
    event = settled(**{"stageTimestamp": None, "requestReceivedTimestamp": None, field: time})
    assert ("time_implausible" in event.flags) is is_implausible
    if is_implausible:
        assert event.stageTimestamp == normalise(time)
