"""Several rule sets that decide about the same events, one after the other: what they test is tested once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from auditwire.condition.evaluate import Bound
from auditwire.condition.matcher import Matcher
from auditwire.condition.memory import Remembered
from auditwire.events.model import Event
from auditwire.rules.rule_set import Rule, RuleSet, new_binder

_Hits = tuple[int, ...]


class Together(NamedTuple):
    """Rule sets that share a matcher. ``match`` says which rules an event matches, by position, the rules of each set
    behind those of the one before it. Raises as a matcher does."""

    sets: tuple[RuleSet, ...]
    match: Callable[[Event], _Hits]


def matched_together(*sets: RuleSet) -> Together:
    """The same sets with one matcher. Not for threads: what the last event matched is kept until another one comes."""
    binder = new_binder()
    bound = [
        replace(
            one,
            archiving=tuple(Rule(rule.text, binder) for rule in one.archiving),
            alerting=tuple(Rule(rule.text, binder) for rule in one.alerting),
        )
        for one in sets
    ]
    joint = _Joint([[rule.bound for rule in (*one.archiving, *one.alerting)] for one in bound])
    for position, one in enumerate(bound):
        object.__setattr__(one, "_match", joint.matching(position))
    return Together(tuple(bound), joint.match_anew)


class _Joint:
    """One matcher for several lists of conditions."""

    def __init__(self, sets: Sequence[Sequence[Bound]]) -> None:
        self._ends = [0, *accumulate(len(conditions) for conditions in sets)]
        self.match_anew = Matcher([condition for conditions in sets for condition in conditions]).match
        self._parts: Remembered[_Hits, tuple[_Hits, ...]] = Remembered(self._split)
        self._last: Event | None = None
        self._found: _Hits = ()

    def match(self, event: Event) -> _Hits:
        """The conditions of all lists that an event matches. Raises as a matcher does."""
        if event is not self._last:
            self._last = None
            self._found = self.match_anew(event)
            self._last = event
        return self._found

    def matching(self, position: int) -> Callable[[Event], _Hits]:
        """A function from an event to the conditions of one list that it matches. Raises as a matcher does."""

        return lambda event: self._parts[self.match(event)][position]

    def _split(self, hits: _Hits) -> tuple[_Hits, ...]:
        return tuple(tuple(hit - start for hit in hits if start <= hit < end) for start, end in pairwise(self._ends))
