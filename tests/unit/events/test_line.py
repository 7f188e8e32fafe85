"""An archive line is the event as received, under canonical keys, and says who put it there."""

import json
from datetime import UTC, datetime

import pytest

from audit_events import as_kubesphere, event_list, item, text_of
from auditwire.events import Event, Level, as_stored, decode, encode_line, settle
from auditwire.events.line import event_part
from captures import Capture, assert_equal_but_for_redactions, each_of, logs, own_bodies
from payloads import payload, payload_names

RECEIVED = datetime(2026, 12, 1, tzinfo=UTC)
BEGIN = b'{"level":"Metadata","auditID":"a","stage":"Panic","verb":"get"'


def line_of(body: bytes, provenance: dict[str, object] | None = None, level: Level | None = None) -> bytes:
    (event,) = decode(body).events
    settle(event, cluster="prod", received=RECEIVED)
    return encode_line(as_stored(event, level), provenance or {})


def test_a_line_is_the_event_the_cluster_and_the_provenance() -> None:
    line = line_of(text_of(item()), {"received": "now", "archiving": ["a.b"]})

    assert line == text_of(item() | {"cluster": "prod", "_auditwire": {"received": "now", "archiving": ["a.b"]}})


@pytest.mark.parametrize("name", payload_names())
def test_every_payload_makes_lines_with_canonical_keys(name: str) -> None:
    for event in decode(payload(name)).events:
        settle(event, cluster="prod", received=RECEIVED)
        line = encode_line(as_stored(event, None), {"batch": "b"})

        assert b"\n" not in line
        read = json.loads(line)
        assert {"level", "auditID", "stage", "verb", "cluster", "stageTimestamp", "_auditwire"} <= read.keys()
        assert read["cluster"] == "prod"
        assert not {"Level", "AuditID", "Cluster", "ObjectRef", "RequestObject"} & read.keys()
        assert not {"Resource", "UID", "APIGroup"} & (read.get("objectRef") or {}).keys()


@each_of(logs())
def test_every_captured_event_makes_a_line_equal_to_it(capture: Capture) -> None:
    for event, expected in zip(decode(b"\n".join(capture.lines)).events, capture.events(), strict=True):
        settle(event, cluster="prod", received=RECEIVED)
        stored = as_stored(event, None)
        line = json.loads(encode_line(stored, {"batch": "b"}))
        if "stageTimestamp" not in expected:
            assert line.pop("stageTimestamp") == expected["timestamp"][:-1] + ".000000Z"

        assert line.pop("_auditwire") == {"batch": "b"} | ({"flags": ["redacted"]} if stored is not event else {})
        assert line.pop("cluster") == "prod"
        assert_equal_but_for_redactions(expected, line, redacted=stored is not event)


@each_of(own_bodies())
def test_a_line_of_a_captured_body_says_who_did_what_as_the_sender_did(capture: Capture) -> None:
    events = [event for body in capture.lines for event in decode(body).events]
    for event, sent in zip(events, capture.events(), strict=True):
        settle(event, cluster="prod", received=RECEIVED)
        line = json.loads(encode_line(as_stored(event, None), {}))
        given = {key.lower(): value for key, value in sent.items()}

        assert (line["auditID"], line["stage"], line["level"]) == (given["auditid"], given["stage"], given["level"])
        assert (line["verb"], line["user"].get("username")) == (given["verb"], given["user"].get("username"))
        assert line["cluster"] == "prod"


def test_numbers_unknown_keys_and_bodies_keep_their_exact_text() -> None:
    rest = b',"requestObject":{"a":1.0e+2,"b":123456789012345678901234567890,"c":"\\u003c\\/","a":[ 1 ]},"more":-0.00'

    assert line_of(BEGIN + rest + b',"stageTimestamp":"2026-11-21T22:05:00.123456Z"}').startswith(BEGIN + rest)


def test_the_keys_of_kubesphere_become_those_of_kubernetes() -> None:
    sent = as_kubesphere(item(user={"username": "alice", "extra": {"Key": ["v"]}}, requestObject={"Data": 1}))
    line = json.loads(line_of(text_of(sent)))

    assert line["objectRef"] == dict.fromkeys(
        ("uid", "apiGroup", "resourceVersion", "subresource"), ""
    ) | {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"}  # fmt: skip
    assert line["user"] == {"username": "alice", "extra": {"Key": ["v"]}}
    assert line["requestObject"] == {"Data": 1}
    assert (line["HostName"], line["HostIP"], line["annotations"]) == ("ks-0", "192.0.2.20", None)


def test_spellings_of_one_key_become_one_key() -> None:
    line = line_of(
        BEGIN + b',"VERB":"list","Verb":"delete","user":{"UserName":"a","username":"b"},"Cluster":"x","CLUSTER":"y"}'
    )
    read = json.loads(line)

    assert line.count(b'"verb"') == line.count(b'"username"') == line.count(b'"cluster"') == 1
    assert (read["verb"], read["user"], read["cluster"]) == ("delete", {"username": "b"}, "prod")
    assert read["_auditwire"]["reportedCluster"] == "y"


def test_a_key_given_twice_stands_in_the_line_once() -> None:
    assert line_of(BEGIN[:-5] + b'"list","verb":"get"}').count(b'"verb"') == 1
    assert line_of(BEGIN + b',"cluster":"x","cluster":""}').count(b'"cluster"') == 1


def test_white_space_of_the_body_never_breaks_the_line() -> None:
    sent = item(level="Request", requestObject={"text": "two\nlines", "more": [{"a": 1}]}, unknown={"b": [1, 2]})
    for text in (
        json.dumps(sent, indent=2).encode(),
        json.dumps(sent, indent=2).replace("\n", "\r\n").encode(),
        text_of(sent).replace(b'"a":1', b'"a"\r:\n1'),
        json.dumps(as_kubesphere(sent) | {"unknown": sent["unknown"]}, indent="\t").encode(),
    ):
        line = line_of(text)

        assert b"\n" not in line
        assert b"\r" not in line
        assert json.loads(line)["requestObject"] == sent["requestObject"]
        assert json.loads(line)["unknown"] == {"b": [1, 2]}


def test_settled_values_replace_what_was_received() -> None:
    read = json.loads(line_of(text_of(item(cluster="forged", stageTimestamp="x", requestReceivedTimestamp=None))))

    assert (read["cluster"], read["stageTimestamp"]) == ("prod", "2026-12-01T00:00:00.000000Z")
    assert read["requestReceivedTimestamp"] is None
    assert read["_auditwire"] == {
        "reportedCluster": "forged",
        "flags": ["cluster_differs", "stage_time_unreadable"],
    }


def test_levels_and_redaction_show_in_the_line() -> None:
    sent = item(
        level="RequestResponse",
        requestURI="/p?token=abc",
        objectRef={"resource": "secrets"},
        requestObject={"data": {"a": "x"}, "n": 1.50},
        responseObject={"data": {"a": "x"}},
    )
    read = json.loads(line_of(text_of(sent), {"flags": ["hour_joined"]}, Level.REQUEST))

    assert (read["level"], read["requestURI"]) == ("Request", "/p?token=[REDACTED]")
    assert read["requestObject"] == {"data": {"a": "[REDACTED]"}, "n": 1.5}
    assert "responseObject" not in read
    assert read["_auditwire"] == {"flags": ["hour_joined", "redacted"]}


@pytest.mark.parametrize("key", ["_auditwire", "_AuditWire"])
def test_nobody_forges_the_provenance(key: str) -> None:
    line = line_of(text_of(item(**{key: {"batch": "forged"}, "_auditwire_reported": 1})), {"batch": "ours"})
    read = json.loads(line)

    assert read["_auditwire"] == {"batch": "ours", "flags": ["reserved_key"]}
    assert (read["_auditwire_reported"], read["_auditwire_reported_"]) == (1, {"batch": "forged"})
    assert [name for name in read if name.lower() == "_auditwire"] == ["_auditwire"]


def test_the_provenance_given_is_not_changed() -> None:
    provenance: dict[str, object] = {"flags": ["a"]}

    line_of(text_of(item(cluster="forged")), provenance)

    assert provenance == {"flags": ["a"]}


def test_an_event_built_by_hand_makes_a_line() -> None:
    event = Event(level="Metadata", auditID="a", stage="Panic", verb="get")
    settle(event, cluster="prod", received=RECEIVED)

    assert json.loads(encode_line(event, {}))["auditID"] == "a"


def test_the_event_of_a_line_is_the_line_without_what_was_added() -> None:
    sent = item(requestObject={"a": 1, "_auditwire": {"x": [{}]}}, userAgent=',"_auditwire":{}')
    (event,) = decode(event_list([text_of(sent)])).events
    one, other = (encode_line(event, {"batch": batch, "flags": ["x"]}) for batch in "ab")

    assert one != other
    assert event_part(one) == event_part(other) == text_of(sent)[:-1]


def test_a_line_without_anything_added_is_its_own_event() -> None:
    for line in (b"{}", b"", b'{"a":1}', b'{"requestObject":{"a":1,"_auditwire":{"b":2}}}', b'{"a":1,"_auditwire":'):
        assert event_part(line) == line
