"""How much one body may hold, so that no body costs more than a second and a few hundred megabytes to read.

All of it is checked before anything is decided. What is over a bound is kept in quarantine, whole, and named.
"""

from typing import Final

MAX_ITEMS: Final = 10_000
"""Items of a body, those of envelopes inside of it counted together. An event that was cut off counts twice, and so
does one whose bodies its sender left out."""

MAX_INFLATED: Final = 32 * 1024 * 1024
"""Bytes of a body, with everything that base64 and gzip inside of it turn into."""

MAX_KEYS: Final = 1_000
"""Keys at the top level of an item; an event has two dozen."""

MAX_VALUES: Final = 1_000_000
"""JSON values of a body or an item: what is small and many costs far more than its bytes."""

MAX_LAYERS: Final = 8
"""Envelopes around an event. Firehose around CloudWatch Logs around a container's log around an event are four."""

OVER_BOUND: Final = frozenset(("too_many_items", "too_large", "too_many_values"))
"""The reasons of bodies that are over a bound."""

_VALUES = bytes(set(range(256)) - set(b",[{"))
# Below this size MAX_VALUES cannot be passed, and looking would cost every request something.
_SMALL = 4 * MAX_VALUES


class OverBoundError(Exception):
    """A body is over a bound: ``reason`` is a stable word for counters (``too_many_items``, ``too_large``,
    ``too_many_values``), ``detail`` one sentence for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Budget:
    """What is left of the bounds of one body while it is read."""

    __slots__ = ("bytes_left", "items_left")

    def __init__(self, body: bytes) -> None:
        """Raises OverBoundError for a body that is too large as it stands."""
        self.items_left = MAX_ITEMS
        self.bytes_left = MAX_INFLATED
        self.take_bytes(len(body))
        if has_too_many_values(body):
            raise OverBoundError("too_many_values", f"the body holds more than {MAX_VALUES:,} JSON values")

    def take_items(self, count: int = 1) -> None:
        """Count items. Raises OverBoundError for one too many."""
        self.items_left -= count
        if self.items_left < 0:
            raise OverBoundError("too_many_items", f"the body holds more than {MAX_ITEMS:,} items")

    def take_bytes(self, count: int) -> None:
        """Count bytes that were inflated or decoded. Raises OverBoundError for one too many."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise OverBoundError("too_large", f"the body holds more than {MAX_INFLATED:,} bytes when it is inflated")


def has_too_many_values(text: bytes) -> bool:
    """Whether a JSON text may hold more than MAX_VALUES values, by the commas and openings in it; strings count too."""
    return len(text) > _SMALL and len(text.translate(None, _VALUES)) > MAX_VALUES
