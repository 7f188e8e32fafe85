"""Counting words that others choose, in bounded memory."""

from collections import Counter
from typing import Final

MAX_WORDS: Final = 20_000
_LONGEST: Final = 256


class Tops:
    """Counts of words, such as user names. What is counted most often is exact, or at most ``left_out`` too small.

    When there are more than MAX_WORDS different words, the rarer half is forgotten.
    """

    __slots__ = ("counts", "left_out", "longest")

    def __init__(self, longest: int = _LONGEST) -> None:
        self.longest = longest
        self.counts: Counter[str] = Counter()
        self.left_out = 0

    def add(self, word: str, count: int = 1) -> None:
        """Counts a word; only its first characters matter, as many as the longest may have."""
        self.counts[word[: self.longest]] += count
        if len(self.counts) > MAX_WORDS:
            self._forget()

    def merge(self, other: "Tops") -> None:
        """Adds the counts of another one."""
        self.left_out += other.left_out
        for word, count in other.counts.items():
            self.add(word, count)

    def most(self, count: int) -> list[tuple[str, int]]:
        """The words that were counted most often, the first word of the alphabet first where counts are equal."""
        return sorted(self.counts.items(), key=_rank)[:count]

    def _forget(self) -> None:
        kept = self.most(MAX_WORDS // 2)
        # A forgotten word may come back: then this much of it may be missing.
        self.left_out += min(count for _, count in kept)
        self.counts = Counter(dict(kept))


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
