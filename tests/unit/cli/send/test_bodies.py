import json

import pytest

from auditwire_cli.send.bodies import as_kubesphere, body
from auditwire_cli.send.shape import Shape

EVENT = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete",'
    b'"requestURI":"/x","verb":"create","user":{"username":"u","groups":["g"]},"sourceIPs":["192.0.2.1"],'
    b'"objectRef":{"resource":"pods","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},'
    b'"requestObject":{"apiVersion":"v1","kind":"Pod","Verb":12345678901234567890.0},"x-unknown":1}'
)
SHORT = b'{"auditID":"b"}'


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (
            Shape.EVENT_LIST,
            b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['
            + SHORT
            + b","
            + EVENT
            + b"]}\n",
        ),
        (Shape.ARRAY, b"[" + SHORT + b"," + EVENT + b"]"),
        (Shape.JSONL, SHORT + b"\n" + EVENT + b"\n"),
    ],
)
def test_items_travel_byte_for_byte(shape: Shape, expected: bytes) -> None:
    assert body([SHORT, EVENT], shape) == expected


def test_a_single_event_is_its_own_body() -> None:
    assert body([EVENT], Shape.SINGLE) == EVENT


def test_json_lines_put_a_printed_event_on_one_line() -> None:
    assert body([b'{\n  "auditID": "b\\n",\n  "n": 1.0\n}'], Shape.JSONL) == b'{"auditID":"b\\n","n":1.0}\n'


def test_kubesphere_bodies_hold_the_events_as_each_generation_wraps_them() -> None:
    three, four = as_kubesphere(SHORT, 3), as_kubesphere(SHORT, 4)

    assert body([SHORT, SHORT], Shape.KS3) == b'{"Items":[' + three + b"," + three + b"]}"
    assert body([SHORT, SHORT], Shape.KS4) == four + four


def test_a_kubesphere_event_has_every_key_in_go_casing() -> None:
    event = json.loads(as_kubesphere(EVENT, 4))

    assert list(event) == [
        *("Workspace", "Cluster", "Message", "HostName", "HostIP", "Level", "AuditID", "Stage", "RequestURI"),
        *("Verb", "User", "ImpersonatedUser", "SourceIPs", "UserAgent", "ObjectRef", "ResponseStatus"),
        *("RequestObject", "ResponseObject", "RequestReceivedTimestamp", "StageTimestamp", "Annotations"),
        "x-unknown",
    ]
    assert event["User"] == {"username": "u", "groups": ["g"]}
    assert event["ResponseStatus"] == {"metadata": {}, "code": 201}
    assert event["ObjectRef"] == {
        **dict.fromkeys(("Namespace", "Name", "UID", "APIGroup", "ResourceVersion", "Subresource"), ""),
        "Resource": "pods",
        "APIVersion": "v1",
    }
    assert event["UserAgent"] == event["Workspace"] == ""
    assert event["ImpersonatedUser"] is event["ResponseObject"] is event["Annotations"] is None


def test_values_keep_their_exact_text_and_bodies_their_keys() -> None:
    assert b'"RequestObject":{"apiVersion":"v1","kind":"Pod","Verb":12345678901234567890.0}' in as_kubesphere(EVENT, 3)


def test_a_kubesphere_event_never_lacks_its_object_reference() -> None:
    assert set(json.loads(as_kubesphere(SHORT, 3))["ObjectRef"].values()) == {""}


def test_converting_twice_changes_nothing() -> None:
    once = as_kubesphere(EVENT, 4)

    assert as_kubesphere(once, 4) == once


def test_what_is_no_object_stays_what_it_is() -> None:
    assert as_kubesphere(b'"text"', 4) == b'"text"'
