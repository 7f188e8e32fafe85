"""A body that is no JSON as a whole: every whole line is decided about, and none is taken from inside a value."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_events import event_list, item, text_of
from auditwire.events import decode

ONE = text_of(item(auditID="one"))
TWO = text_of(item(auditID="two", requestObject={"metadata": {"name": "é"}}))
FORGED = item(auditID="forged", verb="delete")

BAD_LINES = {
    "klog": b"I1128 10:00:00.1       1 server.go:1] starting",
    "cut": ONE[:200],
    "cut in a list": ONE[: ONE.index(b'["developers"') + 1],
    "cut behind an element": ONE[: ONE.index(b'"system:auth')],
    "cut behind a member": ONE[: ONE.index(b'"sourceIPs"')],
    "cut behind a name": ONE[: ONE.index(b'["developers"')],
    "head cut": ONE[57:],
    "opens a list": b"[",
    "opens an object": b"{",
    "opens items": b'{"items":[',
    "closes": b"]}",
    "closes a list": b"]",
    "begins with space": b"    and so on",
    "begins with a quote": b'"a":1,',
    "ends in a comma": b"foo,",
    "truncated": ONE[:300] + b"[Truncated...]",
    "NaN": b'{"a":NaN}',
    "a bad escape": b'{"a":"\\q"}',
    "NUL": b"\0\0\0 ?",
    "no UTF-8": b'{"a":"\xff"}',
    "half a letter": '{"a":"é'.encode()[:-1],
    "a prefix nobody knows": b"who knows? " + ONE,
    "behind an event": ONE + b" and more",
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_bad_line_costs_only_itself(name: str, place: int, end: bytes) -> None:
    lines = [ONE, TWO]
    lines.insert(place, BAD_LINES[name])

    decoded = decode(end.join(lines) + end)

    assert [event.raw for event in decoded.events] == [ONE, TWO]
    assert [reject.kind for reject in decoded.rejects] == ["item"]
    assert decoded.rejects[0].raw == BAD_LINES[name].strip(b" \0\r\n")


@pytest.mark.parametrize("first", BAD_LINES)
@pytest.mark.parametrize("second", BAD_LINES)
def test_two_bad_lines_cost_only_themselves(first: str, second: str) -> None:
    body = b"\n".join([BAD_LINES[first], ONE, BAD_LINES[second], TWO, BAD_LINES[first]])
    encloses = {"opens a list", "opens an object", "opens items", "cut in a list"}

    decoded = decode(body)

    found = [event.raw for event in decoded.events]
    if second in ("closes", "closes a list") and first in encloses and found != [ONE, TWO]:
        # What is whole together is one value, and what is in it is not looked for; of a list it is an item.
        assert found == [TWO]
        json.loads(b"\n".join([BAD_LINES[first], ONE, BAD_LINES[second]]))
    else:
        assert found == [ONE, TWO]


@pytest.mark.parametrize(
    "prefix",
    [
        "master-0.example.com ",
        "ip-192-0-2-17 ",
        "2026-11-28T10:00:00.123456+00:00 kube-apiserver-audit-0123456789abcdef ",
        "2026-11-28T10:00:00 ",
        "2026-11-28T10:00:00.123456789Z ",
        "2026-11-28T10:00:00.123456789Z stdout F ",
        "2026-11-28T10:00:00.123456789+02:00 stderr F ",
        "[pod/kube-apiserver-cp-1/kube-apiserver] ",
        "Nov 28 10:00:00 cp-1 kube-apiserver[612]: ",
        "<134>Nov 28 10:00:00 cp-1 kube-apiserver: ",
        "2026-11-28T10:00:00+0000 cp-1 kube-apiserver[612]: ",
        "<134>1 2026-11-28T10:00:00.003Z cp-1 kube-apiserver 612 ID47 - ",
        '<134>1 2026-11-28T10:00:00.003Z cp-1 kube-audit - - [a@1 b="c"] ',
        "/var/log/kubernetes/audit-2026-11-28.log:",
        "audit.log:1204:",
        "17:",
        "kube-apiserver-1  | ",
        "\0" * 100,
        "\t  ",
        "\ufeff",
    ],
)
def test_an_event_behind_what_a_tool_prints_is_read(prefix: str) -> None:
    body = b"".join(prefix.encode() + text + b"\n" for text in (ONE, TWO)) + b"klog\n"

    decoded = decode(body)

    assert [event.raw for event in decoded.events] == [ONE, TWO]
    assert [reject.raw for reject in decoded.rejects] == [b"klog"]


@pytest.mark.parametrize(
    "prefix",
    [
        "[pod/web-1/web] ",
        "Nov 28 10:00:00 cp-1 sshd[612]: ",
        "<134>1 2026-11-28T10:00:00.003Z cp-1 app 612 ID47 - ",
        "2026-11-28T10:00:00.123456+00:00 kube-scheduler-0123456789abcdef ",
    ],
)
def test_a_prefix_that_names_another_source_is_heeded(prefix: str) -> None:
    decoded = decode(prefix.encode() + ONE + b"\n" + TWO + b"\n")

    assert [event.raw for event in decoded.events] == [TWO]
    assert dict(decoded.skipped) == {"forged_source": 1}


@pytest.mark.parametrize("prefix", ["a b ", 'x":', "log=", "- ", "{", "INFO ", ": ", "host  ", "host,"])
def test_an_event_behind_anything_else_is_not(prefix: str) -> None:
    decoded = decode(prefix.encode() + ONE + b"\n" + TWO + b"\n")

    if prefix == "INFO ":
        # It might as well be a host's name.
        assert len(decoded.events) == 2
    else:
        assert [event.raw for event in decoded.events] == [TWO]
        assert len(decoded.rejects) == 1


# --- values of several lines


def printed(indent: int = 2, **changes: object) -> bytes:
    return json.dumps(item(**changes), indent=indent).encode()


def test_printed_events_are_read_beside_a_bad_line() -> None:
    body = b"\n".join([printed(auditID="one"), b"I1128 klog", printed(auditID="two"), ONE, b"}"])

    decoded = decode(body)

    assert [event.auditID for event in decoded.events] == ["one", "two", "one"]
    assert [reject.raw for reject in decoded.rejects] == [b"I1128 klog", b"}"]


def test_a_list_over_several_lines_is_read_beside_a_bad_line() -> None:
    body = b'I1128 klog\n{"items":[\n' + ONE + b",\n" + TWO + b"\n]}\nklog\n"

    decoded = decode(body)

    assert [event.raw for event in decoded.events] == [ONE, TWO]
    assert [reject.raw for reject in decoded.rejects] == [b"I1128 klog", b"klog"]


FORGED_LINE = text_of(FORGED)
HIDDEN = {
    "in a body": b'{"requestObject":\n' + FORGED_LINE + b"\n," + ONE[1:],
    "in a list of a body": b'{"requestObject":[\n' + FORGED_LINE + b"\n]," + ONE[1:],
    "in a printed body": json.dumps(item(auditID="one", requestObject={"spec": FORGED}), indent=1).encode(),
    "in an unknown key": ONE[:-1] + b',"x":\n' + FORGED_LINE + b"}",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_no_event_is_taken_from_inside_a_value_of_several_lines(name: str) -> None:
    for body in (HIDDEN[name], HIDDEN[name] + b"\nklog\n", b"klog\n" + HIDDEN[name], HIDDEN[name] + b"\n" + TWO[:-9]):
        decoded = decode(body)
        assert [event.auditID for event in decoded.events] == ["one"]


@pytest.mark.parametrize("indent", [0, 1, 2, 4])
@pytest.mark.parametrize("shape", ["object", "list", "deeper"])
def test_no_event_is_taken_from_inside_a_printed_value_whose_beginning_is_cut_off(indent: int, shape: str) -> None:
    body: Any = {"object": {"spec": FORGED}, "list": {"spec": [FORGED, FORGED]}, "deeper": {"a": {"b": FORGED}}}[shape]
    text = json.dumps(item(auditID="one", requestObject=body), indent=indent).encode()

    for cut, byte in enumerate(text):
        if byte in b"{[" or text[cut - 1 : cut] == b"\n":
            for begin in (b"", b"klog\n"):
                decoded = decode(begin + text[cut:] + b"\n" + TWO + b"\n")
                assert [event.auditID for event in decoded.events] == (["two"] if cut else ["one", "two"])


def test_an_event_with_a_member_items_is_no_list() -> None:
    for name in ("items", "Items", "ITEMS"):
        for sent in (item(auditID="one", **{name: [FORGED]}), {name: [FORGED], **item(auditID="one")}):
            assert [event.auditID for event in decode(text_of(sent)).events] == ["one"]


def test_what_is_printed_deeper_than_a_value_that_is_cut_off_is_not_taken_out_of_it() -> None:
    whole = json.dumps(item(auditID="one", requestObject={"spec": {}}), indent=2).encode()
    cut = whole[: whole.index(b'"spec"')] + b'"spec":\n      ' + FORGED_LINE

    decoded = decode(cut + b"\n" + TWO + b"\n")

    assert [event.auditID for event in decoded.events] == ["two"]
    assert [reject.raw for reject in decoded.rejects] == [cut]


def test_a_list_that_is_cut_off_stays_whole() -> None:
    for end in (b"", b"\n", b"\n" + ONE[:50]):
        (reject,) = decode(b'{"Items":[' + ONE + b",\n" + TWO + b"," + end).rejects
        assert reject.kind == "body"


# --- what holds for every body of lines

_nasty = st.sampled_from([line for line in BAD_LINES.values() if line not in (b"]}", b"]", b"{")])
_space = st.sampled_from([b"", b"  ", b"\t", b"\0\0"])
_lines = st.lists(st.tuples(_space, st.one_of(st.just(ONE), st.just(TWO), _nasty)), min_size=1, max_size=8)


@settings(deadline=None)
@given(_lines)
def test_every_whole_line_is_decided_about(lines: list[tuple[bytes, bytes]]) -> None:
    decoded = decode(b"\n".join(space + line for space, line in lines))

    good = [line for _, line in lines if line in (ONE, TWO)]
    assert [event.raw for event in decoded.events] == good
    if good:
        assert len(decoded.rejects) == len(lines) - len(good)


_PATCH = [{"op": "add", "path": "/x", "value": FORGED}, FORGED, text_of(FORGED).decode()]
_OUTER = text_of(item(auditID="outer", verb="patch", requestObject=_PATCH, responseObject={"a": FORGED, "b": [FORGED]}))


@settings(deadline=None)
@given(st.integers(0, len(_OUTER)), st.integers(0, len(_OUTER)), st.sampled_from([b"", b"\n", b"\0", b" "]))
def test_no_event_is_made_from_a_fragment(start: int, end: int, glue: bytes) -> None:
    for piece in (_OUTER[start:], _OUTER[:end], _OUTER[start:end]):
        for body in (piece, ONE + b"\n" + piece, piece + b"\n" + ONE, glue + piece + glue + piece):
            assert {event.auditID for event in decode(body).events} <= {"one", "outer"}


def test_no_event_is_made_from_any_end_of_a_body() -> None:
    body = event_list([_OUTER])
    for start in range(0, len(body), 3):
        found = {event.auditID for event in decode(body[start:] + b"\n" + ONE).events}
        assert found <= {"one", "outer"}
        assert {event.auditID for event in decode(ONE + b"\n" + body[start : -start or None]).events} <= {
            "one",
            "outer",
        }
