"""Several rule sets that decide about the same events, one after the other: what they test is tested once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from auditwire.condition.evaluate import Bound
from auditwire.condition.matcher import Matcher
from auditwire.condition.memory import Remembered
from auditwire.events.model import Event
from auditwire.rules.rule_set import Rule, RuleSet, new_binder

_Hits = tuple[int, ...]


def matched_together(*sets: RuleSet) -> tuple[RuleSet, ...]:
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
    return tuple(bound)


class _Joint:
    """One matcher for several lists of conditions."""

    def __init__(self, sets: Sequence[Sequence[Bound]]) -> None:
        self._ends = [0, *accumulate(len(conditions) for conditions in sets)]
        self._match = Matcher([condition for conditions in sets for condition in conditions]).match
        self._parts: Remembered[_Hits, tuple[_Hits, ...]] = Remembered(self._split)
        self._last: Event | None = None
        self._found: tuple[_Hits, ...] = ()

    def matching(self, position: int) -> Callable[[Event], _Hits]:
        """A function from an event to the conditions of one list that it matches. Raises as a matcher does."""

        def match(event: Event) -> _Hits:
            if event is not self._last:
                self._last = None
                self._found = self._parts[self._match(event)]
                self._last = event
            return self._found[position]

        return match

    def _split(self, hits: _Hits) -> tuple[_Hits, ...]:
        return tuple(tuple(hit - start for hit in hits if start <= hit < end) for start, end in pairwise(self._ends))
