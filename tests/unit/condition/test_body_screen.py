"""What bodies rule out at once: no more than the conditions themselves, and nothing that may raise."""

from typing import Any

import pytest

from auditwire.condition import EvaluationError, compile_condition
from auditwire.condition.assemble import Binder
from auditwire.condition.body_screen import BodyScreen
from auditwire.condition.evaluate import evaluate
from auditwire.condition.matcher import HOT, Matcher
from auditwire.rules.fields import EventFields
from made_events import event

CONDITIONS = (
    "RequestObject.spec.hostNetwork = true",
    "RequestObject.spec.a.b exists",
    "RequestObject.spec.items[*].name = 'x'".replace("'", '"'),
    'RequestObject.spec.items[*].name not in ("x")',
    'any RequestObject.spec.items[*] (name = "x" and value > 1)',
    'RequestObject.metadata.labels["app.kubernetes.io/name"] = "x"',
    'RequestObject.metadata.labels.app = "x"',
    'RequestObject.data["*password"] exists',
    'RequestObject[*].path startswith "/spec"',
    "RequestObject.spec.items[0].name exists",
    "RequestObject.spec.items[*].ports[*].port > 5",
    'Verb = "create" and (RequestObject.spec.type = "x" or ResponseObject.spec.type = "x")',
    'ObjectRef.Name > 5 and RequestObject.spec.type = "x"',
    'RequestObject.spec.type not exists or Verb = "get"',
)

BODIES: tuple[Any, ...] = (
    None,
    {},
    [],
    "text",
    5,
    {"spec": None},
    {"spec": "text"},
    {"spec": []},
    {"spec": {"hostNetwork": True}},
    {"spec": {"hostNetwork": "no truth"}},
    {"spec": {"hostNetwork": {"a": 1}}},
    {"spec.hostNetwork": True},
    {"spec": {"a": {"b": {"c": None}}}},
    {"spec": {"a": {"b": {"c": 1}}}},
    {"spec": {"a.b.c": 1}},
    {"spec.a": {"b.c": 1}},
    {"spec": {"items": [{"name": "y"}, {"name": "x", "value": 2}]}},
    {"spec": {"items": [{"name": "x", "value": "no number"}]}},
    {"spec": {"items": [{"name": ["x"]}]}},
    {"spec": {"items": [None]}},
    {"spec": {"items": ["text"]}},
    {"spec": {"items": [[{"name": "x"}]]}},
    {"spec": {"items": {"name": "x"}}},
    {"spec": {"items": "text"}},
    {"spec.items": [{"name": "x"}]},
    {"spec": {"items": [{"ports": [{"port": 6}]}, {"ports": [{"port": 1}]}]}},
    {"spec": {"items": [{"ports": {"port": 6}}]}},
    {"spec": {"items": [{"ports": "text"}]}},
    {"spec": {"items": [{"ports": [None]}]}},
    {"spec": {"items": [{"ports.port": 6}]}},
    {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}},
    {"metadata": {"labels": {"app": "x", "app.kubernetes.io/name": "y"}}},
    {"metadata": {"labels.app": "x"}},
    {"metadata.labels": {"app.kubernetes.io/name": "x"}},
    {"data": {"password": "x"}},
    {"data": {"the-password": None}},
    {"data": ["password"]},
    [{"path": "/spec/type"}],
    [{"path": 5}, None],
    ["/spec"],
    {"spec": {"type": "x"}},
)


def bound(*conditions: str) -> list[Any]:
    binder = Binder(EventFields())
    return [binder.bind(compile_condition(text, fields=EventFields()).expression) for text in conditions]


def outcome(condition: Any, one: Any) -> bool | str:
    try:
        return evaluate(condition, one)
    except EvaluationError as error:
        return str(error)


@pytest.mark.parametrize("body", BODIES)
def test_what_holds_or_raises_stays_possible(body: Any) -> None:
    conditions = bound(*CONDITIONS)
    everything = (1 << len(conditions)) - 1
    sift = BodyScreen(conditions).generate()
    alone = [BodyScreen([condition]).generate() for condition in conditions]
    for name in ("web", "9"):
        one = event(verb="create", name=name, body=body)
        expected = [outcome(condition, one) for condition in conditions]
        possible = sift(one, everything)

        for place, (found, sift_one) in enumerate(zip(expected, alone, strict=True)):
            if found is not False:
                assert possible >> place & 1, CONDITIONS[place]
                assert sift_one(one, 1), CONDITIONS[place]
        for condition, found in zip(conditions, expected, strict=True):
            matcher = Matcher([condition], hot=1)
            for _ in range(2):
                if isinstance(found, str):
                    with pytest.raises(EvaluationError):
                        matcher.match(one)
                else:
                    assert matcher.match(one) == ((0,) if found else ())


def test_what_a_body_does_not_hold_is_ruled_out() -> None:
    conditions = bound(*CONDITIONS)
    screen = BodyScreen(conditions)
    sift, everything = screen.generate(), (1 << len(conditions)) - 1
    left_alone = {12, 13}  # behind what may raise; true of what is not there

    def possible(body: Any) -> set[int]:
        bits = sift(event(verb="create", body=body), everything)
        return {place for place in range(len(conditions)) if bits >> place & 1}

    assert {place for place in range(len(conditions)) if not screen.looked_at >> place & 1} == left_alone
    for body in (None, {}, {"spec": {"hostNetwork": False, "items": [{"name": None}]}, "metadata": {"labels": {}}}):
        assert possible(body) <= left_alone | {9}
    assert possible({"spec": {"items": [{"name": "y", "value": 2}]}}) == left_alone | {3, 9}
    assert possible({"metadata": {"labels": {"app.kubernetes.io/name": "y"}}}) == left_alone
    assert possible({"spec": {"hostNetwork": "no truth"}}) >= {0}
    assert possible([{"path": "/spec"}]) == left_alone | {8}


def test_bodies_are_looked_into_at_once_as_soon_as_that_pays() -> None:
    matcher = Matcher(bound("RequestObject.spec.hostNetwork = true", "RequestObject.spec.hostPID = true"))
    one = event(body={"spec": {"hostPID": True}})

    for _ in range(HOT - 1):
        assert matcher.match(one) == (1,)
    before = matcher._sift
    assert matcher.match(one) == matcher.match(one) == (1,)
    assert matcher._sift != before


def test_a_path_of_many_levels_is_followed_as_far_as_loops_nest() -> None:
    deep = "RequestObject" + ".a[*]" * 30 + ".b = 1"
    matcher = Matcher(bound(deep, "RequestObject.c = 1"), hot=1)
    body: Any = {"b": 1}
    for _ in range(30):
        body = {"a": [body]}

    for _ in range(2):
        assert matcher.match(event(body=body)) == (0,)
        assert matcher.match(event(body={"a": [], "c": 1})) == (1,)
