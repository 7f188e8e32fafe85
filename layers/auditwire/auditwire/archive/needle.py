"""Lines that can hold a text, found among the inflated bytes without decoding the others.

Nothing is proven here: a line that is picked out is decoded and asked like any other. What matters is that no line is
passed over that holds the text, however whoever sent it chose to write it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

_Find = Callable[[bytes, int], int]
"""Where the next sign is that a text may be in this line, from a place on; -1 where there is none."""

_SLASH: Final = b"\\/"


class Needle:
    """A text that is looked for within the strings of JSON lines."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for an empty text: every line holds it."""
        if not text:
            raise ValueError("an empty text is in every line")
        # A text stands as it is, what must be escaped in its short form; or one of its signs at least is written with
        # \u (RFC 8259, section 7). The slash alone may be escaped without need in another way.
        self._finds: list[_Find] = [_escaped(text)]
        try:
            written = msgspec.json.encode(text)[1:-1]
        except UnicodeEncodeError:
            return  # half a surrogate pair, which can only be written with \u
        self._finds.append(lambda content, start: content.find(written, start))
        if "/" in text:
            self._finds.append(lambda content, start: content.find(_SLASH, start))

    def lines(self, content: bytes) -> Iterator[bytes]:
        """The lines of ``content`` that can hold the text, in order, without their line feeds."""
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
            yield content[begin:stop]
            start = stop + 1


def _escaped(text: str) -> _Find:
    """Finds a sign of the text that is written with \\u, by either half of a surrogate pair."""
    units = text.encode("utf-16-be", "surrogatepass")
    numbers = {f"{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2)}
    pattern = re.compile(rb"\\u(?i:" + "|".join(sorted(numbers)).encode() + rb")")

    def find(content: bytes, start: int) -> int:
        found = pattern.search(content, start)
        return found.start() if found else -1

    return find
