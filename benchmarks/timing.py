"""How things are timed here: CPU time, garbage collection off, each input several times in a row, the least of them.

The same bytes read hot or cold, or beside another program, differ by a factor of two and more, so no time stands
alone: both sides of a ratio are taken in one process and one run, input by input in turn.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

Input = TypeVar("Input")

ROUNDS = 9


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection within; what is there already is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def least(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least CPU time of an action, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time_ns()
        action()
        times.append(time.process_time_ns() - start)
    return min(times) / 1e9


def side_by_side(
    inputs: Sequence[Input], actions: Mapping[str, Callable[[Input], object]], rounds: int = ROUNDS
) -> dict[str, float]:
    """The CPU time of each action over all inputs, in seconds: the sum of the least time of each input.

    Actions take turns input by input, so that whatever slows the machine down slows all of them.
    """
    sums = dict.fromkeys(actions, 0.0)
    with quiet():
        for one in inputs:
            for name, action in actions.items():
                sums[name] += least(lambda action=action, one=one: action(one), rounds)  # type: ignore[misc]
    return sums
