"""Names and values as Alertmanager, SNS and people can take them: legal, one line, of bounded length."""

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
    """A label or annotation name within ``[a-zA-Z_][a-zA-Z0-9_]*``: other characters become ``_``."""
    legal = _ILLEGAL_IN_NAME.sub("_", name[:MAX_NAME_LENGTH])
    return legal if legal[:1].isalpha() or legal.startswith("_") else f"_{legal}"


def legal_names(values: Mapping[str, str]) -> dict[str, str]:
    """The same values under legal names; names that become equal get ``_2``, ``_3``… in their old order."""
    legal: dict[str, str] = {}
    numbers: dict[str, int] = {}
    # Names that are legal already keep theirs, whatever the others become.
    for name in sorted(values, key=lambda name: (legal_name(name) != name, name)):
        wanted = fitting = legal_name(name)
        # Counting on from the last number: from 1 each time, thousands of equal names would take minutes.
        while fitting in legal:
            number = numbers[wanted] = numbers.get(wanted, 1) + 1
            fitting = f"{wanted}_{number}"
        legal[fitting] = values[name]
    return legal


def label_value(value: str) -> str:
    """A label's value: one line of at most 256 characters.

    A longer one is cut and ends in ``…`` and 8 hex digits of its SHA-256, so that it is seen to be cut and
    two long values that begin alike stay two alerts.
    """
    line = one_line(value[: MAX_LABEL_LENGTH + 1])
    if len(value) <= MAX_LABEL_LENGTH and len(line) <= MAX_LABEL_LENGTH:
        return line
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{line[: MAX_LABEL_LENGTH - _DIGEST - 1]}…{digest[:_DIGEST]}"


def annotation_value(value: str, limit: int = MAX_ANNOTATION_LENGTH) -> str:
    """An annotation's value: one line of at most ``limit`` characters, a cut marked by ``…`` at its end."""
    line = one_line(value[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def listed(values: Iterable[str], most: int, separator: str = ", ") -> str:
    """The different values in order of appearance; of more than ``most`` the first ones and ``…``."""
    different = list(dict.fromkeys(filter(None, values)))
    return separator.join(different[:most] + ["…"] * (len(different) > most))
