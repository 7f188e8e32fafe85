"""For whom a command prints, and how text of strangers is made safe to print."""

from enum import StrEnum


class Output(StrEnum):
    """Text for people, or JSON for scripts."""

    TEXT = "text"
    JSON = "json"


def printable(text: str) -> str:
    """Text of an event with everything escaped that could steer a terminal or break the line."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
