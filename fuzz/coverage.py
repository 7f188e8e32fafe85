"""Which lines of the library and the console an input reaches. Tracing costs ten times the run, so only some inputs are traced."""

import sys
from collections.abc import Callable, Hashable
from types import CodeType, FrameType
from typing import Any, Final

_TRACED: Final = ("/auditwire/", "/auditwire_console/")


class Coverage:
    """The lines reached so far."""

    def __init__(self) -> None:
        self._seen: set[tuple[CodeType, int]] = set()
        self._new = False

    @property
    def lines(self) -> int:
        """How many lines were reached."""
        return len(self._seen)

    def run(self, run: Callable[[bytes], Hashable], data: bytes) -> bool:
        """Runs an input; whether it reached a line that none before it reached."""
        self._new = False
        sys.settrace(self._on_call)
        try:
            run(data)
        finally:
            sys.settrace(None)
        return self._new

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._on_line if any(folder in frame.f_code.co_filename for folder in _TRACED) else None

    def _on_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        place = (frame.f_code, frame.f_lineno)
        if place not in self._seen:
            self._seen.add(place)
            self._new = True
        return self._on_line
