"""Where members are counted: what a store does, and one in memory. The table of a stack is in ``table``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from auditwire.thresholds.windows import Windows


class Addition(NamedTuple):
    """Members of one group and window that are to be counted together. See ``Match``."""

    rule: str
    at_least: int
    within: int
    group: str
    window: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """How many members count now, for each addition; None for what could not be judged. ``problem`` says why, for the
    log."""

    counts: tuple[int | None, ...]
    problem: str = ""


class ThresholdStore(Protocol):
    """Counts members. Adding the same ones again changes nothing."""

    def add(self, additions: Sequence[Addition], deadline: float) -> Added:
        """Adds members, and says how many count, until ``deadline`` in seconds since the epoch. Never raises an error
        for what goes wrong outside."""


class NoThresholds:
    """For callers that have no store: nothing can be judged."""

    def add(self, additions: Sequence[Addition], deadline: float) -> Added:
        """Judges nothing."""
        del deadline
        return Added((None,) * len(additions), "there is no table of thresholds")


@dataclass(slots=True)
class MemoryThresholds:
    """A store in memory, for tests and experiments. Nothing can be judged while it is ``down``."""

    down: bool = False
    windows: Windows = field(default_factory=Windows)
    added: list[Addition] = field(default_factory=list)

    def add(self, additions: Sequence[Addition], deadline: float) -> Added:
        """See ThresholdStore.add."""
        del deadline
        if self.down:
            return Added((None,) * len(additions), "the table is down")
        self.added += additions
        for one in additions:
            self.windows.add(one.group, one.window, one.members, one.at_least)
        return Added(tuple(self.windows.add(one.group, one.window, (), one.at_least) for one in additions))
