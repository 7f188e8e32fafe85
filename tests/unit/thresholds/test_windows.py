"""Counting matches: by group and window, in any order, once each."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditwire.events.model import User
from auditwire.rules import Rule
from auditwire.thresholds.match import Match, match_of, replayed_match
from auditwire.thresholds.windows import Windows
from made_events import event
from rule_texts import document, rule, rule_set_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def rule_with(threshold: str, name: str = "many") -> Rule:
    text = rule('Stage = "ResponseComplete"', name=name, more=f", threshold: {{{threshold}}}")
    return rule_set_of(document(text)).alerting[0]


COUNT = rule_with("count: 3, by: [User.Username], within: 10m")


def matched(rule: Rule = COUNT, *, at: datetime | None = NOON, received: datetime | None = NOON, cluster: str = "prod",
            **more: Any) -> Match | None:  # fmt: skip
    said = None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return match_of(rule, event(**{"stageTimestamp": said, **more}), cluster, received)


def some(**more: Any) -> Match:
    found = matched(**more)
    assert found is not None
    return found


def test_a_group_is_cluster_rule_and_values() -> None:
    one = some()
    assert (one.rule, one.at_least, one.within, len(one.group), len(one.member)) == ("mine.many", 3, 600, 16, 16)
    assert some(name="other").group == one.group
    assert some(name="other").member != one.member
    others = (
        some(user="bob"),
        some(cluster="test"),
        some(rule=rule_with("count: 3, by: [User.Username], within: 10m", "b")),
        some(rule=rule_with("count: 3, by: [User.Username], within: 11m")),
        some(rule=rule_with("count: 3, by: [ObjectRef.Name], within: 10m")),
        some(rule=rule_with("count: 3, by: [ObjectRef.Name, User.Username], within: 10m")),
        some(rule=rule_with("distinct: Verb, atLeast: 3, by: [User.Username], within: 10m")),
    )
    assert len({one.group, *(other.group for other in others)}) == 8
    assert some(rule=rule_with("count: 9, by: [user.username], within: 600s")).group == one.group


def test_values_are_kept_apart_whatever_they_are() -> None:
    two = rule_with("count: 3, by: [User.Username, ObjectRef.Name], within: 10m")
    assert some(rule=two, user="a", name="b,c").group != some(rule=two, user="a,b", name="c").group
    odd = event()
    odd.user = User(username=None)
    assert match_of(two, odd, "prod", NOON) is not None


def test_different_values_count_and_no_value_does_not() -> None:
    names = rule_with("distinct: ObjectRef.Name, atLeast: 3, by: [User.Username], within: 10m")
    assert some(rule=names, verb="list").member == some(rule=names, verb="get").member
    assert some(rule=names, name="a").member != some(rule=names, name="b").member
    assert matched(names, name="") is None
    assert some(rule=names, user="bob").member != some(rule=names).member


def test_the_time_is_that_of_receipt_where_the_sender_is_an_hour_away() -> None:
    def window(**more: Any) -> int:
        return some(**more).window - some().window

    hour = timedelta(hours=1)
    assert window(at=NOON - hour) == -6
    assert window(at=NOON + hour) == 6
    for away in (hour + timedelta(seconds=1), timedelta(days=400)):
        assert window(at=NOON - away) == window(at=NOON + away) == 0
    assert window(at=None) == 0
    assert some(at=NOON, received=None).window == some().window
    assert some(at=None, received=None).window == 0


def test_an_event_of_the_past_is_in_order_of_its_receipt_if_that_was_recorded() -> None:
    one = event(stageTimestamp="2026-11-21T12:00:00.000000Z")
    one.receipt = NOON + timedelta(days=1)
    order, match = replayed_match(COUNT, one, is_recorded=True)
    assert (order, match and match.window) == (one.receipt.timestamp(), some(at=one.receipt, received=None).window)
    order, match = replayed_match(COUNT, one, is_recorded=False)
    assert (order, match and match.window) == (NOON.timestamp(), some().window)


def test_as_many_as_asked_for_within_the_time_always_reach_it() -> None:
    for start in range(0, 600, 50):
        for times in permutations((start, start + 300, start + 599)):
            windows = Windows()
            counts = [windows.add("g", second // 600, [str(second)], 3) for second in times]
            assert counts == [1, 2, 3]


def test_more_than_twice_the_time_apart_never_does() -> None:
    windows = Windows()
    assert [windows.add("g", window, [str(window)], 3) for window in (0, 1, 3, 4, 6, 7)] == [1, 2, 1, 2, 1, 2]


def test_a_window_is_closed_when_it_has_enough() -> None:
    windows = Windows()
    assert windows.add("g", 0, [str(number) for number in range(3)], 3) == 3
    assert windows.add("g", 0, ["more"], 3) == 3
    assert windows.add("g", 1, ["x"], 3) == 4
    assert windows.add("h", 0, ["x"], 3) == 1


def test_a_threshold_is_reached_once_in_a_window() -> None:
    windows = Windows()

    def reach(window: int, member: str) -> bool:
        return windows.reach(Match("r", 2, 60, "g", window, member))

    assert [reach(0, "a"), reach(0, "a"), reach(0, "b"), reach(0, "c"), reach(1, "d"), reach(1, "e")] == [
        False, False, True, False, True, False,
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=12), st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_change_what_is_counted(members: list[tuple[int, int]], chance: Any) -> None:
    shuffled = [*members, *members]
    chance.shuffle(shuffled)

    def most(order: list[tuple[int, int]]) -> list[bool]:
        windows = Windows()
        for window, member in order:
            windows.add("g", window, [str(member)], 4)
        return [windows.add("g", window, [], 4) >= 4 for window in range(4)]

    assert most(shuffled) == most(members)
