"""Waiting for what happens beside the test."""

import time
from collections.abc import Callable

HANG_SECONDS = 300
"""What no busy machine needs: only something that hangs reaches it."""


def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; fail when it seems it never will."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)
