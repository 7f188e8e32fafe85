"""Lines that a container runtime wrote down in parts are joined; a part is never an event, whatever it looks like."""

import json
from collections.abc import Callable

import pytest

import envelopes as made
from audit_events import item, text_of
from auditwire.events import Decoded, decode

WHOLE = text_of(item(auditID="one", requestObject={"x": [1, {"y": "z" * 600}]})).decode()
OTHER = text_of(item(auditID="two")).decode()
FORGED = text_of(item(auditID="forged")).decode()
# What stands in an event is its sender's choice, and so is where it is cut: here before and behind what looks like one.
NESTED = text_of(item(auditID="one", requestObject={"a": 1, "b": json.loads(FORGED)})).decode()
BEFORE, BEHIND = NESTED[: NESTED.index(FORGED)], NESTED[NESTED.index(FORGED) + len(FORGED) :]


def containerd(parts: list[str], *, ends: bool = True) -> list[bytes]:
    tags = ["P"] * len(parts)
    if ends:
        tags[-1] = "F"
    return [made.cri(part, tag=tag).encode() for part, tag in zip(parts, tags, strict=True)]


def parsed(parts: list[str], *, ends: bool = True) -> list[bytes]:
    lines = []
    for number, part in enumerate(parts):
        tag = "F" if ends and number == len(parts) - 1 else "P"
        lines.append(made.text_of({"date": 1.5, "stream": "stdout", "_p": tag, "log": part}))
    return lines


def docker(parts: list[str], *, ends: bool = True) -> list[bytes]:
    last = "\n" if ends else ""
    return [made.text_of(made.docker(part + last * (number == len(parts) - 1))) for number, part in enumerate(parts)]


def azure(parts: list[str], *, ends: bool = True) -> list[bytes]:
    last = "\n" if ends else ""
    return [made.text_of(made.azure(part + last * (number == len(parts) - 1))) for number, part in enumerate(parts)]


FORMS = [containerd, parsed, docker, azure]
each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)


def read(lines: list[bytes]) -> Decoded:
    return decode(b"\n".join(lines) + b"\n")


@each_form
@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_parts_of_a_line_are_joined(form: Callable[..., list[bytes]], count: int) -> None:
    size = len(WHOLE) // count + 1
    parts = [WHOLE[start : start + size] for start in range(0, len(WHOLE), size)]

    decoded = read([*form([OTHER]), *form(parts), *form([OTHER])])

    assert [event.raw.decode() for event in decoded.events] == [OTHER, WHOLE, OTHER]
    assert decoded.rejects == []


@each_form
def test_streams_are_joined_apart(form: Callable[..., list[bytes]]) -> None:
    first, second = form([WHOLE[:300], WHOLE[300:]]), form([OTHER[:100], OTHER[100:]])
    other = [line.replace(b"stdout", b"stderr") for line in second]

    decoded = read([first[0], other[0], first[1], other[1]])

    assert {event.auditID for event in decoded.events} == {"one", "two"}
    assert decoded.rejects == []


@each_form
def test_what_looks_like_an_event_is_none_where_it_is_a_part(form: Callable[..., list[bytes]]) -> None:
    joined = read(form([BEFORE, FORGED, BEHIND]))
    assert [event.auditID for event in joined.events] == ["one"]
    assert joined.rejects == []

    for parts in ([BEFORE, FORGED], [FORGED, BEHIND]):
        for ends in (True, False):
            if form is azure and parts == [FORGED, BEHIND] and not ends:
                continue
            decoded = (
                read(form(parts, ends=ends)) if parts[-1] != FORGED or not ends else read(form([*parts, ""], ends=True))
            )
            assert "forged" not in {event.auditID for event in decoded.events}
            assert decoded.rejects or decoded.events


@pytest.mark.parametrize("form", [containerd, parsed, docker], ids=lambda form: form.__name__)
def test_a_part_alone_is_no_event(form: Callable[..., list[bytes]]) -> None:
    decoded = read(form([FORGED], ends=False))

    assert decoded.events == []
    assert [reject.reason for reject in decoded.rejects] == ["fragment"]


@each_form
def test_a_beginning_without_its_end_says_what_was_finished(form: Callable[..., list[bytes]]) -> None:
    decoded = read([*form([WHOLE[:600]], ends=False), *form([OTHER])[:0]])

    (event,) = decoded.events
    assert (event.auditID, event.flags) == ("one", ("cut_off",))


@each_form
def test_an_end_without_its_beginning_is_kept_and_is_no_event(form: Callable[..., list[bytes]]) -> None:
    decoded = read([*form([WHOLE[300:]]), *form([OTHER])])

    assert [event.auditID for event in decoded.events] == ["two"]
    assert [reject.reason for reject in decoded.rejects] == ["fragment"]


@pytest.mark.parametrize("form", [docker, azure], ids=lambda form: form.__name__)
def test_a_cut_line_does_not_swallow_the_next(form: Callable[..., list[bytes]]) -> None:
    decoded = read([*form([WHOLE[:600]], ends=False), *form([OTHER])])

    assert [(event.auditID, event.flags) for event in decoded.events] == [("one", ("cut_off",)), ("two", ())]
    assert decoded.rejects == []


def test_a_line_as_long_as_a_runtime_makes_its_parts_needs_its_line_end() -> None:
    long = text_of(item(auditID="long", requestURI="/" + "x" * 20_000)).decode()
    exact = long.replace("x" * (len(long) - 16 * 1024), "", 1)
    assert len(exact) == 16 * 1024
    record = {"date": 1.5, "stream": "stdout"}

    alone = decode(made.text_of(record | {"log": exact}))
    whole = decode(made.text_of(record | {"log": exact + "\n"}))
    longer = decode(made.text_of(record | {"log": long}))

    assert [reject.reason for reject in alone.rejects] == ["fragment"]
    assert [len(decoded.events) for decoded in (alone, whole, longer)] == [0, 1, 1]


def test_ordinary_lines_between_events_are_not_joined_with_them() -> None:
    record = {"date": 1.5, "stream": "stdout"}
    logs = ["I1128 klog", OTHER, "I1128 klog", WHOLE]

    decoded = decode(made.text_of([record | {"log": log} for log in logs]))

    assert [event.auditID for event in decoded.events] == ["two", "one"]
    assert (decoded.rejects, dict(decoded.skipped)) == ([], {"log_text": 2})
