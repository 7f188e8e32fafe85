"""Every vector of KubeSphere's engine: the same outcome, but for the divergences the dialect table names."""

from collections import defaultdict
from contextlib import suppress

import pytest

from auditwire.condition import ConditionError, EvaluationError, compile_condition
from auditwire.condition.assemble import Binder
from auditwire.condition.fields import FreeFields
from auditwire.condition.matcher import Matcher
from conformance.vectors import EVENTS, Vector, load

VECTORS = load()
GROUPS: dict[str, list[Vector]] = defaultdict(list)
for vector in VECTORS:
    GROUPS[vector.group].append(vector)


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_vector_that_is_not_dont_care_has_its_outcome(group: str) -> None:
    wrong = [
        f"{vector.id}: {vector.condition[:120]!r} on {vector.event} gave {vector.outcome()}, not {vector.accepted()}"
        for vector in GROUPS[group]
        if not vector.is_dont_care and vector.outcome() not in vector.accepted()
    ]
    assert not wrong, "\n".join(wrong)


def test_only_dont_care_vectors_come_out_differently() -> None:
    differing = [vector for vector in VECTORS if vector.outcome() not in vector.accepted()]

    assert len(VECTORS) == 2372
    assert len(differing) == 35
    assert all(vector.is_dont_care for vector in differing)


def test_the_wider_dialect_differs_only_where_it_extends_the_language() -> None:
    differing = {
        vector.condition
        for vector in VECTORS
        if vector.outcome("auditwire") != vector.outcome("kubesphere") and vector.outcome("kubesphere") != "error"
    }

    assert not differing


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_matcher_of_all_conditions_gives_each_vector_its_outcome(name: str) -> None:
    # Those whose outcome is an error stay out: one of them leaves the whole event to the reference.
    vectors = [
        vector
        for vector in VECTORS
        if vector.event == name and not vector.is_dont_care and vector.accepted() in ({"true"}, {"false"})
    ]
    binder = Binder(FreeFields())
    conditions = [binder.bind(compile_condition(one.condition, precedence="kubesphere").expression) for one in vectors]
    matcher = Matcher(conditions, hot=1)

    for _ in ("walked", "generated"):
        matching = set(matcher.match(EVENTS[name]))
        assert [one.id for n, one in enumerate(vectors) if (n in matching) is not (one.accepted() == {"true"})] == []


def test_no_vector_crashes_on_any_event() -> None:
    for condition in sorted({vector.condition for vector in VECTORS}):
        try:
            compiled = compile_condition(condition, precedence="kubesphere")
        except ConditionError:
            continue
        for event in EVENTS.values():
            with suppress(EvaluationError):
                compiled.evaluate(event)
