"""No body holds more than its bounds allow; what is over one is kept whole, and can be cut at the borders of items."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable

import pytest

import envelopes as made
from audit_events import event_list, item, text_of
from auditwire.events import MAX_INFLATED, MAX_ITEMS, MAX_KEYS, decode
from auditwire.events.bounds import MAX_VALUES
from auditwire.events.slicing import slices

SMALL = b'{"level":"Metadata","auditID":"a","stage":"Panic","verb":"get"}'
AS_TEXT = made.text_of


def events(count: int) -> list[bytes]:
    return [text_of({"level": "Metadata", "auditID": str(n), "stage": "Panic", "verb": "get"}) for n in range(count)]


def texts(count: int) -> list[str]:
    return [one.decode() for one in events(count)]


SHAPES: dict[str, Callable[[int], bytes]] = {
    "EventList": lambda count: event_list(events(count)),
    "Items": lambda count: b'{"Items":[%b]}' % b",".join(events(count)),
    "array": lambda count: b"[%b]" % b",".join(events(count)),
    "back to back": lambda count: b"".join(events(count)),
    "lines": lambda count: b"\n".join(events(count)),
    "lines, one of them bad": lambda count: b"\n".join([*events(count - 1), b"klog"]),
    "lists": lambda count: event_list(events(count // 2)) + event_list(events(count)[count // 2 :]),
    "CloudWatch Logs": lambda count: AS_TEXT(made.cloudwatch(texts(count))),
    "Firehose": lambda count: AS_TEXT(
        made.firehose([gzip.compress(AS_TEXT(made.cloudwatch(texts(count)[n::8])), mtime=0) for n in range(8)])
    ),
    "Azure": lambda count: AS_TEXT({"records": [made.azure(text + "\n") for text in texts(count)]}),
    "OpenTelemetry": lambda count: AS_TEXT(made.otlp(texts(count))),
    "Loki": lambda count: AS_TEXT(made.loki(texts(count), job="audit")),
    "wrapped lines": lambda count: b"\n".join(AS_TEXT({"log": text}) for text in texts(count)),
    "texts": lambda count: AS_TEXT(texts(count)),
}
# Which items count is told by a few kinds; where a body is cut, by all.
COUNTED = ["EventList", "lines, one of them bad", "lists", "Firehose", "wrapped lines"]
each_shape = pytest.mark.parametrize("shape", SHAPES)


@pytest.mark.parametrize("shape", COUNTED)
def test_a_body_of_as_many_items_as_allowed_is_read(shape: str) -> None:
    decoded = decode(SHAPES[shape](MAX_ITEMS))

    assert len(decoded.events) + len(decoded.rejects) == MAX_ITEMS
    assert {reject.raw for reject in decoded.rejects} <= {b"klog"}


@pytest.mark.parametrize("shape", COUNTED)
def test_a_body_of_one_item_more_is_kept_whole(shape: str) -> None:
    body = SHAPES[shape](MAX_ITEMS + 1)

    decoded = decode(body)

    assert decoded.events == []
    assert [(reject.kind, reject.reason, reject.raw) for reject in decoded.rejects] == [
        ("body", "too_many_items", body)
    ]
    assert "10,000" in decoded.rejects[0].detail


def test_an_event_whose_bodies_were_left_out_counts_twice() -> None:
    truncated = text_of(item(annotations={"audit.k8s.io/truncated": "true"}))

    assert len(decode(event_list([truncated] * (MAX_ITEMS // 2))).events) == MAX_ITEMS // 2
    assert [one.reason for one in decode(event_list([truncated] * (MAX_ITEMS // 2 + 1))).rejects] == ["too_many_items"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda size: b"[" + b" " * size + b"]",
        lambda size: gzip.compress(b"[" + b" " * size + b"]"),
        lambda size: AS_TEXT(made.push(gzip.compress(b"[" + b" " * size + b"]"))),
        lambda size: AS_TEXT(made.firehose([gzip.compress(b"[" + b" " * (size // 5) + b"]")] * 5)),
        lambda size: AS_TEXT(made.firehose([gzip.compress(AS_TEXT(made.firehose([gzip.compress(b" " * size)])))])),
    ],
)
def test_what_a_body_inflates_to_is_bounded_over_all_its_layers(wrap: Callable[[int], bytes]) -> None:
    assert decode(wrap(MAX_INFLATED // 2)).rejects == []
    assert [(reject.kind, reject.reason) for reject in decode(wrap(MAX_INFLATED)).rejects] == [("body", "too_large")]


def test_an_item_of_many_keys_is_rejected_alone() -> None:
    def wide(keys: int) -> bytes:
        return text_of(item() | {f"k{number}": number for number in range(keys - len(item()))})

    decoded = decode(event_list([SMALL, wide(MAX_KEYS), wide(MAX_KEYS + 1), SMALL]))

    assert len(decoded.events) == 3
    assert [(reject.kind, reject.reason) for reject in decoded.rejects] == [("item", "too_many_keys")]


@pytest.mark.parametrize(
    "value",
    [b"{}", b"[]", b"0", b'""', b'{"a":0}'],
)
def test_a_body_of_very_many_values_is_kept_whole(value: bytes) -> None:
    many = b"[%b]" % b",".join([value] * 5 * MAX_VALUES)
    body = event_list([text_of(item())[:-1] + b',"requestObject":%b}' % many])

    assert [(reject.kind, reject.reason) for reject in decode(body[:MAX_INFLATED]).rejects] == [
        ("body", "too_many_values")
    ]


def test_bodies_as_real_senders_make_them_are_within_the_bounds() -> None:
    large = {"spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": "b" * 60}] * 140}]}}
    webhook = event_list([text_of(item(auditID=str(n), requestObject=large)) for n in range(400)])
    lines = b"\n".join(text_of(item(auditID=str(n), requestObject={"a": ["b"] * 80})) for n in range(8_000))
    assert len(webhook) > 4_000_000
    assert len(lines) > 6_000_000

    assert len(decode(webhook).events) == 400
    assert len(decode(lines).events) == 8_000


# --- cut into slices


@each_shape
def test_a_body_over_the_bounds_is_cut_into_slices_that_hold_all_of_it(shape: str) -> None:
    count = MAX_ITEMS + 7
    body = SHAPES[shape](count)

    found = list(slices(body))

    ids = []
    for part in found:
        decoded = decode(part)
        assert {reject.raw for reject in decoded.rejects} <= {b"klog"}
        ids += [event.auditID for event in decoded.events]
    wanted = count - (shape == "lines, one of them bad")
    assert sorted(map(int, ids)) == list(range(wanted))
    if shape not in ("Firehose",):
        assert ids == list(map(str, range(wanted)))
    assert found == list(slices(body))


@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress, zlib.compress])
def test_what_is_within_the_bounds_is_one_slice(pack: Callable[[bytes], bytes]) -> None:
    body = event_list(events(10))

    assert list(slices(pack(body))) == [body]


def test_a_slice_says_what_the_whole_said_about_its_items() -> None:
    body = AS_TEXT(made.cloudwatch(texts(MAX_ITEMS + 1), stream="kube-scheduler-1"))
    parts = [decode(part) for part in slices(body)]

    assert [part.events for part in parts] == [[]] * len(parts)
    assert sum(part.skipped["forged_source"] for part in parts) == MAX_ITEMS + 1


def test_a_large_body_is_cut_by_its_bytes() -> None:
    large = [text_of(item(auditID=str(n), requestObject="x" * 500_000)) for n in range(100)]
    body = event_list(large)

    assert [reject.reason for reject in decode(body).rejects] == ["too_large"]
    found = list(slices(gzip.compress(body)))
    assert [event.raw for part in found for event in decode(part).events] == large
    assert all(len(part) < 4_000_000 for part in found)


def test_no_event_is_cut() -> None:
    huge = text_of(item(requestObject="x")).replace(b'"x"', b"[" + b"{}," * 6_000_000 + b"{}]")
    body = event_list([SMALL, huge, SMALL])

    found = [decode(part) for part in slices(body)]

    assert [len(part.events) for part in found] == [1, 0, 1] or sum(len(part.events) for part in found) == 2
    assert [reject.reason for part in found for reject in part.rejects] == ["too_many_values"]


def test_base64_that_is_cut_stays_base64() -> None:
    body = AS_TEXT(made.firehose([gzip.compress(AS_TEXT(made.cloudwatch(texts(MAX_ITEMS + 1))))]))

    for part in slices(body):
        record = json.loads(part)["records"][0]
        assert json.loads(base64.b64decode(record["data"]))["logStream"] == made.STREAM
