"""For whom a command prints, how text of strangers is made safe to print, and how things are counted."""

from enum import StrEnum


class Output(StrEnum):
    """Text for people, or JSON for scripts."""

    TEXT = "text"
    JSON = "json"


def printable(text: str) -> str:
    """Text of an event with everything escaped that could steer a terminal or break the line; see one_line."""
    if text.isprintable():
        return text
    from auditwire.events.one_line import one_line

    return one_line(text)


def counted(count: int, one: str, many: str) -> str:
    """``1 rule``, ``2,000 rules``."""
    return f"{count:,} {one if count == 1 else many}"
