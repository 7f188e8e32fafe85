"""Retries until a deadline, and several requests side by side."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

MAX_SIDE_BY_SIDE: Final = 8
"""How many requests run at the same time. A client keeps ten connections."""

_FIRST_WAIT_SECONDS: Final = 0.05
_MAX_WAIT_SECONDS: Final = 0.8

_Answer = TypeVar("_Answer")


def attempts(deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> Iterator[int]:
    """Yields the numbers of attempts, from 0, and waits before each retry: 0.05 s first, then twice as long each time,
    at most 0.8 s.

    The first attempt is always made. A retry that could only begin at or after ``deadline``, in seconds of ``clock``,
    is neither made nor waited for.
    """
    number = 0
    wait = _FIRST_WAIT_SECONDS
    while True:
        yield number
        if clock() + wait >= deadline:
            return
        sleep(wait)
        number += 1
        wait = min(2 * wait, _MAX_WAIT_SECONDS)


def side_by_side(requests: Sequence[Callable[[], _Answer]], name: str) -> list[_Answer]:
    """Returns the answers to all requests in their order. Up to eight run at a time.

    Each request runs in a copy of the caller's context. ``name`` is the start of the threads' names. A single request
    runs in the caller's own thread. If requests fail, the first error is raised after all of them have ended.
    """
    if len(requests) <= 1:
        return [request() for request in requests]
    with ThreadPoolExecutor(min(MAX_SIDE_BY_SIDE, len(requests)), thread_name_prefix=name) as pool:
        running = [pool.submit(copy_context().run, request) for request in requests]
    return [one.result() for one in running]
