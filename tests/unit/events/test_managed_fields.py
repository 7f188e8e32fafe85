"""Managed fields are left out of bodies, and nothing else changes."""

import msgspec
import pytest

from audit_events import item, text_of
from auditwire.events import Event, Level, as_stored, decode, strip_managed_fields

MANAGED = '"managedFields":[{"manager":"kubectl","fieldsV1":{"f:data":{}}}]'


def strip(text: str) -> str:
    return bytes(strip_managed_fields(msgspec.Raw(text.encode()))).decode()


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ('{"metadata":{"name":"a",%s},"x":1.50}', '{"metadata":{"name":"a"},"x":1.50}'),
        ('{"a":"b","items":[{"metadata":{%s}},{"spec":1e3}]}', '{"a":"b","items":[{"metadata":{}},{"spec":1e3}]}'),
        ('{"rows":[{"object":{"metadata":{%s}}}]}', '{"rows":[{"object":{"metadata":{}}}]}'),
        ('{"metadata":{"a":"\\u003c",%s}}', '{"metadata":{"a":"\\u003c"}}'),
    ],
)  # fmt: skip
def test_they_are_left_out_of_objects_lists_and_tables(body: str, left: str) -> None:
    assert strip(body % MANAGED) == left


@pytest.mark.parametrize(
    "body",
    [
        "[]", "null", '"x"', "5", "{}", '{"metadata":null}', '{"metadata":5,"items":5,"rows":null,"x":"managedFields"}',
        '{"spec":{"managedFields":[1]}}', '{"items":[1,null,"managedFields"]}',
        '{"metadata":{"labels":{"managedFields":"x"}}}',
        '[{"metadata":{"managedFields":[]}}]',
    ],
)  # fmt: skip
def test_a_body_without_any_is_the_same_object(body: str) -> None:
    raw = msgspec.Raw(body.encode())

    assert strip_managed_fields(raw) is raw


def event(verb: str) -> Event:
    body = {"metadata": {"name": "a", "managedFields": [{"manager": "x"}]}}
    level = "RequestResponse"
    (only,) = decode(text_of(item(verb=verb, level=level, requestObject=body, responseObject=body))).events
    return only


def test_a_stored_event_has_none_when_the_policy_says_so() -> None:
    stored = as_stored(event("create"), None, omit_managed_fields=True)

    assert stored.requestBody == stored.responseBody == {"metadata": {"name": "a"}}
    assert stored.flags == ()
    assert as_stored(stored, None, omit_managed_fields=True) is stored


def test_a_patch_is_stored_as_it_was_sent() -> None:
    stored = as_stored(event("patch"), None, omit_managed_fields=True)

    assert "managedFields" in stored.requestBody["metadata"]
    assert "managedFields" not in stored.responseBody["metadata"]


def test_they_stay_without_a_policy() -> None:
    whole = event("create")

    assert as_stored(whole, Level.REQUEST_RESPONSE) is whole


def test_values_of_secrets_are_redacted_all_the_same() -> None:
    secret = {"metadata": {"managedFields": []}, "data": {"password": "aHVudGVyMg=="}}
    ref = {"resource": "secrets", "namespace": "shop", "name": "db"}
    (sent,) = decode(text_of(item(level="Request", verb="update", objectRef=ref, requestObject=secret))).events

    assert as_stored(sent, None, omit_managed_fields=True).requestBody == {
        "metadata": {},
        "data": {"password": "[REDACTED]"},
    }
