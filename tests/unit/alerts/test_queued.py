"""Messages of the queue: ours, wrapped by SNS, written by others, or no alert at all."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.alerts import MessageError, QueuedAlert, encode_message, fold, read_message
from auditwire.alerts.queued import MAX_NAMES
from auditwire.alerts.text import MAX_ANNOTATION_LENGTH, MAX_LABEL_LENGTH
from auditwire.events.label_names import MAX_NAME_LENGTH
from auditwire.rules.rule_document import MAX_ADDED
from occurrences import occurrence, rule_of

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TTL = timedelta(minutes=15)


def posted(body: dict[str, Any], now: datetime = NOW) -> dict[str, Any]:
    alert: dict[str, Any] = json.loads(read_message(json.dumps(body)).as_posted(now, TTL))
    return alert


def test_our_own_message_becomes_an_alert_that_is_active_from_its_delivery() -> None:
    (alert,) = fold([occurrence()], cluster="prod", bundle="b", archive_url="https://console/")
    body = encode_message(alert).decode()
    assert json.loads(read_message(body).as_posted(NOW, TTL)) == {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": "2026-11-21T22:05:00.000000Z",
        "endsAt": "2026-11-22T09:15:00.000000Z",
        "generatorURL": alert.generator_url,
    }
    envelope = json.dumps({"Type": "Notification", "TopicArn": "arn:…", "Message": body})
    assert read_message(envelope) == read_message(body)


def test_an_alert_from_the_future_starts_now() -> None:
    body = {"labels": {"alertname": "x"}, "auditwire": {"first": "2030-01-01T00:00:00Z"}}
    assert posted(body)["startsAt"] == "2026-11-22T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "starts"),
    [
        ({"startsAt": "2026-11-21T22:05:00.123456789+08:00"}, "2026-11-21T14:05:00.123456Z"),
        ({"startsAt": "2026-11-21 22:05:00"}, "2026-11-21T22:05:00.000000Z"),
        ({"auditwire": {"first": "?"}, "startsAt": "2026-11-21T22:05:00Z"}, "2026-11-21T22:05:00.000000Z"),
        ({"startsAt": "0001-01-01T00:00:00+09:00"}, "2026-11-22T09:00:00.000000Z"),
        ({"startsAt": "yesterday"}, "2026-11-22T09:00:00.000000Z"),
        ({"startsAt": 17}, "2026-11-22T09:00:00.000000Z"),
        ({"auditwire": []}, "2026-11-22T09:00:00.000000Z"),
        ({}, "2026-11-22T09:00:00.000000Z"),
    ],
)
def test_any_time_is_read_and_an_unreadable_one_is_now(body: dict[str, Any], starts: str) -> None:
    assert posted({"labels": {"alertname": "x"}, **body})["startsAt"] == starts


def test_what_others_write_is_made_legal() -> None:
    body = {
        "labels": {"alert-name": "x", "9": "nine", "empty": "", "number": 5, "flag": True, "none": None},
        "annotations": {"run.book/url": "y"},
        "generatorURL": "no uri",
    }
    assert read_message(json.dumps(body)) == QueuedAlert(
        labels={"alert_name": "x", "_9": "nine", "number": "5", "flag": "true"},
        annotations={"run_book_url": "y"},
        first=None,
    )


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("https://console/o?prefix=a%20b", True),
        ("s3://bucket/key=1/x", True),
        ("/relative", False),
        ("https://", False),
        ("https://host:port/", False),
        ("https://host:99999/", False),
        ("https://host/%zz", False),
        ("https://host/a b", False),
        ("https://[::1/", False),
        ("javascript:alert(1)", False),
        (5, False),
    ],
)
def test_a_generator_that_is_no_uri_is_left_out(uri: object, kept: bool) -> None:
    assert read_message(json.dumps({"labels": {"a": "b"}, "generatorURL": uri})).generator_url == (uri if kept else "")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("not json", "the message is not JSON: "),
        ("", "the message is not JSON: "),
        ("[]", "the message is not a JSON object"),
        ('"text"', "the message is not a JSON object"),
        ("{}", "the message has no labels, so it is not an alert"),
        ('{"labels": {}}', "the message has no labels, so it is not an alert"),
        ('{"labels": {"a": ""}}', "the message has no labels, so it is not an alert"),
        ('{"labels": ["a"]}', "the message's labels are not a JSON object"),
        ('{"labels": {"a": ["b"]}}', "one of the message's labels is not text"),
        ('{"labels": {"a": "b"}, "annotations": {"c": {}}}', "one of the message's annotations is not text"),
        ('{"Type": "Notification", "Message": "hello"}', "the message is not JSON: "),
        ('{"Type": "Notification", "Message": {}}', "the message has no labels, so it is not an alert"),
    ],
)
def test_what_is_no_alert_is_told_why(body: str, why: str) -> None:
    with pytest.raises(MessageError) as caught:
        read_message(body)
    assert str(caught.value).startswith(why)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"labels": st.dictionaries(st.text(), JSON)},
        optional={"annotations": JSON, "startsAt": JSON, "auditwire": JSON, "generatorURL": JSON},
    )
)
def test_whatever_was_written_either_becomes_an_alert_or_is_told_why(body: dict[str, Any]) -> None:
    try:
        alert = read_message(json.dumps(body))
    except MessageError:
        return
    assert json.loads(alert.as_posted(NOW, TTL))["labels"]


def test_what_others_write_is_bounded_as_ours_is() -> None:
    long = "é\n" * 50_000
    alert = read_message(json.dumps({"labels": {"alertname": "x", "n" * 500: long}, "annotations": {"a": long}}))

    assert max(map(len, alert.labels)) <= MAX_NAME_LENGTH
    assert max(map(len, alert.labels.values())) <= MAX_LABEL_LENGTH
    assert len(alert.annotations["a"]) <= MAX_ANNOTATION_LENGTH
    assert all(value.isprintable() for value in [*alert.labels.values(), *alert.annotations.values()])


@pytest.mark.parametrize("what", ["labels", "annotations"])
def test_an_alert_with_endless_names_is_none(what: str) -> None:
    def message(most: int) -> str:
        return json.dumps({"labels": {"alertname": "x"}, what: {f"n{number}": "v" for number in range(most)}})

    assert read_message(message(MAX_NAMES))
    with pytest.raises(MessageError, match=f"the message has {MAX_NAMES + 1} {what}, more than {MAX_NAMES}"):
        read_message(message(MAX_NAMES + 1))


def test_the_largest_alert_of_ours_is_far_from_the_bound() -> None:
    labels = {f"l{number}": "x" * 256 for number in range(MAX_ADDED)}
    (alert,) = fold([occurrence(rule=rule_of(labels=labels))], cluster="prod", bundle="b", archive_url="https://a/")

    assert read_message(encode_message(alert).decode()).labels == alert.labels
    assert len(alert.labels) < MAX_NAMES / 2
