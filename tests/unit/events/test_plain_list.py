"""The single pass over a plain EventList gives what the general way gives, or leaves the body to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_events import as_kubesphere, event_list, item, items, text_of, view
from auditwire.events import Event, decode, read
from auditwire.events.bounds import Budget
from auditwire.events.decoding import _Body
from auditwire.events.plain_list import take_plain_list
from auditwire.events.wrapping.origin import NOWHERE

LONG = text_of(item(annotations={"why": "x" * 1000}))
SHORT = b'{"level":"Metadata","auditID":"a","stage":"Panic","verb":"get"}'
NESTED = text_of(item(requestObject={"items": [{"a": 1}, {"level": "x"}, {"level": "y", "auditID": "z"}]}))
HEAD = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['


def plainly(body: bytes) -> list[Event] | None:
    """The events of a body that the single pass takes; None where it leaves the body to the general way."""
    events: list[Event] = []
    return events if take_plain_list(body, events.append, Budget(body)) else None


def generally(body: bytes) -> tuple[list[Event], list[bytes]]:
    """The events of a body and what was bad in it, as the general way alone has them."""
    events: list[Event] = []
    reading = _Body(events.append, Budget(body))
    reading.read(body, NOWHERE)
    return events, [reject.raw for reject in reading.items.rejects]


@pytest.mark.parametrize(
    "sent",
    [
        [LONG], [SHORT], [LONG, SHORT, LONG], [SHORT, SHORT, LONG, SHORT],
        [LONG.replace(b'"more"', b'"level"'), SHORT], [text_of(item(requestObject=None)), LONG],
    ],
)  # fmt: skip
def test_a_plain_list_is_taken_whatever_the_length_of_its_items(sent: list[bytes]) -> None:
    events = plainly(event_list(sent))

    assert events is not None
    assert [event.raw for event in events] == sent
    assert all(event.requestObject is None for event in events)


def test_an_item_that_holds_what_an_item_begins_with_is_read_whole() -> None:
    for sent in ([NESTED], [NESTED, LONG], [LONG, NESTED, SHORT, NESTED]):
        assert [event.raw for event in decode(event_list(sent)).events] == sent


@pytest.mark.parametrize(
    "body",
    [
        event_list([]),
        b"[" + LONG + b"]",
        LONG,
        b'{"Items":[' + LONG + b"]}",
        event_list([text_of(as_kubesphere(item()))]),
        event_list([LONG, text_of(item(unknown=1)), LONG]),
        event_list([LONG, b"5", LONG]),
        event_list([LONG, b'{"foo":1}']),
        event_list([LONG, LONG])[:-20],
        event_list([LONG, LONG + LONG]),
        event_list([LONG, b"", LONG]),
        event_list([LONG])[:-3] + b",]}",
        HEAD + LONG + b'],"items":[' + SHORT + b"]}",
        HEAD + LONG + b'],"more":[]}',
        HEAD + b" " + LONG + b"]}",
        HEAD + LONG + b" ]}",
        HEAD.replace(b'"metadata":{}', b'"metadata":{"items":[') + LONG + b"]}",
        HEAD.replace(b'"metadata":{}', b'"items":[' + SHORT + b"]") + LONG + b"]}",
        b"{" + HEAD + LONG + b"]}",
        b'{"items":[' + LONG[:-1] + b',"requestObject":' + b"[" * 600 + b"]" * 600 + b"}]}",
        b'{"items":[' + LONG[:-1] + b',"requestObject":"\\q"}]}',
    ],
)
def test_any_other_body_is_left_to_the_general_way(body: bytes) -> None:
    assert plainly(body) is None


@given(st.lists(items.map(text_of) | st.just(NESTED) | st.just(LONG), min_size=1, max_size=5))
def test_both_ways_give_the_same(sent: list[bytes]) -> None:
    body = event_list(sent)
    quick, (general, bad) = plainly(body), generally(body)

    assert not bad
    if quick is not None:
        assert [event.raw for event in quick] == [event.raw for event in general]
        assert [view(event) for event in quick] == [view(event) for event in general]
    assert [event.raw for event in decode(body).events] == sent


@given(
    st.lists(st.just(LONG) | st.just(SHORT), min_size=1, max_size=4).map(event_list),
    st.data(),
)
def test_a_change_anywhere_is_seen_by_both_ways_alike(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    change = data.draw(
        st.sampled_from([b"", b"x", b",", b"{", b"}", b"]", b'"', b"\\", b" ", b"\n", SHORT, b'"items":['])
    )
    changed = body[:at] + change + body[at + data.draw(st.integers(0, 1)) :]
    quick = plainly(changed)

    if quick is not None:
        general, bad = generally(changed)
        assert not bad
        assert [view(event) for event in quick] == [view(event) for event in general]
        assert [event.raw for event in quick] == [event.raw for event in general]


def test_a_taker_is_dropped_when_a_fault_comes_to_light_late() -> None:
    takers: list[list[Event]] = []

    def begin() -> list[Event]:
        takers.append([])
        return takers[-1]

    taken = read(event_list([LONG, LONG, b'{"foo":1}']), begin, list.append)

    assert taken.taker is takers[-1]
    assert [event.raw for event in taken.taker] == [LONG, LONG]
    assert [reject.raw for reject in taken.rejects] == [b'{"foo":1}']
    assert len(takers[0]) == 1
    assert read(event_list([LONG, LONG])[:-9], begin, list.append).taker == []
