"""``-k EXPR``: which tests to run, by words in their names joined with and, or, not and parentheses."""

import re
from collections.abc import Callable

from auditwire_cli.errors import UsageError

Selects = Callable[[str], bool]

_TOKEN = re.compile(r"\(|\)|[^\s()]+")


def selects(expression: str) -> Selects:
    """Whether a text matches an expression; an empty one matches all. Raises UsageError for one that cannot be read.

    Words match anywhere in the text, in any case. Words side by side must all match.
    """
    reading = _Reading(_TOKEN.findall(expression))
    if not reading.words:
        return lambda text: True
    found = reading.either()
    if reading.words:
        raise _wrong(reading.words[0])
    return found


class _Reading:
    def __init__(self, words: list[str]) -> None:
        self.words = words

    def either(self) -> Selects:
        parts = [self._both()]
        while self.words[:1] == ["or"]:
            del self.words[0]
            parts.append(self._both())
        return lambda text: any(part(text) for part in parts)

    def _both(self) -> Selects:
        parts = [self._one()]
        while self.words and self.words[0] not in ("or", ")"):
            if self.words[0] == "and":
                del self.words[0]
            parts.append(self._one())
        return lambda text: all(part(text) for part in parts)

    def _one(self) -> Selects:
        word = self.words.pop(0) if self.words else ""
        if word == "not":
            inner = self._one()
            return lambda text: not inner(text)
        if word == "(":
            inner = self.either()
            if self.words[:1] != [")"]:
                raise _wrong("(")
            del self.words[0]
            return inner
        if word in ("", ")", "and", "or"):
            raise _wrong(word or "its end")
        folded = word.lower()
        return lambda text: folded in text.lower()


def _wrong(word: str) -> UsageError:
    return UsageError(
        f"-k cannot be read at {word}", 'write words, and, or, not and parentheses: -k "exec and not gke"'
    )
