"""What is shown of bytes that do not decode: the place, escaped, and never what may be a secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.events import decode
from auditwire_cli.quarantine.fault_excerpt import Excerpt, excerpt, place_of


def of(body: bytes) -> tuple[int | None, Excerpt]:
    fault = decode(body).rejects[0]
    place = place_of(fault.reason, fault.detail, body)
    return place, excerpt(body, place)


@pytest.mark.parametrize(
    ("body", "place", "text"),
    [
        (b'{"a": NaN}', 6, '{"a": ⟨here⟩NaN}'),
        (b'\xef\xbb\xbf{"a": NaN}', 9, r'\ufeff{"a": ⟨here⟩NaN}'),
        (b'{"a": 1', 7, '{"a": 1⟨here⟩'),
        (b'{"a": "\xff"}', 7, r'{"a": "⟨here⟩\xff"}'),
        (b'{"a":\n\x1b[31m}', 6, r'{"a":\n⟨here⟩\u001b[31m}'),
        (b'{"level": 5}', None, '{"level": 5}'),
    ],
    ids=["syntax", "byte-order mark", "cut off", "not UTF-8", "control characters", "no place"],
)
def test_the_place_is_marked_in_one_escaped_line(body: bytes, place: int | None, text: str) -> None:
    assert of(body) == (place, Excerpt(text, masked=False))


def test_a_long_body_is_shown_around_the_place() -> None:
    body = b'{"a": "' + b"x" * 1000 + b'", "b": NaN, "c": "' + b"y" * 1000 + b'"}'

    _, shown = of(body)

    assert shown.text.startswith("…xxxxx")
    assert shown.text.endswith("yyyyy…")
    assert '", "b": ⟨here⟩NaN, "c": "' in shown.text
    assert len(shown.text) < 300


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "Secret", "data": {"p": "hunter2"}, "x": NaN}',
        b'{"objectRef": {"resource": "secrets"}, "requestObject": {"data": {"p": "hunter2"',
        b'{"objectRef": {"Resource": "Secrets"}, "requestObject": {"data": {"p": "hunter2',
        b'{"kind": "\\u0053ecret", "data": {"p": "hunter2"}, "x": NaN}',
        b'{"requestURI": "/x?access_token=hunter2", "x": NaN}',
        b'{"requestURI": "/x?%74oken=hunter2", "x": NaN}',
        b'{"kind": "Secret", "data": {"p": "hunter2\xff"}}',
        b'{"kind": "Secret" "data" hunter2 {"p": "hunter2"}}',
        b'hunter2 "kind": "Secret"',
        '{"kind": "Secret", "data": {"p": "hunter2"}, "x": NaN}'.encode("utf-16-le"),
        b'{"kind": "Secret", "data": {"p": "x\\"hunter2\\"y", "q": 5}, "x": NaN}',
    ],
)
def test_values_that_may_be_secret_are_masked(body: bytes) -> None:
    for place in (of(body)[0], None, len(body) // 2, len(body)):
        shown = excerpt(body, place)
        assert shown.masked
        assert "hunter2" not in shown.text.replace("\\u0000", "")


def test_masked_bytes_keep_their_structure() -> None:
    assert of(b'{"kind": "Secret", "data": {"p": "x", "n": 12, "b": true}, "x": NaN}')[1].text == (
        '{"kind": "…", "data": {"p": "…", "n": …, "b": true}, "x": ⟨here⟩'
    )


@given(st.text(alphabet='"\\{}[]:, \nabc', max_size=40), st.text(alphabet='"\\{}[]:,abc', max_size=20), st.data())
def test_a_string_that_comes_before_the_fault_is_never_shown(before: str, after: str, data: st.DataObject) -> None:
    body = json.dumps({"kind": "Secret", "a": before, "data": {"k": "hunter2" + before}}).encode() + after.encode()

    assert "hunter2" not in excerpt(body, data.draw(st.integers(0, len(body)))).text


def test_a_large_body_is_looked_at_near_its_fault_only() -> None:
    body = b'{"kind": "Secret", "x": [' + b'"a",' * 3_000_000 + b"NaN]}"

    shown = excerpt(body, len(body) - 5)

    assert shown == Excerpt("…⟨here⟩", masked=True)
