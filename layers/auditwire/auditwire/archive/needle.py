"""Finding the lines that may contain a text, among inflated bytes, without decoding the others.

This proves nothing: each line found is decoded and tested like any other. What matters is that no line is missed that
contains the text, however the sender chose to write it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

_Find = Callable[[bytes, int], int]
"""The next position, from a given one on, that indicates the text in its line; -1 if there is none."""

_SLASH: Final = b"\\/"


@dataclass(frozen=True, slots=True)
class Text:
    """A text within a string of a JSON line. ``is_whole`` says that it is the whole string."""

    text: str
    is_whole: bool = False


class Needle:
    """Texts of which at least one is looked for within the strings of JSON lines."""

    def __init__(self, *texts: Text) -> None:
        """Raises ValueError without a text, and for an empty one, which is in every line."""
        if not texts or not all(each.text for each in texts):
            raise ValueError("an empty text is in every line")
        # Either a text is there as it is, with what must be escaped in its short form, or at least one of its
        # characters is written with \u (RFC 8259, section 7). Only the slash may be escaped needlessly in another way.
        self._finds: list[_Find] = [_escaped("".join(each.text for each in texts))]
        self._finds += [_found(written) for each in texts for written in _written(each)]
        if any("/" in each.text for each in texts):
            self._finds.append(_found(_SLASH))

    def lines(self, content: bytes) -> Iterator[bytes]:
        """Yields the lines of ``content`` that may contain the text, in order, without their line feeds."""
        for begin, stop in self.spans(content):
            yield content[begin:stop]

    def spans(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Yields where these lines begin and end."""
        start, end = 0, len(content)
        nearest = [-1] * len(self._finds)
        while start < end:
            for number, find in enumerate(self._finds):
                if nearest[number] < start:
                    found = find(content, start)
                    nearest[number] = end if found < 0 else found
            at = min(nearest)
            if at == end:
                return
            begin = content.rfind(b"\n", start, at) + 1 or start
            stop = content.find(b"\n", at)
            stop = end if stop < 0 else stop
            yield begin, stop
            start = stop + 1


def _written(text: Text) -> list[bytes]:
    """How a JSON text says it without an escape that is not needed."""
    try:
        quoted = msgspec.json.encode(text.text)
    except UnicodeEncodeError:
        return []  # half a surrogate pair, which can only be written with \u
    return [quoted if text.is_whole else quoted[1:-1]]


def _found(written: bytes) -> _Find:
    return lambda content, start: content.find(written, start)


def _escaped(text: str) -> _Find:
    r"""Finds a character of the text that is written with \u, by either half of a surrogate pair."""
    units = text.encode("utf-16-be", "surrogatepass")
    numbers = {f"{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2)}
    pattern = re.compile(rb"\\u(?i:" + "|".join(sorted(numbers)).encode() + rb")")

    def find(content: bytes, start: int) -> int:
        found = pattern.search(content, start)
        return found.start() if found else -1

    return find
