"""What is fuzzed: a function of bytes that may only end in the ways it documents."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from random import Random

Mutate = Callable[[Random, list[bytes]], bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """One entrance of the library.

    ``run`` takes one input, turns the documented errors into an outcome and lets every other exception through; a
    broken promise is an AssertionError. Inputs with a new outcome join the corpus, which begins with ``seeds`` and from
    which ``mutate`` makes the next input. ``share`` weighs the time it gets, ``seconds`` is the CPU time one input may
    take.
    """

    name: str
    run: Callable[[bytes], Hashable]
    seeds: Callable[[], list[bytes]]
    mutate: Mutate
    share: float = 1.0
    seconds: float = 1.0
