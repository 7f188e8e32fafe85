"""Values in the form that Alertmanager, SNS and people need: one line, of bounded length."""

import hashlib
from collections.abc import Iterable
from typing import Final

from auditwire.events.one_line import one_line

MAX_LABEL_LENGTH: Final = 256
MAX_ANNOTATION_LENGTH: Final = 1_024

_DIGEST = 8


def label_value(value: str) -> str:
    """A label's value: one line of at most 256 characters.

    A longer value is cut and ends in ``…`` and 8 hex digits of its SHA-256. So readers see that it was cut, and two
    long values with the same beginning stay two alerts.
    """
    line = one_line(value[: MAX_LABEL_LENGTH + 1])
    if len(value) <= MAX_LABEL_LENGTH and len(line) <= MAX_LABEL_LENGTH:
        return line
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{line[: MAX_LABEL_LENGTH - _DIGEST - 1]}…{digest[:_DIGEST]}"


def annotation_value(value: str, limit: int = MAX_ANNOTATION_LENGTH) -> str:
    """An annotation's value: one line of at most ``limit`` characters. A cut is marked by ``…`` at the end."""
    line = one_line(value[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def listed(values: Iterable[str], most: int, separator: str = ", ") -> str:
    """The distinct values in order of appearance. If there are more than ``most``, the first ones and ``…``."""
    # No further than needed: what is listed may be made for each of thousands of events.
    different: dict[str, None] = {}
    for value in filter(None, values):
        different[value] = None
        if len(different) > most:
            break
    named = list(different)[:most]
    return separator.join(named + ["…"] * (len(different) > most))
