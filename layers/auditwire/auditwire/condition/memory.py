"""Remembering what follows from a value: verbs, users and user agents repeat from event to event."""

from collections.abc import Callable
from typing import Final, TypeVar

MAX_VALUES: Final = 2_048
MAX_VALUE_LENGTH: Final = 256
"""At most ``MAX_VALUES`` values are remembered, texts of at most this many characters: clients choose them."""

Key = TypeVar("Key")
Found = TypeVar("Found")


class Remembered(dict[Key, Found]):
    """A function of one value as a dictionary: ``remembered[value]`` works out only what it does not know yet.

    A value that is known costs one lookup, without a call. When the dictionary is full it starts afresh, so that no
    flood of values can grow it or shut later ones out.
    """

    __slots__ = ("_work_out",)

    def __init__(self, work_out: Callable[[Key], Found]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, value: Key) -> Found:
        found = self._work_out(value)
        if not isinstance(value, str) or len(value) <= MAX_VALUE_LENGTH:
            if len(self) >= MAX_VALUES:
                self.clear()
            self[value] = found
        return found
