"""Conditions put together from tests, whose text means the same however ``and``, ``or`` and ``not`` are read."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from auditwire.condition.quoting import quote
from auditwire.events.one_line import one_line

NOTHING: Final = "nothing"
"""The name of the empty list that a condition needs which always or never holds."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test, as text."""

    __test__ = False

    text: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The text of a field is one of these, each spelled as it stands in a list."""

    field: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class No:
    """Holds where its part does not."""

    part: "Clause"


@dataclass(frozen=True, slots=True)
class All:
    """Holds where every part does."""

    parts: tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Holds where some part does."""

    parts: tuple["Clause", ...]


Clause = Test | OneOf | No | All | Some

# Fields that are never anything but a text, so that = says the same as in.
_TEXT_FIELD: Final = re.compile(
    r"(?:lower\()?(?:Verb|Stage|Level|RequestURI|UserAgent|User\.Username|ImpersonatedUser\.Username|ObjectRef\.\w+)\)?"
)
ALWAYS: Final = All(())
NEVER: Final = Some(())


class UntranslatableError(Exception):
    """Something that a condition of ours cannot say. The message names the word."""


def all_of(parts: Iterable[Clause]) -> Clause:
    """Every part; what always holds is left out, and one that never does makes the whole so."""
    flat = [part for each in parts for part in (each.parts if isinstance(each, All) else (each,))]
    if NEVER in flat:
        return NEVER
    flat = list(dict.fromkeys(flat))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def some_of(parts: Iterable[Clause]) -> Clause:
    """Some part, in the same way."""
    flat = [part for each in parts for part in (each.parts if isinstance(each, Some) else (each,))]
    if ALWAYS in flat:
        return ALWAYS
    flat = list(dict.fromkeys(_merged(flat)))
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def _merged(parts: list[Clause]) -> list[Clause]:
    """The parts, those about the same field in one list."""
    merged: list[Clause] = []
    at: dict[str, int] = {}
    for part in parts:
        earlier = merged[at[part.field]] if isinstance(part, OneOf) and part.field in at else None
        if isinstance(part, OneOf) and isinstance(earlier, OneOf):
            merged[at[part.field]] = OneOf(part.field, tuple(dict.fromkeys((*earlier.items, *part.items))))
            continue
        if isinstance(part, OneOf):
            at[part.field] = len(merged)
        merged.append(part)
    return merged


def negated(part: Clause) -> Clause:
    """Not this part."""
    if part in (ALWAYS, NEVER):
        return NEVER if part == ALWAYS else ALWAYS
    return part.part if isinstance(part, No) else No(part)


def spelled(clause: Clause) -> str:
    """The clause as a condition, with every parenthesis."""
    if clause == ALWAYS:
        return f"not (Verb in ${{{NOTHING}}})"
    if clause == NEVER:
        return f"Verb in ${{{NOTHING}}}"
    match clause:
        case Test(text):
            return text
        case OneOf(field, (item,)) if _TEXT_FIELD.fullmatch(field) and item.startswith('"'):
            return f"{field} = {item}"
        case OneOf(field, items):
            return f"{field} in ({', '.join(items)})"
        case No(part):
            return f"not ({spelled(part)})"
        case All(parts):
            return " and ".join(_operand(part) for part in parts)
        case Some(parts):
            return " or ".join(_operand(part) for part in parts)


def _operand(part: Clause) -> str:
    return spelled(part) if isinstance(part, Test | OneOf) else f"({spelled(part)})"


def is_one_of(field: str, values: Sequence[str], *, plain: bool = False) -> Clause:
    """The text of a field is one of these, which are compared as they stand; ``plain`` ones are numbers."""
    # No string literal can end with a backslash.
    even = [value if plain else literal(value) for value in values if not value.endswith("\\")]
    odd = [value for value in values if value.endswith("\\")]
    parts: list[Clause] = [OneOf(field, tuple(even))] if even else []
    parts += [Test(f"{field} regex {literal(f'(?s)^{as_regex(value)}$')}") for value in odd]
    return some_of(parts)


def has(field: str, operator: str, value: str) -> Clause:
    """A field contains, startswith or endswith a text; each does with an empty one if it is there."""
    if not value:
        return Test(f"{field} exists")
    if value.endswith("\\"):
        begin, end = {"contains": ("", ""), "startswith": ("^", ""), "endswith": ("", "$")}[operator]
        return Test(f"{field} regex {literal(f'(?s){begin}{as_regex(value)}{end}')}")
    return Test(f"{field} {operator} {literal(value)}")


def as_regex(value: str) -> str:
    """A regular expression for exactly this text."""
    return "".join(map(_as_regex, value))


def _as_regex(sign: str) -> str:
    if sign.isalnum() or sign in "_ /-:,@%&=\"'":
        return sign
    return f"\\{sign}" if sign in "^\\[]" else f"[{sign}]"


def literal(value: str) -> str:
    """A string literal. Raises UntranslatableError for what none can hold."""
    if one_line(value) != value:
        raise UntranslatableError(f"the value {one_line(value)[:60]!r} has characters that no text of a rule can hold")
    return quote(value)
