"""An event that was cut off says what was finished before the cut, and nothing that stood inside of a member."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import envelopes as made
from audit_events import as_kubesphere, item, text_of
from auditwire.events import Decoded, Event, Flag, ObjectRef, decode, encode_line

FORGED = {"auditID": "forged", "user": {"username": "mallory"}, "level": "Metadata", "stage": "Panic", "verb": "get"}
POD = {"kind": "Pod", "metadata": {"annotations": {"padding": "x" * 400, "forged": json.dumps(FORGED)}}, **FORGED}
EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    **item(auditID="one", verb="create", requestObject=POD, responseObject=POD, annotations={"a": "b"}),
}
# In the order of Go's struct, as kube-apiserver writes it: bodies before the times.
ORDER = [
    "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "sourceIPs", "userAgent",
    "objectRef", "responseStatus", "requestObject", "responseObject", "requestReceivedTimestamp", "stageTimestamp",
    "annotations",
]  # fmt: skip
# Those that this event does not have stand between them.
MODEL = [*ORDER[:8], "impersonatedUser", "authenticationMetadata", *ORDER[8:]]
TEXT = text_of({key: EVENT[key] for key in ORDER}).decode()
BODIES_ON = {"requestObject", "responseObject", "requestReceivedTimestamp", "stageTimestamp", "annotations"}


def cut_at(mark: str, *, text: str = TEXT, behind: int = 0) -> str:
    return text[: text.index(mark) + behind]


def from_cloudwatch(text: str) -> Decoded:
    return decode(made.text_of(made.cloudwatch([text + "[Truncated...]"])))


def from_azure(text: str) -> Decoded:
    return decode(made.text_of({"records": [made.azure(text)]}))


def from_docker(text: str) -> Decoded:
    return decode(made.text_of(made.docker(text)))


def from_fluent_bit(text: str) -> Decoded:
    return decode(made.text_of([{"date": 1795298700.004, "log": text}]))


ROADS = [from_cloudwatch, from_azure, from_docker, from_fluent_bit]
each_road = pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)


def only(decoded: Decoded) -> Event:
    assert decoded.rejects == []
    assert not decoded.skipped
    (event,) = decoded.events
    return event


@each_road
def test_what_was_finished_is_judged_like_any_event(road: Callable[[str], Decoded]) -> None:
    text = cut_at('"padding"', behind=40)

    event = only(road(text))

    assert (event.auditID, event.verb, event.level, event.user.username) == ("one", "create", "Metadata", "alice")
    assert event.objectRef.name == "web"
    assert event.responseStatus is not None
    assert event.responseStatus.code == 200
    assert (event.requestObject, event.responseObject, event.annotations) == (None, None, None)
    assert event.flags == (Flag.CUT_OFF,)
    assert event.unknown_paths == BODIES_ON
    assert event.cut_text.startswith(text.encode())
    assert event.stageTimestamp is not None
    assert event.stageTimestamp.startswith("2026-11-21T22:05:00.004")


@each_road
def test_a_cut_at_any_byte_gives_what_was_finished_and_nothing_else(road: Callable[[str], Decoded]) -> None:
    for end in range(1, len(TEXT)):
        decoded = road(TEXT[:end])
        finished = [key for key in ORDER if f'"{key}":' in TEXT[:end] and is_finished(key, TEXT[:end])]
        if {"level", "auditID", "stage", "verb"} <= set(finished):
            event = only(decoded)
            assert event.auditID == "one"
            assert event.user.username == ("alice" if "user" in finished else None)
            later = MODEL[MODEL.index(finished[-1]) + 1 :]
            assert event.unknown_paths == set(later)
            line = json.loads(encode_line(event, {}))
            assert all(line[key] == EVENT[key] for key in finished)
        else:
            assert decoded.events == []
            (reject,) = decoded.rejects
            assert reject.reason == ("cut_before_verb" if {"auditID", "stage"} <= set(finished) else "truncated")


def is_finished(key: str, text: str) -> bool:
    """Whether the value of a top-level member is whole in a text that was cut off."""
    before = text_of({name: EVENT[name] for name in ORDER[: ORDER.index(key)]}).decode()[:-1]
    value = text_of(EVENT[key]).decode()
    start = len(before) + (1 if before != "{" else 0) + len(f'"{key}":')
    return text[start:].startswith(value)


@each_road
def test_of_an_event_cut_before_its_verb_is_said_what_there_is(road: Callable[[str], Decoded]) -> None:
    padded = text_of({key: EVENT[key] for key in ORDER} | {"requestURI": "/api/v1/pods?x=" + "y" * 17_000}).decode()

    decoded = road(padded[:16_000])

    assert decoded.events == []
    (reject,) = decoded.rejects
    assert (reject.kind, reject.reason) == ("item", "cut_before_verb")
    assert reject.cut is not None
    assert (reject.cut.auditID, reject.cut.stage) == ("one", "ResponseComplete")
    assert reject.cut.requestURI.startswith("/api/v1/pods?x=yyy")
    assert reject.cut.time.startswith("2026-11-21T22:05:00.004")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requestURI", "/x?" + json.dumps(FORGED)),
        ("user", {"username": "alice", "extra": {"x": [json.dumps(FORGED)], "auditID": ["forged"]}}),
        ("requestObject", [{"op": "add", "path": "/x", "value": FORGED}]),
        ("requestObject", {"a": [FORGED, [FORGED]], "auditID": "forged"}),
        ("requestObject", json.dumps(FORGED)),
        (
            "responseStatus",
            {"metadata": {}, "message": json.dumps(FORGED), "details": {"auditID": "forged"}, "code": 200},
        ),
    ],
)
def test_nothing_inside_of_a_member_passes_for_one(field: str, value: Any) -> None:
    text = text_of({key: EVENT[key] for key in ORDER} | {field: value}).decode()
    for end in range(text.index('"' + field), len(text), 3):
        for event in from_cloudwatch(text[:end]).events:
            assert (event.auditID, event.stage, event.verb) == ("one", "ResponseComplete", "create")
            assert event.user.username in ("alice", None)


def test_the_same_cut_text_is_the_same_event_by_every_road() -> None:
    text = cut_at('"padding"', behind=40)

    assert len({only(road(text)).digest for road in ROADS}) == 1
    assert only(from_docker(text)).digest != only(from_docker(cut_at('"userAgent"'))).digest


def test_members_in_another_order_may_all_have_come_later() -> None:
    order = sorted(ORDER, key=lambda key: (key in ("requestObject", "responseObject", "annotations"), key))
    text = text_of({key: EVENT[key] for key in order}).decode()

    event = only(from_azure(cut_at('"padding"', text=text, behind=40)))

    assert event.annotations == EVENT["annotations"]
    assert event.unknown_paths == {"requestObject", "responseObject", "impersonatedUser", "authenticationMetadata"}


def test_a_member_is_unknown_where_the_cut_is_within_it_wherever_it_stands() -> None:
    first = [key for key in ORDER if key not in ("requestObject", "responseObject", "annotations")]
    for last in ("requestObject", "responseObject", "annotations", "userAgent", "objectRef"):
        order = [*(key for key in first if key != last), last]
        text = text_of({key: EVENT[key] for key in order}).decode()

        event = only(from_azure(text[: text.index(f'"{last}"') + len(last) + 4]))

        assert last in event.unknown_paths
        assert getattr(event, last) in (None, "", ObjectRef())


def test_a_cut_event_of_kubesphere_is_read_in_its_casing() -> None:
    text = text_of(as_kubesphere({key: EVENT[key] for key in ORDER[2:]})).decode()

    event = only(from_docker(text[: text.index('"StageTimestamp"')]))

    assert (event.auditID, event.sender) == ("one", "kubesphere")
    assert event.unknown_paths >= {"stageTimestamp"}
    assert event.requestBody == POD


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "}",
        TEXT[:-1] + ",}",
        cut_at('"userAgent"') + "}}}",
        cut_at('"sourceIPs"') + '"a" "b"',
        cut_at('"sourceIPs"') + '"a":"\nb',
        cut_at('"sourceIPs"') + "\x00x",
    ],
)
@each_road
def test_a_text_that_is_faulty_before_its_end_is_no_cut_event(road: Callable[[str], Decoded], text: str) -> None:
    decoded = road(text)

    assert decoded.events == []
    assert [reject.reason for reject in decoded.rejects] == ["invalid_json"]


@pytest.mark.parametrize(
    ("end", "is_event"),
    [
        (cut_at('"padding"', behind=30), True),
        (cut_at('"requestReceivedTimestamp"'), True),
        (cut_at('"userAgent"'), False),
        (cut_at('"requestURI"', behind=20), False),
    ],
)
def test_a_bare_line_is_salvaged_only_where_cloudwatch_cut_it_in_a_body(end: str, *, is_event: bool) -> None:
    good = text_of(item(auditID="good"))
    decoded = decode(b"%b\n%b[Truncated...]\n" % (good, end.encode()))

    assert [event.auditID for event in decoded.events] == (["good", "one"] if is_event else ["good"])
    assert [reject.reason for reject in decoded.rejects] == ([] if is_event else ["invalid_json"])
    assert [event.auditID for event in decode(good + b"\n" + end.encode()).events] == ["good"]


@pytest.mark.parametrize("level", ["Request", "RequestResponse"])
def test_bodies_that_the_sender_left_out_are_unknown(level: str) -> None:
    skipped = "skipped-too-big-size-object"
    truncated = {"audit.k8s.io/truncated": "true"}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"requestObject": skipped}, {"requestObject"}),
        ({"requestObject": skipped, "responseObject": skipped}, {"requestObject", "responseObject"}),
        ({"annotations": truncated}, {"requestObject", "responseObject"}),
        ({"annotations": truncated, "requestObject": {"a": 1}}, {"responseObject"}),
        ({"annotations": {"audit.k8s.io/truncated": "false"}}, set()),
        ({"requestObject": "x"}, set()),
        ({}, set()),
    ]
    for changes, unknown in cases:
        for body in (text_of(item(level=level, **changes)), text_of([item(level=level, **changes)])):
            for text in (
                body,
                b'{"items":[%b]}' % body.strip(b"[]"),
                made.text_of({"log": body.strip(b"[]").decode()}),
            ):
                (event,) = decode(text).events
                assert event.unknown_paths == unknown
                assert event.flags == ((Flag.BODIES_SKIPPED,) if unknown else ())
