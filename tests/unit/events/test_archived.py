"""A line of the archive is read back as the event that was stored."""

import pytest

from audit_events import item, text_of, view
from auditwire.events import Event, decode, encode_line
from auditwire.events.archived import Provenance, archived_event

NOTED = {
    "received": "2026-11-21T22:05:01.000000Z",
    "batch": "ab",
    "bundle": "cd",
    "archiving": ["a.b"],
    "alerting": ["c.d"],
}


def stored(**changes: object) -> Event:
    (event,) = decode(text_of(item(**changes))).events
    event.cluster = "prod"
    return event


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"requestObject": {"a": [1, {"b": None}], "_auditwire": {"alerting": ["forged"]}}},
        {"requestObject": {"text": 'x,"_auditwire":{"flags":["cut_off"]}}'}},
        {"annotations": {"_auditwire": "no"}},
        {"hostName": "ks-0", "more": {"x": 1}},
        {"_auditwire": {"alerting": ["forged"]}},
        {"user": {"username": "ürsula"}},
    ],
)
def test_a_line_gives_its_event_and_what_was_noted(changes: dict[str, object]) -> None:
    event = stored(**changes)

    found = archived_event(encode_line(event, NOTED))

    assert found is not None
    assert view(found[0]) == view(event)
    assert (found[1].alerting, found[1].archiving, found[1].bundle) == (("c.d",), ("a.b",), "cd")


def test_flags_and_the_reported_cluster_come_back() -> None:
    found = archived_event(encode_line(stored(), {**NOTED, "flags": ["redacted"], "reportedCluster": "other"}))

    assert found is not None
    assert found[0].flags == ("redacted",)
    assert found[0].reportedCluster == "other"


def test_what_later_versions_note_is_no_fault() -> None:
    found = archived_event(encode_line(stored(), {**NOTED, "later": [1]}))

    assert found is not None
    assert found[1] == Provenance("2026-11-21T22:05:01.000000Z", "ab", "cd", ("a.b",), ("c.d",))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        text_of(item()),
        text_of(item())[:-1] + b',"_auditwire":',
        text_of(item())[:-1] + b',"_auditwire":7}',
        text_of({"a": item() | {"_auditwire": NOTED}}),
        b'{"a":1,"_auditwire":{}}',
        text_of(item())[:-3] + b',"_auditwire":{}}',
        encode_line(stored(), NOTED)[:-1],
        b'{"x":"\xff","_auditwire":{}}',
    ],
)
def test_any_other_line_is_none(line: bytes) -> None:
    assert archived_event(line) is None
