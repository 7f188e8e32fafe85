"""Levels trim what is stored; the event received stays as it is."""

from datetime import UTC, datetime

import pytest

from audit_events import item, text_of
from auditwire.events import Event, Level, as_stored, decode, settle

FULL = item(level="RequestResponse", requestObject={"a": 1}, responseObject={"b": 2})


def received(**changes: object) -> Event:
    (event,) = decode(text_of(FULL | changes)).events
    return event


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (None, ("RequestResponse", {"a": 1}, {"b": 2})),
        (Level.REQUEST_RESPONSE, ("RequestResponse", {"a": 1}, {"b": 2})),
        (Level.REQUEST, ("Request", {"a": 1}, None)),
        (Level.METADATA, ("Metadata", None, None)),
        (Level.NONE, ("None", None, None)),
    ],
)
def test_a_level_drops_the_bodies_above_it(level: Level | None, expected: tuple[object, ...]) -> None:
    event = received()
    stored = as_stored(event, level)

    assert (stored.level, stored.requestBody, stored.responseBody) == expected
    assert (event.level, event.requestBody, event.responseBody) == ("RequestResponse", {"a": 1}, {"b": 2})


@pytest.mark.parametrize("level", [None, Level.METADATA, Level.REQUEST])
def test_an_event_within_its_limit_is_the_same_object(level: Level | None) -> None:
    event = received(level="Metadata", requestObject=None, responseObject=None)

    assert as_stored(event, level) is event


def test_a_limit_never_raises_a_level_and_still_drops_what_does_not_belong() -> None:
    stored = as_stored(received(level="Metadata"), Level.REQUEST)

    assert (stored.level, stored.requestBody, stored.responseBody) == ("Metadata", {"a": 1}, None)


def test_an_unknown_level_is_trimmed_like_the_highest() -> None:
    stored = as_stored(received(level="Everything"), Level.METADATA)

    assert (stored.level, stored.requestObject, stored.responseObject) == ("Metadata", None, None)


def test_the_copy_knows_how_it_was_received() -> None:
    event = received(requestURI="/p?token=x", cluster="forged")
    settle(event, cluster="prod", received=datetime(2026, 11, 21, tzinfo=UTC))
    stored = as_stored(event, Level.METADATA)

    assert stored is not event
    assert (stored.raw, stored.digest, stored.sender) == (event.raw, event.digest, event.sender)
    assert (stored.cluster, stored.reportedCluster) == ("prod", "forged")
    assert (event.flags, stored.flags) == (("cluster_differs",), ("cluster_differs", "redacted"))
    assert stored.edited == {"level", "requestURI", "requestObject", "responseObject"}
    assert stored.unknown == event.unknown


def test_trimming_alone_is_no_redaction() -> None:
    assert as_stored(received(objectRef={"resource": "secrets"}), Level.METADATA).flags == ()


def test_a_body_already_decoded_stays_decoded_unless_it_changed() -> None:
    event = received(objectRef={"resource": "secrets"}, requestObject={"data": {"a": "x"}})
    before = event.requestBody, event.responseBody
    stored = as_stored(event, None)

    assert stored.requestBody == {"data": {"a": "[REDACTED]"}}
    assert stored.responseBody is before[1]
    assert event.requestBody is before[0]


def test_an_event_built_by_hand_can_be_stored() -> None:
    event = Event(level="Request", auditID="a", stage="Panic", verb="get", requestURI="/?token=x")
    stored = as_stored(event, Level.METADATA)

    assert (stored.level, stored.requestURI) == ("Metadata", "/?token=[REDACTED]")
    assert stored.digest == event.digest
