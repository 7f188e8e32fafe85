"""How often rules alert: by rule, by who did what where, and over time."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from auditwire.analysis.judging import judging
from auditwire.analysis.tally import Counted
from auditwire.analysis.tops import Tops
from auditwire.events import Event, as_stored
from auditwire.events.archived import Provenance
from auditwire.rules.rule_set import RuleSet
from auditwire.senders.kind import SenderKind
from auditwire.thresholds.match import Match, replayed_match
from auditwire.thresholds.windows import Windows

_SEPARATOR: Final = "\x00"
_LONGEST: Final = 200
_HOUR: Final = len("2026-11-21T22")


class Group(NamedTuple):
    """Requests that are alike: who did what to which resource where. Each part is cut to 200 characters."""

    user: str
    verb: str
    resource: str
    subresource: str
    namespace: str


@dataclass(slots=True)
class RuleNoise:
    """The alerts of a rule by group and by hour."""

    groups: Tops = field(default_factory=lambda: Tops(len(Group._fields) * (_LONGEST + 1)))
    hours: Tops = field(default_factory=Tops)

    @property
    def alerts(self) -> int:
        """How many there are, but for those of groups that were left out."""
        return self.groups.counts.total()

    def most(self, count: int) -> list[tuple[Group, int]]:
        """The groups with most alerts."""
        return [(Group(*key.split(_SEPARATOR)), alerts) for key, alerts in self.groups.most(count)]

    def every(self) -> list[tuple[Group, int]]:
        """All groups."""
        return self.most(len(self.groups.counts))


@dataclass(slots=True)
class NoiseTally(Counted):
    """The alerts of all rules, and the time that they are of."""

    rules: dict[str, RuleNoise] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    pending: list[tuple[float, Match, str, str]] = field(default_factory=list)
    """Matches of rules with thresholds until they are judged: order, match, group and hour."""

    def of_rule(self, name: str) -> RuleNoise:
        """The counts of a rule."""
        found = self.rules.get(name)
        if found is None:
            found = self.rules[name] = RuleNoise()
        return found

    @property
    def alerts(self) -> int:
        """How many alerts there are of all rules."""
        return sum(counted.alerts for counted in self.rules.values())

    def merge(self, later: "NoiseTally") -> None:
        """Adds what was counted of later events."""
        self.add_counted(later)
        for name, counted in later.rules.items():
            mine = self.of_rule(name)
            mine.groups.merge(counted.groups)
            mine.hours.merge(counted.hours)
        self.first = min(filter(None, (self.first, later.first)), default="")
        self.last = max(self.last, later.last)
        self.pending += later.pending

    def judge(self) -> None:
        """Judges the thresholds, in order of receipt. An alert is counted for what was done in the event with which a
        threshold was reached."""
        windows = Windows()
        for _, match, key, hour in sorted(self.pending, key=lambda one: one[0]):
            if windows.reach(match):
                counted = self.of_rule(match.rule)
                counted.groups.add(key)
                counted.hours.add(hour)
        self.pending.clear()


class NoiseCounting:
    """Counts the alerts of one set of rules. Remembers nothing of an event."""

    def __init__(self, rules: RuleSet, *, sender: SenderKind | None = None) -> None:
        self._judge = judging(rules, sender=sender)

    def tally(self) -> NoiseTally:
        """Where counts go, empty."""
        return NoiseTally()

    def take(self, event: Event, noted: Provenance | None, tally: NoiseTally) -> None:
        """Counts the alerts of an event. ``noted`` is what the archive noted about it."""
        tally.events += 1
        tally.archived_lines += noted is not None
        time = event.stageTimestamp or ""
        tally.first = time if not tally.first else min(tally.first, time)
        tally.last = max(tally.last, time)
        judged = self._judge(event)
        verdict = judged.verdict
        if not verdict.alerts and not verdict.pending:
            return
        key = _key(event)
        for rule in verdict.pending:
            stored = as_stored(event, judged.level, omit_managed_fields=judged.omit_managed_fields)
            order, match = replayed_match(rule, stored, is_recorded=noted is not None)
            if match is not None:
                tally.pending.append((order, match, key, time[:_HOUR]))
        for rule in verdict.alerts:
            counted = tally.of_rule(rule.qualified)
            counted.groups.add(key)
            counted.hours.add(time[:_HOUR])


def _key(event: Event) -> str:
    about = event.objectRef
    parts = (event.user.username or "", event.verb, about.resource, about.subresource, about.namespace)
    return _SEPARATOR.join(part.replace(_SEPARATOR, "\ufffd")[:_LONGEST] for part in parts)
