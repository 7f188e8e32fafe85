"""How often rules alert, and what would silence them."""

import pytest

from auditwire.analysis.noise import Group, NoiseCounting, NoiseTally
from auditwire.analysis.silencing import silencings
from auditwire.events import Event
from made_events import event
from rule_texts import document, rule, rule_set_of

RULES = document(rule('Verb = "get"', name="reads") + rule('Verb = "get"', name="quiet", priority="INFO"))


def noise(*events: Event) -> NoiseTally:
    counting = NoiseCounting(rule_set_of(RULES))
    tally = counting.tally()
    for one in events:
        counting.take(one, None, tally)
    return tally


def test_alerts_are_counted_by_rule_group_and_hour() -> None:
    tally = noise(event(), event(), event(user="bob", stageTimestamp="2026-11-22T01:00:00.000000Z"), event(verb="list"))

    assert (tally.events, tally.alerts, list(tally.rules)) == (4, 3, ["mine.reads"])
    assert tally.rules["mine.reads"].most(1) == [(Group("ann", "get", "pods", "", "shop"), 2)]
    assert tally.rules["mine.reads"].hours.counts == {"2026-11-21T22": 2, "2026-11-22T01": 1}
    assert (tally.first, tally.last) == ("2026-11-21T22:05:00.000000Z", "2026-11-22T01:00:00.000000Z")


def test_a_threshold_is_counted_where_it_is_reached() -> None:
    text = document(rule('Stage = "ResponseComplete"', name="many", more=", threshold: {count: 3, within: 10m}"))
    counting = NoiseCounting(rule_set_of(text))
    tally = counting.tally()
    for number in range(5):
        counting.take(event(auditID=str(number), user=f"u{number}"), None, tally)
    total = counting.tally()
    total.merge(tally)
    total.judge()

    assert total.alerts == 1
    assert total.rules["mine.many"].most(2) == [(Group("u2", "get", "pods", "", "shop"), 1)]
    assert total.rules["mine.many"].hours.counts == {"2026-11-21T22": 1}


def test_parts_add_up_to_the_whole() -> None:
    events = [event(user=user, namespace=place) for user in ("ann", "bob") for place in ("a", "b")]
    first, second, whole = noise(*events[:1]), noise(*events[1:]), noise(*events)
    first.merge(second)

    assert first.rules["mine.reads"].every() == whole.rules["mine.reads"].every()
    assert (first.events, first.first, first.last) == (whole.events, whole.first, whole.last)


def test_long_and_odd_names_stay_apart() -> None:
    tally = noise(event(user="x" * 5000, namespace="n" * 5000, name="a"), event(user="a\x00b"))

    groups = [group for group, _ in tally.rules["mine.reads"].every()]
    assert sorted(len(group.user) for group in groups) == [3, 200]
    assert silencings(tally, 5, least=1) == []


@pytest.mark.parametrize(
    ("made", "condition", "silenced"),
    [
        # All that a user does alerts often.
        ([(20, {}), (10, {"namespace": "b"})], 'User.Username = "ann"', 30),
        # What is rare in another namespace stays.
        ([(20, {}), (2, {"namespace": "b"})], 'User.Username = "ann" and ObjectRef.Namespace = "shop"', 20),
        # And what is rare in the same one.
        ([(20, {}), (2, {"resource": "secrets"}), (10, {"namespace": "b"})],
         'User.Username = "ann" and Verb = "get" and ObjectRef.Resource = "pods" and ObjectRef.Subresource = ""', 30),
    ],
)  # fmt: skip
def test_an_exception_is_as_wide_as_it_can_be_without_hiding_what_is_rare(
    made: list[tuple[int, dict[str, str]]], condition: str, silenced: int
) -> None:
    tally = noise(*(event(**fields) for count, fields in made for _ in range(count)), event(user="bob"))

    (found,) = silencings(tally, 5)

    assert (found.rule, found.condition, found.silenced, found.rare) == ("mine.reads", condition, silenced, 0)
    assert found.alerts == tally.alerts


def test_the_exceptions_that_silence_most_come_first() -> None:
    tally = noise(*(event(user=user) for user, count in (("ann", 10), ("bob", 30), ("eve", 20)) for _ in range(count)))

    assert [found.user for found in silencings(tally, 2)] == ["bob", "eve"]


@pytest.mark.parametrize("user", ["", "system:anonymous", "odd\n", "back\\"])
def test_nobody_in_particular_gets_no_exception(user: str) -> None:
    assert silencings(noise(*(event(user=user) for _ in range(30))), 5) == []


def test_what_alerts_seldom_needs_no_exception() -> None:
    assert silencings(noise(*(event() for _ in range(9))), 5) == []


def test_an_exception_silences_what_it_says() -> None:
    events = [event(namespace=place, user=user) for user in ("ann", "bob") for place in ("a", "b") for _ in range(12)]
    tally = noise(*events, event(resource="secrets", namespace="a"))

    for found in silencings(tally, 10):
        rules = rule_set_of(document(rule(found.condition)))
        assert sum(bool(rules.decide(one).alerts) for one in events) == found.silenced
