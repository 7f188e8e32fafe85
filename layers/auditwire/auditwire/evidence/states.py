"""What verifying says: of seals, of objects, of spans of time, and of the whole."""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

SealState = Literal[
    "valid", "bad_signature", "unknown_key", "malformed", "moved", "missing", "broken_chain", "restarted"
]
"""``missing``: its number is skipped. ``broken_chain``: it does not name the seal before it. ``restarted``: it names
none, though there is one. ``moved``: it says that it belongs elsewhere."""

ObjectState = Literal["valid", "changed", "missing", "expired", "unsealed", "pending", "duplicate"]
"""``expired``: gone, past the retention that its seal names. ``unsealed``: there, and in no good seal; ``pending``: the
same, but so young that the next seal may name it; ``duplicate``: the same, with the bytes of a sealed one."""

SpanState = Literal["sealed", "gap", "unsealed", "before_first"]
"""``gap``: a seal says that nobody sealed then. ``unsealed``: no seal says anything."""


class Outcome(IntEnum):
    """The whole, as the exit code of the command."""

    INTACT = 0
    TAMPERED = 1
    INCOMPLETE = 3


@dataclass(frozen=True, slots=True)
class SealReport:
    """What there is to say of one seal; ``detail`` is a sentence, empty where all is well."""

    cluster: str
    number: int
    state: SealState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """What there is to say of one object. ``held`` says what its seal says was in it."""

    key: str
    state: ObjectState
    detail: str = ""
    held: str = ""


@dataclass(frozen=True, slots=True)
class SpanReport:
    """What there is to say of a span of arrivals; an empty ``start`` is the beginning of time."""

    cluster: str
    start: str
    end: str
    state: SpanState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HeadReport:
    """The last seal of a chain that holds: who keeps this elsewhere can tell later whether it is still there."""

    cluster: str
    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that may interest, and decides nothing."""

    text: str


Report = SealReport | ObjectReport | SpanReport | HeadReport | Note

_TAMPERED = frozenset(
    (
        *(("seal", state) for state in ("bad_signature", "unknown_key", "malformed", "moved", "missing")),
        *(("seal", state) for state in ("broken_chain", "restarted")),
        *(("object", state) for state in ("changed", "missing")),
    )
)
_INCOMPLETE = frozenset(
    (
        *(("object", state) for state in ("unsealed", "pending", "duplicate")),
        *(("span", state) for state in ("gap", "unsealed")),
    )
)


@dataclass(slots=True)
class Tally:
    """Counts of kind (``seal``, ``object``, ``span``) and state, and what they come to."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, report: Report) -> None:
        """Counts a report."""
        match report:
            case SealReport():
                self.counts["seal", report.state] += 1
            case ObjectReport():
                self.counts["object", report.state] += 1
            case SpanReport():
                self.counts["span", report.state] += 1

    def total(self, kind: str) -> int:
        """How many there are of a kind."""
        return sum(count for (of, _), count in self.counts.items() if of == kind)

    @property
    def outcome(self) -> Outcome:
        """The whole."""
        if self.counts.keys() & _TAMPERED:
            return Outcome.TAMPERED
        return Outcome.INCOMPLETE if self.counts.keys() & _INCOMPLETE else Outcome.INTACT
