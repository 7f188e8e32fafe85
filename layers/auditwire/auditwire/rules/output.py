"""Outputs: the template of an alert's message."""

import re
from collections.abc import Callable
from typing import Any, Final

from auditwire.condition.errors import Finding
from auditwire.condition.evaluate import root_index_of
from auditwire.condition.fields import FieldTable
from auditwire.condition.paths import Step, find, steps_of
from auditwire.condition.syntax import AnyElement, Boolean, Number, Path
from auditwire.condition.values import text_of
from auditwire.rules.definitions import Definitions
from auditwire.rules.document import RuleDocument

MAX_BYTES: Final = 1_024
"""Bytes of UTF-8 a message may have; longer ones are cut and end in an ellipsis."""

_PLACEHOLDER: Final = re.compile(r"\$\{([^{}\"\s]+)\}")
_MISSING: Final = "-"

Part = Callable[[Any], str]


class Template:
    """An output ready to be filled in. ``findings`` are what is wrong with it (AW106, AW212)."""

    def __init__(self, text: str, document: RuleDocument, definitions: Definitions, fields: FieldTable) -> None:
        self.findings: list[Finding] = []
        self._parts: list[str | Part] = []
        position = 0
        for match in _PLACEHOLDER.finditer(text):
            self._parts.append(text[position : match.start()])
            self._parts.append(self._placeholder(match, document, definitions, fields))
            position = match.end()
        self._parts.append(text[position:])

    def fill(self, event: Any) -> str:
        """The message for an event: one line, control characters escaped, at most ``MAX_BYTES`` long."""
        return one_line("".join(part if isinstance(part, str) else part(event) for part in self._parts))

    def _placeholder(
        self, match: re.Match[str], document: RuleDocument, definitions: Definitions, fields: FieldTable
    ) -> str | Part:
        shown = definitions.output_field(document, match[1])
        if isinstance(shown, Finding):
            code = "AW212" if shown.code == "AW105" else shown.code
            self.findings.append(Finding(code, shown.message, shown.hint, match.start()))
            return match[0]
        if isinstance(shown, Path):
            return field_text(shown, fields)
        return ", ".join(_literal_text(literal) for literal in shown)


def field_text(path: Path, fields: FieldTable) -> Part:
    """A function from an event to the text of a field: arrays joined with ", ", missing as ``-``."""
    field = fields.resolve(path)
    if isinstance(field, Finding):
        raise TypeError(field.message)
    steps = steps_of(field.rest, root_index_of(path, field))
    load = field.load

    def render(event: Any) -> str:
        values = list(_leaves(_reached(load(event), steps, 0)))
        return ", ".join(text_of(value) for value in values) if values else _MISSING

    return render


def one_line(text: str) -> str:
    """The text as one line of at most ``MAX_BYTES``: control and line-separating characters escaped, the rest cut."""
    safe = "".join(
        character if _is_printable(character) else _escaped(character) for character in text[: MAX_BYTES * 2]
    )
    if len(safe.encode()) <= MAX_BYTES:
        return safe
    return safe.encode()[: MAX_BYTES - 3].decode(errors="ignore") + "…"


def _reached(value: Any, steps: tuple[Step, ...], position: int) -> Any:
    """What a path reaches; several values where an index selects several. What cannot be reached is missing."""
    step = steps[position]
    value = find(value, step.keys)
    if step.index is None:
        return value
    if not isinstance(value, list):
        return None
    selected = value if isinstance(step.index, AnyElement) else value[step.index.start : step.index.stop]
    if position == len(steps) - 1:
        return selected
    return [_reached(element, steps, position + 1) for element in selected]


def _leaves(value: Any) -> Any:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None and value != "":
        yield value


def _literal_text(literal: Any) -> str:
    if isinstance(literal, Number):
        return literal.spelling
    return str(literal.value).lower() if isinstance(literal, Boolean) else literal.value


def _is_printable(character: str) -> bool:
    # str.isprintable is false for every control, format, separator and surrogate code point, but also for spaces
    # other than the plain one, which a log or a chat line should not break at either.
    return character.isprintable()


def _escaped(character: str) -> str:
    code = ord(character)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(
        character, f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
