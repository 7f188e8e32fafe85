"""What holds for every body, however it came about."""

import json

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from audit_events import SHAPES, as_kubesphere, event_list, item, items, json_values, text_of, view
from auditwire.events import Event, as_stored, decode, encode_line
from auditwire.events.casing import event_in_any_casing
from auditwire.events.nesting import MAX_DEPTH, cut_deep_values, is_too_deep
from auditwire.events.oddities import note_oddities

# How long one example takes says more about the machine than about the code.

_FRAGMENTS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b" ", b"null", b"NaN", b"1e999", b"\xff", b"\\u0000",
    b"\\ud800", b"\xef\xbb\xbf", b'"items"', b'"Items":', b'{"items":[', b"]}", text_of(item()),
    text_of(as_kubesphere(item())), b'{"level":"Metadata"}', b"[" * 600, b"]" * 600, b'{"a":' * 2000, b"}" * 2000,
]  # fmt: skip
hostile = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(_FRAGMENTS), max_size=12).map(b"".join),
    st.lists(items.map(text_of), max_size=3).map(event_list).flatmap(
        lambda body: st.tuples(st.integers(0, len(body)), st.sampled_from(_FRAGMENTS)).map(
            lambda change: body[: change[0]] + change[1] + body[change[0] :]
        )
    ),
)  # fmt: skip


@given(hostile)
def test_decode_never_raises_and_what_it_gives_can_be_stored(body: bytes) -> None:
    decoded = decode(body)

    for event in decoded.events:
        event.requestBody, event.responseBody, event.unknown, event.digest  # noqa: B018 - asking must not raise
        line = encode_line(as_stored(event, None), {})
        assert b"\n" not in line
        assert isinstance(json.loads(line), dict)
    if any(reject.kind == "body" for reject in decoded.rejects):
        assert decoded.events == []
        assert [reject.raw for reject in decoded.rejects] == [body]


@given(
    st.lists(items.map(text_of) | json_values.map(text_of), max_size=6),
    st.sampled_from(["EventList", "Items", "array"]),
)
def test_every_item_of_a_list_is_an_event_or_a_reject(texts: list[bytes], shape: str) -> None:
    decoded = decode(SHAPES[shape](texts))

    found = [event.raw for event in decoded.events] + [reject.raw for reject in decoded.rejects]
    assert sorted(found) == sorted(texts)
    assert all(reject.kind == "item" for reject in decoded.rejects)


@given(st.lists(items, min_size=1, max_size=4))
def test_all_shapes_and_casings_give_the_same_events(sent: list[dict[str, object]]) -> None:
    expected = [view(event) for event in decode(event_list([text_of(one) for one in sent])).events]
    assert len(expected) == len(sent)

    for shape in SHAPES.values():
        for spelling in (
            text_of,
            lambda one: text_of(as_kubesphere(one)),
            lambda one: json.dumps(one, indent=1).encode(),
        ):
            decoded = decode(shape([spelling(one) for one in sent]))
            assert [_without_empty(view(event)) for event in decoded.events] == [
                _without_empty(one) for one in expected
            ]


def _without_empty(seen: dict[str, object]) -> dict[str, object]:
    """JSON null bodies are gone in both; a body of KubeSphere is null where Kubernetes has none."""
    return {key: value for key, value in seen.items() if value is not None}


@given(items, st.booleans())
@example({**item(), "objectRef": {"apiVersion": "/"}}, False)
def test_the_quick_and_the_general_way_agree(sent: dict[str, object], kubesphere: bool) -> None:
    text = text_of(as_kubesphere(sent) if kubesphere else sent)
    (quick,) = decode(text).events
    general = event_in_any_casing(msgspec.Raw(text))
    note_oddities(general)

    assert view(general) == view(quick)
    assert general.sender == quick.sender


@given(items, st.data())
def test_casing_never_matters(sent: dict[str, object], data: st.DataObject) -> None:
    def respell(keys: dict[str, object]) -> dict[str, object]:
        return {data.draw(st.sampled_from([key, key.lower(), key.upper(), key.title()])): keys[key] for key in keys}

    spelled = respell(sent)
    for key, value in spelled.items():
        if key.lower() in ("user", "impersonateduser", "objectref", "responsestatus"):
            assert isinstance(value, dict)
            spelled[key] = respell(value)

    (expected,) = decode(text_of(sent)).events
    (found,) = decode(text_of(spelled)).events
    assert view(found) == view(expected)


@given(items, st.booleans())
def test_a_line_says_what_the_event_said(sent: dict[str, object], kubesphere: bool) -> None:
    (event,) = decode(text_of(as_kubesphere(sent) if kubesphere else sent)).events
    expected = view(event)

    line = json.loads(encode_line(event, {"batch": "b"}))

    assert line.pop("_auditwire") == {"batch": "b"}
    (again,) = decode(text_of(line)).events
    assert again.canonical == (not kubesphere)  # HostName and HostIP stay unknown
    assert view(again) == expected
    assert not kubesphere or {"HostName", "HostIP"} <= line.keys()
    assert kubesphere or line == sent


@given(items)
def test_storing_is_idempotent(sent: dict[str, object]) -> None:
    (event,) = decode(text_of(sent)).events
    stored = as_stored(event, None)

    assert as_stored(stored, None) is stored


@given(json_values, st.integers(0, 6))
def test_depth_is_measured_as_it_is(value: object, limit: int) -> None:
    def depth(inner: object) -> int:
        parts = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else None
        return 0 if parts is None else 1 + max(map(depth, parts), default=0)

    text = text_of(value)
    assert is_too_deep(text, limit) == (depth(value) > limit)
    assert is_too_deep(text.replace(b" ", b'\\\\\\"'), limit) == (depth(value) > limit)


@given(json_values, st.integers(0, 4))
def test_what_is_cut_out_can_be_put_back(value: object, limit: int) -> None:
    text = text_of(value)
    cut = cut_deep_values(text, limit)

    assert cut.restore(cut.body) == text
    assert not is_too_deep(cut.body, limit)
    assert cut.touches(cut.body) == is_too_deep(text, limit)


def test_events_built_by_hand_are_received_as_they_are() -> None:
    event = Event(
        level="Metadata", auditID="a", stage="Panic", verb="get", stageTimestamp="2026-11-21T22:05:00.000000Z"
    )

    assert view(decode(event.raw).events[0]) == view(event)
    assert MAX_DEPTH > 100
