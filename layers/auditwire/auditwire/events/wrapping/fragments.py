"""Lines that came in parts: container runtimes cut a line after 16 KiB, and write its parts down one after the other.

Parts are joined within one body. A part is never read as an event of its own, whatever it looks like: who chooses what
stands in an event also chooses where it is cut.
"""

from collections.abc import Iterator

import msgspec

from auditwire.events.wrapping.origin import Ending, Origin, Text

_CUT_AFTER = 16 * 1024
"""Where Docker and containerd cut a line. CRI-O cuts earlier, and always marks it."""

_ABOUT = 64
"""A letter cut in two becomes longer, so the length of a part is only about right."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line, or as much of it as there is."""

    text: bytes
    origin: Origin
    is_whole: bool = True


class Fragments:
    """The parts of a body that wait for the next part of their stream, and the lines that came of them."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, list[Text]] = {}

    def add(self, text: Text) -> Iterator[Line]:
        """The lines that are complete now. One that is not JSON is of no use alone: it is whole all the same."""
        if text.ending is Ending.LINE:
            yield Line(text.text, text.origin)
            return
        stream = text.origin.stream
        waiting = self._waiting.get(stream)
        if text.ending is Ending.UNSAID and not waiting and not _may_be_cut(text.text):
            yield Line(text.text, text.origin)
            return
        if text.ending in (Ending.PART, Ending.LAST_PART):
            parts = [*(self._waiting.pop(stream, ())), text]
            if text.ending is Ending.PART:
                self._waiting[stream] = parts
            else:
                yield _joined(parts)
            return
        is_value = _is_value(text.text)
        if waiting and (
            # Behind a value a line goes on with anything but a value, and the last part of a line is none.
            (_is_value(b"".join(part.text for part in waiting)) and text.text.lstrip()[:1] == b"{")
            or (is_value and text.ending is Ending.LINE_END)
        ):
            yield from self._give_up(stream)
            waiting = None
        parts = [*(waiting or ()), text]
        if text.ending is not Ending.LINE_END:
            self._waiting[stream] = parts
            return
        self._waiting.pop(stream, None)
        yield _joined(parts)

    def rest(self) -> Iterator[Line]:
        """What is left at the end of the body: beginnings of lines, or lines whose line end somebody took off."""
        for stream in list(self._waiting):
            yield from self._give_up(stream)

    def _give_up(self, stream: str) -> Iterator[Line]:
        parts = self._waiting.pop(stream)
        first = parts[0]
        is_whole = (
            len(parts) == 1
            and first.ending is not Ending.PART
            and not first.is_strict
            and not _may_be_cut(first.text)
            and _is_value(first.text)
        )
        yield Line(b"".join(part.text for part in parts), first.origin, is_whole=is_whole)


def _may_be_cut(text: bytes) -> bool:
    """Whether a text is as long as a container runtime makes the parts of a line."""
    return abs(len(text) - _CUT_AFTER) <= _ABOUT


def _joined(parts: list[Text]) -> Line:
    return Line(b"".join(part.text for part in parts), parts[0].origin)


def _is_value(text: bytes) -> bool:
    """Whether a text is one whole JSON object."""
    if text.lstrip()[:1] != b"{":
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
