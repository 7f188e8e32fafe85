"""What a call of a function takes: its time, and how much the memory of this process grows meanwhile.

Functions share this process, so nothing can end one of them. What one takes is measured instead. Where memory grows
while several calls are in progress, each counts its share.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_SET_BACK: Final = "5"
_KILOBYTE: Final = 1 if sys.platform == "darwin" else 1024
_MEGABYTE: Final = 1 << 20


class Usage:
    """What one call took, 0 until it has ended; and how many calls were in progress at once meanwhile."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.megabytes = 0.0
        self.beside = 1


class Meter:
    """Measures the calls of one process. ``peak`` is its highest memory in bytes since ``set_back``."""

    def __init__(
        self,
        peak: Callable[[], int] | None = None,
        set_back: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._peak = peak or _highest_resident
        self._set_back = set_back or _set_back
        self._clock = clock
        self._lock = Lock()
        self._running: list[Usage] = []

    @contextmanager
    def call(self) -> Iterator[Usage]:
        """Inside runs one call."""
        used = Usage()
        with self._lock:
            if not self._running:
                self._set_back()  # other calls would lose what they have grown by
            self._running.append(used)
            for one in self._running:
                one.beside = max(one.beside, len(self._running))
            before, began = self._peak(), self._clock()
        try:
            yield used
        finally:
            used.seconds = self._clock() - began
            with self._lock:
                self._running.remove(used)
                used.megabytes = (self._peak() - before) / used.beside / _MEGABYTE


def _highest_resident() -> int:
    """The most that this process had in memory; on Linux since it was last set back."""
    with suppress(OSError, ValueError, StopIteration):
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE


def _set_back() -> None:
    with suppress(OSError):  # then only what is more than ever before counts
        _CLEAR.write_text(_SET_BACK, encoding="ascii")
