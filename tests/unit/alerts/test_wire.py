"""The form in which a message is sent: nothing changes for programs, and sizes are those of JSON in JSON."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.alerts import encode_message, fold
from auditwire.alerts.mail import MAX_MAIL_BYTES, SHORT_MAIL_BYTES
from auditwire.alerts.text import annotation_value
from auditwire.alerts.wire import MAX_WIRE_BYTES, wire_form
from occurrences import occurrence, rule_of


def sent(body: str) -> dict[str, str]:
    message = wire_form(body).message
    assert len(message.encode()) <= MAX_WIRE_BYTES
    texts: dict[str, str] = json.loads(message)
    assert set(texts) == {"default", "email"}
    assert len(texts["email"].encode()) <= MAX_MAIL_BYTES
    return texts


def body_of(**annotations: str) -> str:
    labels = {"alertname": "A", "cluster": "prod", "priority": "WARNING"}
    return orjson.dumps({"labels": labels, "annotations": annotations, "auditwire": {"count": 1}}).decode()


@given(
    st.lists(st.text(max_size=300), max_size=20),
    st.sampled_from(["", "\\" * 1_024, '"' * 1_024, "\x01\ufffe\uffff" * 300, "🎉" * 1_024]),
)
def test_a_subscribed_queue_gets_the_alert_byte_for_byte(texts: list[str], wide: str) -> None:
    own = {f"n{number}": text for number, text in enumerate([*texts, *[wide] * 10])}
    (alert,) = fold([occurrence(rule=rule_of(annotations=own))], cluster="prod", bundle="b")
    body = encode_message(alert).decode()
    assert sent(body)["default"] == body


def test_what_is_too_large_has_a_shorter_mail_first_and_shorter_annotations_then() -> None:
    room = MAX_WIRE_BYTES - len(json.dumps({"default": body_of(), "email": ""}))
    facts = {f"n{number:03}": "x" * 1_000 for number in range(40)}
    small = body_of(**facts)
    assert len(sent(small)["email"]) > SHORT_MAIL_BYTES
    nearly = body_of(**facts, filler="y" * (room - 40_000 - 4_000))
    assert sent(nearly)["default"] == nearly
    assert len(sent(nearly)["email"].encode()) <= SHORT_MAIL_BYTES

    # As the outbox may hold it from a version that measured the message itself: 185 kB, 249 kB when sent.
    old = body_of(**{f"n{number:03}": '"' * 1_000 for number in range(90)})
    assert 180_000 < len(old) < 200_000
    cut = json.loads(sent(old)["default"])
    assert cut["annotations"] == {f"n{number:03}": annotation_value('"' * 1_000, 256) for number in range(90)}
    assert {name: cut[name] for name in ("labels", "auditwire")} == {
        name: json.loads(old)[name] for name in ("labels", "auditwire")
    }


@pytest.mark.parametrize("body", ["no JSON", "[1]", '"text"', '{"labels": 5, "annotations": [], "auditwire": "x"}'])
def test_what_is_no_alert_is_sent_as_it_is(body: str) -> None:
    assert sent(body)["default"] == body
    assert wire_form(body).subject


def test_nothing_that_xml_forbids_is_sent() -> None:
    texts: Any = wire_form(body_of(message="\ufffe\uffff\x00")).message
    assert not {"\ufffe", "\uffff", "\x00"} & set(texts)
