"""Records of whatever lies in an archive: each satisfies the class, and nothing of a line is lost."""

import json
import random
from typing import Any

import orjson
import pytest

from archive_table import settled
from auditwire.events import encode_line
from auditwire.ocsf.record import MAX_RECORD_BYTES, SHORTENED, UNREADABLE, encode_record, record_of
from captures import Capture, each_of, own_bodies, own_logs
from ocsf_class import faults
from searched import odd_event

T = "20261121T220000.000000Z"
PLACE = "events/x#0"


def record(line: bytes, t: str = T) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(encode_record(line, PLACE, t))
    assert faults(made) == []
    return made


@each_of(own_logs() + own_bodies())
def test_captured_events_satisfy_the_class(capture: Capture) -> None:
    events = capture.events()
    for event in random.Random(1).sample(events, min(60, len(events))):
        (stored,) = settled(event)
        made = record(encode_line(stored, {"batch": "b", "alerting": ["a.b"]}))
        assert made["api"]["operation"] == stored.verb
        assert made["actor"]["user"]["name"] == (stored.user.username or "")


def test_odd_events_satisfy_the_class() -> None:
    chance = random.Random(2)
    for number in range(60):
        (stored,) = settled(odd_event(chance, number))
        record(encode_line(stored, {}))


VALUES: tuple[Any, ...] = (None, 5, -1, 2**63, 2**70, 1.5, "", "text", [], ["a"], [None], {}, {"code": []}, True)
MEMBERS = (
    "verb", "user", "sourceIPs", "objectRef", "responseStatus", "requestObject", "stageTimestamp", "annotations",
    "requestReceivedTimestamp", "_auditwire", "cluster", "auditID", "kind", "userAgent", "requestURI", "unheard_of",
)  # fmt: skip


def leaves(value: Any) -> set[str]:
    """Every value in a record, as text; values in texts of JSON too."""
    if isinstance(value, dict):
        return {leaf for each in value.values() for leaf in leaves(each)}
    if isinstance(value, list):
        return {leaf for each in value for leaf in leaves(each)}
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        return leaves(json.loads(value))
    return {str(value).lower()}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_of_any_type_is_either_mapped_or_left(member: str) -> None:
    for value in VALUES:
        made = record(json.dumps({member: value}).encode())
        assert leaves(value) - {"", "none"} <= leaves(made)


@pytest.mark.parametrize("part", ["user", "objectRef", "responseStatus"])
def test_a_member_of_a_part_of_any_type_is_either_mapped_or_left(part: str) -> None:
    for name in ("username", "groups", "extra", "name", "resource", "code", "reason", "uid", "unheard_of"):
        for value in VALUES:
            made = record(json.dumps({part: {"message": "m", name: value}}).encode())
            assert (leaves(value) | {"m"}) - {"", "none"} <= leaves(made)


def test_of_a_key_that_stands_twice_the_last_value_counts() -> None:
    made = record(
        b'{"verb":"get","verb":"delete","user":{"username":"first"},"user":{"username":"second","username":"last"},'
        b'"responseStatus":{"code":200,"code":403},"workspace":"a","workspace":"b"}'
    )
    assert (made["activity_id"], made["actor"]["user"]["name"], made["status_id"]) == (4, "last", 2)
    assert json.loads(made["unmapped"]) == {"workspace": "b"}


@pytest.mark.parametrize("member", [*MEMBERS, "user.extra", "responseStatus.details", "impersonatedUser"])
def test_null_is_as_if_there_was_nothing(member: str) -> None:
    name, _, inner = member.partition(".")
    made = record(orjson.dumps({name: {inner: None} if inner else None}))
    assert json.loads(made["unmapped"]) == ({name: None} if name == "unheard_of" else {})
    assert None not in made["api"]["request"].values()


def test_numbers_and_escapes_are_as_they_are_archived() -> None:
    body = rb'{"n":1e400,"m":1.0,"big":12345678901234567890123,"s":"\u0000\u00e9"}'
    made = record(b'{"requestObject":' + body + b',"size":1e400,"requestURI":"/\\u0000"}')
    assert made["api"]["request"]["data"] == body.decode()
    assert made["unmapped"] == '{"size":1e400}'
    assert made["http_request"]["url"]["path"] == "/\0"


@pytest.mark.parametrize(
    "line", [b"", b"no json", b"[]", b'"text"', b"null", b'{"verb":"get"', b"\xff", b'{"a":"\xff"']
)
def test_a_line_that_is_no_event_is_there_as_it_is(line: bytes) -> None:
    made = record(line)
    assert made["metadata"]["labels"] == [UNREADABLE]
    assert json.loads(made["unmapped"]) == {"line": line.decode(errors="replace")}
    assert made["metadata"]["uid"] == PLACE


def test_bytes_that_are_no_text_are_replaced() -> None:
    made = record(b'{"verb":"get","requestObject":{"a":"\xff"},"odd":"\xff","user":{"username":"\xff","uid":"u"}}')
    assert made["api"]["request"]["data"] == '{"a":"\ufffd"}'
    assert json.loads(made["unmapped"]) == {"odd": "\ufffd", "user": {"username": "\ufffd"}}
    assert made["actor"]["user"]["uid"] == "u"


@pytest.mark.parametrize("t", ["99999999T999999.999999Z", "20261121T220000.000000Z"])
def test_a_time_is_there_whatever_the_object_is_called(t: str) -> None:
    assert record(b"{}", t)["time"] == (0 if t[0] == "9" else 1795298400000)


def test_what_is_too_long_is_shortened_and_says_so() -> None:
    long = b'"' + b"x" * (MAX_RECORD_BYTES + 1) + b'"'
    made = record(b'{"verb":"get","requestObject":' + long + b',"workspace":"ws","user":{"username":"jane"}}')
    assert made["metadata"]["labels"] == [SHORTENED]
    assert "data" not in made["api"]["request"]
    assert (made["actor"]["user"]["name"], json.loads(made["unmapped"])) == ("jane", {"workspace": "ws"})


def test_however_many_members_a_line_has_its_record_is_short_enough() -> None:
    many = b",".join(b'"m%d":"%s"' % (number, b"y" * 4_000) for number in range(3_000))
    assert len(encode_record(b'{"verb":"get",' + many + b"}", PLACE, T)) <= MAX_RECORD_BYTES
    made = record(b'{"verb":"get",' + many + b"}")
    assert (made["metadata"]["labels"], made["unmapped"], made["api"]["operation"]) == ([SHORTENED], "{}", "get")


def test_the_record_of_a_line_is_the_encoded_one() -> None:
    line = orjson.dumps({"verb": "get"})
    assert record_of(line, PLACE, T) == json.loads(encode_record(line, PLACE, T))
