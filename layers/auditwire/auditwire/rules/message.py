"""An alert's message: a compiled output, filled in from an event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from auditwire.condition.errors import Finding
from auditwire.condition.evaluate import root_index_of
from auditwire.condition.fields import FieldTable
from auditwire.condition.operators import elements_of
from auditwire.condition.paths import reached, steps_of
from auditwire.condition.syntax import Path
from auditwire.condition.values import text_of
from auditwire.events.one_line import one_line

MAX_BYTES: Final = 1_024
"""The longest message, in bytes of UTF-8. Longer ones are cut and end in an ellipsis."""

_MISSING: Final = "-"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A compiled output: fixed texts, and paths whose values are inserted between them."""

    parts: tuple[str | Path, ...]

    def bind(self, fields: FieldTable) -> Callable[[Any], str]:
        """Returns a function from an event to its message: one line, control characters escaped, at most
        ``MAX_BYTES``."""
        texts = [part if isinstance(part, str) else field_text(part, fields) for part in self.parts]
        return lambda event: shortened(
            "".join(text if isinstance(text, str) else text(event) or _MISSING for text in texts)
        )


def field_text(path: Path, fields: FieldTable) -> Callable[[Any], str]:
    """Returns a function from an event to the text of a field. Arrays are joined with ", ", missing is empty."""
    field = fields.resolve(path)
    if isinstance(field, Finding):
        raise TypeError(field.message)
    steps = steps_of(field.rest, root_index_of(path, field))
    load = field.load

    def render(event: Any) -> str:
        values = [value for value in elements_of([reached(load(event), steps)]) if value != ""]
        return ", ".join(text_of(value) for value in values)

    return render


def shortened(text: str) -> str:
    """The text as one line of at most ``MAX_BYTES`` (see one_line). A longer one is cut and ends in an ellipsis."""
    line = one_line(text[: MAX_BYTES * 2])
    if len(line.encode()) <= MAX_BYTES:
        return line
    return line.encode()[: MAX_BYTES - 3].decode(errors="ignore") + "…"
