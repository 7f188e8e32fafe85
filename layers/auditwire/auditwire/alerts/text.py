"""Names and values in the form that Alertmanager, SNS and people need: legal, one line, of bounded length."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from auditwire.events.one_line import one_line

MAX_LABEL_LENGTH: Final = 256
MAX_ANNOTATION_LENGTH: Final = 1_024
MAX_NAME_LENGTH: Final = 128

_ILLEGAL_IN_NAME = re.compile(r"[^a-zA-Z0-9_]")
_DIGEST = 8


def legal_name(name: str) -> str:
    """A legal name of a label or annotation, within ``[a-zA-Z_][a-zA-Z0-9_]*``. Other characters become ``_``."""
    legal = _ILLEGAL_IN_NAME.sub("_", name[:MAX_NAME_LENGTH])
    return legal if legal[:1].isalpha() or legal.startswith("_") else f"_{legal}"


def legal_names(values: Mapping[str, str]) -> dict[str, str]:
    """The values under legal names. Names that become equal get ``_2``, ``_3``… in their original order."""
    legal: dict[str, str] = {}
    numbers: dict[str, int] = {}
    # Names that are legal already stay as they are, whatever the others become.
    for name in sorted(values, key=lambda name: (legal_name(name) != name, name)):
        wanted = fitting = legal_name(name)
        # Continue from the last number. Counting from 1 each time would take minutes for thousands of equal names.
        while fitting in legal:
            number = numbers[wanted] = numbers.get(wanted, 1) + 1
            fitting = f"{wanted}_{number}"
        legal[fitting] = values[name]
    return legal


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
    different = list(dict.fromkeys(filter(None, values)))
    return separator.join(different[:most] + ["…"] * (len(different) > most))
