"""For whom a command prints."""

from enum import StrEnum


class Output(StrEnum):
    """Text for people, or JSON for scripts."""

    TEXT = "text"
    JSON = "json"
