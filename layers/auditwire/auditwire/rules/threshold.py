"""Thresholds: rules that alert once many events of a group match within some time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditwire.condition.syntax import Path
from auditwire.rules.message import field_text

if TYPE_CHECKING:
    from auditwire.condition.fields import FieldTable
    from auditwire.events.model import Event

MAX_AT_LEAST: Final = 1_000
"""How many matches, or different values, a threshold may ask for."""

MAX_BY: Final = 4
"""How many fields a group may have."""

MAX_WITHIN: Final = 24 * 3600
"""The longest time that a threshold may look at, in seconds."""

_UNITS: Final = ((3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How many matches, or how many different values of ``distinct``, make a rule alert: ``at_least`` within ``within``
    seconds, among matches that are alike in all fields ``by``. Paths have the documented spelling."""

    at_least: int
    within: int
    by: tuple[Path, ...] = ()
    distinct: Path | None = None

    def as_text(self) -> str:
        """For people: ``10 different values of ObjectRef.Name within 5m, by User.Username``."""
        what = "matches" if self.distinct is None else f"different values of {self.distinct.text}"
        by = f", by {' and '.join(path.text for path in self.by)}" if self.by else ""
        return f"{self.at_least:,} {what} within {duration_text(self.within)}{by}"

    def bind(self, fields: "FieldTable") -> "BoundThreshold":
        """The threshold ready to read events."""
        value = None if self.distinct is None else field_text(self.distinct, fields)
        return BoundThreshold(self, {path.text: field_text(path, fields) for path in self.by}, value)


@dataclass(frozen=True, slots=True)
class BoundThreshold:
    """A threshold that reads its group and its value from events, as they are stored."""

    text: Threshold
    _by: Mapping[str, Callable[[Any], str]]
    _value: Callable[[Any], str] | None

    def group(self, event: "Event") -> dict[str, str]:
        """The group that a match belongs to: the texts of its fields, by their names; empty for what is missing."""
        return {name: text(event) for name, text in self._by.items()}

    def counted(self, event: "Event") -> str:
        """What is counted of a match: the digest of the event, or the value that must differ. Empty if it has none, and
        then the match does not count."""
        return event.digest if self._value is None else self._value(event)


def duration_text(seconds: int) -> str:
    """A time as a rule says it: ``90s``, ``10m``, ``24h``."""
    unit, letter = next(one for one in _UNITS if seconds % one[0] == 0)
    return f"{seconds // unit}{letter}"
