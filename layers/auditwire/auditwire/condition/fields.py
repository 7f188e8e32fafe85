"""What a condition may name: the seam between the language and the events it looks at.

The language knows paths; a ``FieldTable`` knows which paths an event has and how to load them. The audit event's
table is ``auditwire.rules.fields``; ``FreeFields`` looks at plain nested dictionaries.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from auditwire.condition.errors import Finding
from auditwire.condition.syntax import Path, Segment

Depends = Callable[[Any, AbstractSet[str]], bool]
"""Whether something about an event depends on the members of it that are unknown."""


class Kind(Enum):
    """What a loaded field can be."""

    TEXT = "a text that is never missing"
    OPTIONAL_TEXT = "a text or missing"
    NUMBER = "an integer or missing"
    TEXTS = "an array of texts or missing"
    JSON = "any JSON value"


@dataclass(frozen=True, slots=True)
class Field:
    """How to load a path: ``load`` takes the event, ``rest`` are the segments left to look up in what it gives.

    ``expression`` is the same load as Python source over the name ``event``, where there is one: what generated
    code uses. A ``TEXT`` loads as a string, ``""`` standing for absent. ``name`` is how the field is documented,
    whatever casing the path used; empty where names are free. ``repeats``: events share few values of it, so that it
    pays to remember what follows from a value. ``members`` are the top-level members of an event that its value comes
    from: where one of them is unknown, so is the field.
    """

    kind: Kind
    load: Callable[[Any], Any]
    rest: tuple[Segment, ...]
    expression: str | None = None
    name: str = ""
    repeats: bool = False
    members: frozenset[str] = frozenset()
    depends: Depends | None = None
    """Whether the field of an event depends on the members that are unknown; None if it always does."""
    only_where: "tuple[tuple[Field, frozenset[str]], ...]" = ()
    """Other fields, each with values: where one of them has another value, this field is missing."""

    def is_unknown(self, event: Any, unknown: AbstractSet[str]) -> bool:
        """Whether nobody can say what the field is, where these members of the event are not known."""
        if self.members.isdisjoint(unknown):
            return False
        return self.depends is None or self.depends(event, unknown)


class FieldTable(Protocol):
    """Resolves paths, once, when a condition is compiled."""

    def resolve(self, path: Path) -> Field | Finding:
        """The field a path names, or the finding (AW102, AW112) that says why there is none."""


class FreeFields:
    """Fields of plain nested dictionaries: every name, exact case, nothing defaulted."""

    def resolve(self, path: Path) -> Field:
        """Every path is a field."""
        return Field(Kind.JSON, lambda event: event, path.segments, "event")
