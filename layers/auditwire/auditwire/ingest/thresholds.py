"""Thresholds of a batch: its matches by group, which groups reach theirs, and which could not be judged."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from auditwire.alerts import Occurrence, fold
from auditwire.alerts.message import message_of
from auditwire.alerts.unjudged import Unjudged
from auditwire.thresholds.match import Match, match_of
from auditwire.thresholds.store import Addition, ThresholdStore
from auditwire.thresholds.windows import Key, Windows

MAX_GROUPS: Final = 50
"""How many groups of one batch are judged while its sender waits. The others go to the outbox."""


@dataclass(slots=True)
class Group:
    """The matches of a batch that are counted together, and the events that they are of, in order."""

    first: Match
    members: dict[str, None] = field(default_factory=dict)
    occurrences: list[Occurrence] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """Its group and window."""
        return self.first.group, self.first.window

    @property
    def addition(self) -> Addition:
        """What is added to its window: no more members than close it."""
        one = self.first
        return Addition(
            one.rule, one.at_least, one.within, one.group, one.window, tuple(self.members)[: one.at_least]
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """Which groups reached their threshold, and which could not be judged. A group that the batch reaches by itself can
    be in both. ``problem`` says why something could not be judged."""

    reached: tuple[Group, ...] = ()
    left: tuple[Group, ...] = ()
    problem: str = ""


def groups_of(pending: Iterable[Occurrence], cluster: str, received: datetime) -> list[Group]:
    """The matches of a batch by group and window: higher priorities first, then in order of appearance."""
    groups: dict[Key, Group] = {}
    for one in pending:
        match = match_of(one.rule, one.event, cluster, received)
        if match is not None:
            group = groups.setdefault((match.group, match.window), Group(match))
            group.members[match.member] = None
            group.occurrences.append(one)
    return sorted(groups.values(), key=lambda group: -group.occurrences[0].rule.priority.rank)


def facts_of(group: Group, cluster: str, bundle: str, archive_url: str, told: AbstractSet[Key]) -> Unjudged:
    """A group as what waits in the outbox to be judged, with its alert unless it is among those already ``told``."""
    message = None
    if group.key not in told:
        (alert,) = fold(group.occurrences, cluster=cluster, bundle=bundle, archive_url=archive_url)
        message = message_of(alert)
    return Unjudged(group.addition, cluster, bundle, message)


def judge(groups: Sequence[Group], store: ThresholdStore, deadline: float) -> Judged:
    """Judges the groups of a batch until ``deadline``, in seconds since the epoch."""
    if not groups:
        return Judged()
    alone = Windows()
    for one in groups:
        alone.add(*one.key, one.members, one.first.at_least)
    now, later = groups[:MAX_GROUPS], groups[MAX_GROUPS:]
    added = store.add([one.addition for one in now], deadline)
    counts = dict(zip((one.key for one in now), added.counts, strict=True))
    reached = [
        one
        for one in groups
        if max(counts.get(one.key) or 0, alone.add(*one.key, (), one.first.at_least)) >= one.first.at_least
    ]
    left = [*(one for one in now if counts[one.key] is None), *later]
    problem = added.problem or (f"one batch has more than {MAX_GROUPS} groups" if later else "")
    return Judged(tuple(reached), tuple(left), problem if left else "")
