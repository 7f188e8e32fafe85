"""Guessing which word a user meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

# Comparing takes time that grows with the square of a word's length, and both sides may come from a stranger.
_MAX_LENGTH = 64
_MAX_WORDS = 300


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known word that is most like ``word``, in its own spelling; None if none is similar.

    Case does not count. ``likeness`` is how much of the words must agree, from 0 to 1. Only the first 64 characters of
    ``word`` and the first 300 known words are compared.
    """
    spelling: dict[str, str] = {}
    for one in islice(known, _MAX_WORDS):
        spelling.setdefault(one.lower(), one)
    near = get_close_matches(word[:_MAX_LENGTH].lower(), spelling, n=1, cutoff=likeness)
    return spelling[near[0]] if near else None
