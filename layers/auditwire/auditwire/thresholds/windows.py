"""Counting matches in memory, window by window. Pure; the table of a stack does the same.

Windows follow each other without gaps. What is counted for a match are the different members of its window and of one
neighbour, the earlier or the later. So as many matches as a threshold asks for, within its time, always reach it, at
whatever moment they begin and in whatever order they come. Matches that are spread over more than twice that time never
do. A window is closed once it has as many members as its threshold asks for: nothing is added any more.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from auditwire.thresholds.match import Match

Key = tuple[str, int]
"""A group, and the number of a window."""


def counted(own: AbstractSet[str], before: AbstractSet[str], after: AbstractSet[str]) -> int:
    """How many matches count in a window with these members, and these in its neighbours."""
    return max(len(own | before), len(own | after))


class Windows:
    """Members of groups by window. Not bounded: for matches that are held in memory anyway."""

    def __init__(self) -> None:
        self._members: dict[Key, set[str]] = {}
        self._told: set[Key] = set()

    def add(self, group: str, window: int, members: Collection[str], at_least: int) -> int:
        """Adds members to a window unless it is closed. Returns how many count then."""
        own = self._members.setdefault((group, window), set())
        if len(own) < at_least:
            own.update(members)
        none: set[str] = set()
        return counted(own, self._members.get((group, window - 1), none), self._members.get((group, window + 1), none))

    def reach(self, match: Match) -> bool:
        """Adds a match. Returns whether it is the first with which its group reaches the threshold in its window."""
        is_reached = self.add(match.group, match.window, (match.member,), match.at_least) >= match.at_least
        key = match.group, match.window
        if not is_reached or key in self._told:
            return False
        self._told.add(key)
        return True
