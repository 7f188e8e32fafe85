"""Remembering the answers of costly tests: user agents, users and paths repeat from event to event."""

from typing import Any, Final

from auditwire.condition.operators import Test

MOST_VALUES: Final = 2_048
LONGEST_VALUE: Final = 256
"""Of one test at most ``MOST_VALUES`` texts of at most this many characters are remembered: clients choose them."""


def remembered(test: Test) -> Test:
    """The same test, which knows its answer for texts it has lately been asked about."""
    known: dict[str, bool] = {}

    def answer(value: Any) -> bool:
        if type(value) is not str or len(value) > LONGEST_VALUE:
            return test(value)
        found = known.get(value)
        if found is None:
            found = test(value)
            if len(known) >= MOST_VALUES:
                known.clear()
            known[value] = found
        return found

    return answer
