"""Conditions of Falco as trees. ``not`` binds more than ``and``, ``and`` more than ``or``; a bare word is a macro."""

import re
from dataclasses import dataclass
from typing import Final

from auditwire_cli.importing.clauses import UntranslatableError


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison of a field. ``function`` is the transformer around it, empty where there is none."""

    field: str
    operator: str
    values: tuple[str, ...] = ()
    function: str = ""


@dataclass(frozen=True, slots=True)
class Negation:
    """Not a condition."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Chain:
    """Conditions joined by ``and`` or by ``or``."""

    word: str
    parts: tuple["Condition", ...]


Condition = Macro | Check | Negation | Chain

WORD_OPERATORS: Final = (
    "contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith", "glob", "iglob", "regex",
    "exists", "in", "intersects", "pmatch",
)  # fmt: skip
_LISTS: Final = ("in", "intersects", "pmatch")
_FIELD: Final = re.compile(r"[a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)+(?:\[[^\]]*\])?|jevt\.value(?:\[[^\]]*\])?")
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]+")
_SIGN: Final = re.compile(r"==|!=|<=|>=|=|<|>")
_QUOTED: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_BARE: Final = re.compile(r"[^\s()\"'=,]+")
_TRANSFORMER: Final = re.compile(r"(tolower|toupper|b64|basename|val|len|join|getopt)\(")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}


def parse(text: str) -> Condition:
    """The tree of a condition. Raises UntranslatableError, which names the place, for what is none."""
    reading = _Reading(text)
    found = reading.either()
    reading.blank()
    if reading.at < len(text):
        raise reading.fail("and, or or the end")
    return found


class _Reading:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def fail(self, wanted: str) -> UntranslatableError:
        near = self.text[self.at : self.at + 30].strip() or "the end"
        return UntranslatableError(f"the condition cannot be read: {wanted} is expected at {near!r}")

    def blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.blank()
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def sign(self, sign: str) -> bool:
        self.blank()
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def word(self, *words: str) -> str:
        """One of these words, if it comes next."""
        self.blank()
        for word in words:
            end = self.at + len(word)
            if self.text.startswith(word, self.at) and (end == len(self.text) or self.text[end] in " \t\r\n()"):
                self.at = end
                return word
        return ""

    def either(self) -> Condition:
        parts = [self.both()]
        while self.word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Chain("or", tuple(parts))

    def both(self) -> Condition:
        parts = [self.one()]
        while self.word("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Chain("and", tuple(parts))

    def one(self) -> Condition:
        if self.word("not"):
            return Negation(self.one())
        if self.sign("("):
            found = self.either()
            if not self.sign(")"):
                raise self.fail(")")
            return found
        return self.check()

    def check(self) -> Condition:
        transformer = self.take(_TRANSFORMER)
        field = self.take(_FIELD)
        if field is None:
            name = self.take(_NAME)
            if name is None or transformer:
                raise self.fail("a field or a macro")
            return Macro(name[0])
        if transformer and not self.sign(")"):
            raise self.fail(")")
        function = transformer[1] if transformer else ""
        operator = self.word(*WORD_OPERATORS)
        if not operator:
            sign = self.take(_SIGN)
            if sign is None:
                if function:
                    raise self.fail("an operator")
                return Macro(field[0])
            operator = sign[0]
        if operator == "exists":
            return Check(field[0], operator, (), function)
        if operator in _LISTS:
            return Check(field[0], operator, self.values(), function)
        return Check(field[0], operator, (self.value(),), function)

    def values(self) -> tuple[str, ...]:
        if not self.sign("("):
            return (self.value(),)
        found: list[str] = []
        while not self.sign(")"):
            found.append(self.value())
            if not self.sign(",") and not self.text[self.at :].lstrip().startswith(")"):
                raise self.fail(", or )")
        return tuple(found)

    def value(self) -> str:
        quoted = self.take(_QUOTED)
        if quoted:
            return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), quoted[1] or quoted[2] or "")
        bare = self.take(_BARE)
        if bare is None:
            raise self.fail("a value")
        return bare[0]
