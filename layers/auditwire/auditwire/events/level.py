"""The four audit levels of audit.k8s.io/v1, in order: how much of a request an event contains."""

from enum import StrEnum


class Level(StrEnum):
    """An audit level. Levels compare by how much they keep: None < Metadata < Request < RequestResponse."""

    NONE = "None"
    METADATA = "Metadata"
    REQUEST = "Request"
    REQUEST_RESPONSE = "RequestResponse"

    @classmethod
    def of(cls, text: str) -> "Level":
        """The level that a text names. An unknown name counts as the highest level, so that a limit still trims the
        event."""
        return cls(text) if cls.knows(text) else cls.REQUEST_RESPONSE

    @classmethod
    def knows(cls, text: str) -> bool:
        """Whether a text names a level."""
        return text in _RANKS

    @property
    def rank(self) -> int:
        """Its position in the order, 0 for None."""
        return _RANKS[self.value]

    # A StrEnum inherits the comparisons of str, which would order the levels alphabetically.
    def __lt__(self, other: str) -> bool:
        return self.rank < Level(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Level(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Level(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Level(other).rank


_RANKS = {level.value: rank for rank, level in enumerate(Level)}

LEVELS = frozenset(_RANKS)
"""The names of all levels."""
