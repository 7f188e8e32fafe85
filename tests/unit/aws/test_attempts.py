"""Attempts until a deadline, and requests side by side."""

from contextvars import ContextVar
from threading import Barrier, current_thread

import pytest

from auditwire.aws.attempts import MAX_SIDE_BY_SIDE, attempts, side_by_side
from clocks import Clock
from waiting import HANG_SECONDS


@pytest.mark.parametrize(
    ("seconds", "waits"),
    [
        (-1.0, []),
        (0.0, []),
        (0.05, []),
        (0.06, [0.05]),
        (3.0, [0.05, 0.1, 0.2, 0.4, 0.8, 0.8]),
    ],
)
def test_attempts_come_further_and_further_apart_and_none_begins_at_the_deadline(
    seconds: float, waits: list[float]
) -> None:
    clock = Clock()
    deadline = clock.now + seconds

    numbers = list(attempts(deadline, clock, clock.sleep))

    assert clock.waits == waits
    assert numbers == list(range(len(waits) + 1))
    assert clock.now < deadline or not waits


def test_what_an_attempt_itself_takes_counts() -> None:
    clock = Clock()

    for _ in attempts(clock.now + 1, clock, clock.sleep):
        clock.now += 0.6

    assert clock.waits == [0.05]


def test_no_time_is_spent_where_nobody_asks_for_another_attempt() -> None:
    clock = Clock()

    for _ in attempts(clock.now + 1, clock, clock.sleep):
        break

    assert clock.waits == []


def test_requests_run_at_the_same_time_and_answer_in_order() -> None:
    together = Barrier(MAX_SIDE_BY_SIDE, timeout=HANG_SECONDS)

    def request(number: int) -> int:
        together.wait()
        return number

    requests = [lambda number=number: request(number) for number in range(2 * MAX_SIDE_BY_SIDE)]

    assert side_by_side(requests, "x") == list(range(2 * MAX_SIDE_BY_SIDE))


def test_each_request_sees_the_context_of_who_asks() -> None:
    batch: ContextVar[str] = ContextVar("batch")
    batch.set("b")

    assert side_by_side([batch.get] * 3, "x") == ["b"] * 3


def test_a_single_request_needs_no_thread() -> None:
    assert side_by_side([current_thread], "x") == [current_thread()]
    assert side_by_side([], "x") == []


def test_an_error_is_raised_when_all_have_ended() -> None:
    ended = []

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side([fails, *[lambda: ended.append(1)] * 20], "x")

    assert len(ended) == 20
