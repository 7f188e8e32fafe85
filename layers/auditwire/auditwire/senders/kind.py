"""The kinds of sender: the one table of them."""

from enum import StrEnum


class SenderKind(StrEnum):
    """What kind of sender a credential is registered for, or what kind an event comes from.

    An event always comes from one kind, which the casing of its keys tells. ``ANY`` is for credentials only: it leaves
    the kind to each event. The words stand in the clusters table, in the state file of ``auditwire dev`` and on the
    command line.
    """

    KUBERNETES = "kubernetes"
    KUBESPHERE = "kubesphere"
    ANY = "any"

    @classmethod
    def of(cls, word: str) -> "SenderKind | None":
        """The kind that a word names; None for any other word."""
        return cls._value2member_map_.get(word)  # type: ignore[return-value]  # typed as Enum, not as this one

    @classmethod
    def words(cls) -> str:
        """All words, as an error message lists them."""
        return ", ".join(cls)
