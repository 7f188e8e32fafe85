"""What a replay counts: small, and the sum of its parts, so that parts can be counted by several processes."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from auditwire.analysis.example import MAX_EXAMPLES, Example, shown
from auditwire.analysis.pending import Pending, alerts_of
from auditwire.analysis.tops import Tops

MAX_PLACES: Final = 20

Kind = Literal["gained", "lost", "changed"]


@dataclass(slots=True)
class RuleTally:
    """The alerts of one rule: with the old rules, with the new ones, and what became of each.

    ``recorded`` and ``repeated`` are about the archive: matches that it recorded, and those of them that the old rules
    give again. ``missing`` counts the others by reason.
    """

    old: int = 0
    new: int = 0
    gained: int = 0
    lost: int = 0
    changed: int = 0
    recorded: int = 0
    repeated: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    examples: dict[Kind, list[Example]] = field(default_factory=dict)

    def wants(self, kind: Kind) -> bool:
        """Whether there is room for one more example of this kind."""
        return len(self.examples.get(kind, ())) < MAX_EXAMPLES

    def merge(self, later: "RuleTally") -> None:
        """Adds what was counted of later events."""
        self.old += later.old
        self.new += later.new
        self.gained += later.gained
        self.lost += later.lost
        self.changed += later.changed
        self.recorded += later.recorded
        self.repeated += later.repeated
        self.missing.update(later.missing)
        for kind, examples in later.examples.items():
            mine = self.examples.setdefault(kind, [])
            mine += examples[: MAX_EXAMPLES - len(mine)]


@dataclass(slots=True)
class Noise:
    """Whose and which requests alert: counts of alerts by user and by namespace."""

    users: Tops = field(default_factory=Tops)
    namespaces: Tops = field(default_factory=Tops)

    def add(self, user: str, namespace: str, alerts: int) -> None:
        """Counts alerts."""
        if alerts:
            self.users.add(user, alerts)
            self.namespaces.add(namespace, alerts)

    def merge(self, other: "Noise") -> None:
        """Adds the counts of another one."""
        self.users.merge(other.users)
        self.namespaces.merge(other.namespaces)


@dataclass(slots=True)
class Counted:
    """How many events were looked at, and what else there was. ``unreadable`` counts stored objects that could not be
    read."""

    events: int = 0
    archived_lines: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    unreadable_places: list[str] = field(default_factory=list)

    def note_unreadable(self, sentence: str) -> None:
        """Counts something stored that could not be read; the first sentences are kept."""
        self.unreadable += 1
        if len(self.unreadable_places) < MAX_PLACES:
            self.unreadable_places.append(sentence)

    def close(self) -> None:
        """Adds up what was only noted so far. Called when a part of the events has been counted."""

    def judge(self) -> None:
        """Judges the thresholds. Called once, when all events have been counted."""

    def add_counted(self, later: "Counted") -> None:
        """Adds what was counted of later events."""
        self.events += later.events
        self.archived_lines += later.archived_lines
        self.rejects.update(later.rejects)
        self.skipped.update(later.skipped)
        self.unreadable += later.unreadable
        self.unreadable_places += later.unreadable_places[: MAX_PLACES - len(self.unreadable_places)]


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """The rules that alert on each side. Each is one of its kind, so counting one takes no time."""

    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(slots=True)
class Tally(Counted):
    """What two sets of rules decided about the same events.

    ``outcomes`` counts pairs of outcomes, old and new. ``dropped`` are events that were archived and no longer are, by
    reason and by request. ``levels`` counts archived events whose stored level differs, as pairs. ``errors`` counts the
    events that a rule could not judge, by side and rule. ``excepted`` counts the matches that raised no alert, by side
    and exception. ``pending`` are matches of rules with thresholds, until they are judged.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: dict[str, RuleTally] = field(default_factory=dict)
    old: Noise = field(default_factory=Noise)
    new: Noise = field(default_factory=Noise)
    dropped: Counter[str] = field(default_factory=Counter)
    dropped_requests: Tops = field(default_factory=Tops)
    dropped_examples: list[Example] = field(default_factory=list)
    levels: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    excepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    alike: Counter[Alike] = field(default_factory=Counter)
    who: Counter[tuple[str, str, int, int]] = field(default_factory=Counter)
    gone: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    pending: list[Pending] = field(default_factory=list)
    judged: int = 0
    """How many matches of rules with thresholds were judged."""

    def of_rule(self, name: str) -> RuleTally:
        """The counts of a rule."""
        found = self.rules.get(name)
        if found is None:
            found = self.rules[name] = RuleTally()
        return found

    def close(self) -> None:
        """Adds up what was only noted so far: ``alike``, the rules that alert on each side; ``who``, the user, the
        namespace, and how many alerts there are on each side; and ``gone``, verb, resource and subresource of what is
        no longer archived."""
        for (verb, resource, below), events in self.gone.items():
            what = "/".join(part for part in (resource, below) if part) or "a path"
            self.dropped_requests.add(shown(f"{verb} {what}"), events)
        self.gone.clear()
        for alike, events in self.alike.items():
            for name in alike.old:
                self.of_rule(name).old += events
                self.of_rule(name).lost += 0 if name in alike.new else events
            for name in alike.new:
                self.of_rule(name).new += events
                self.of_rule(name).gained += 0 if name in alike.old else events
        for (user, namespace, old, new), events in self.who.items():
            self.old.add(user, namespace, old * events)
            self.new.add(user, namespace, new * events)
        self.alike.clear()
        self.who.clear()

    def merge(self, later: "Tally") -> None:
        """Adds what was counted of later events."""
        self.add_counted(later)
        self.outcomes.update(later.outcomes)
        for name, counted in later.rules.items():
            self.of_rule(name).merge(counted)
        self.old.merge(later.old)
        self.new.merge(later.new)
        self.dropped.update(later.dropped)
        self.dropped_requests.merge(later.dropped_requests)
        self.dropped_examples += later.dropped_examples[: MAX_EXAMPLES - len(self.dropped_examples)]
        self.levels.update(later.levels)
        self.errors.update(later.errors)
        self.excepted.update(later.excepted)
        self.pending += later.pending

    def judge(self) -> None:
        """Judges the thresholds of both sides, in order of receipt. Each alert is one of a group and window."""
        for alert in alerts_of(self.pending):
            one = alert.match
            counted = self.of_rule(one.rule)
            counted.old += alert.old
            counted.new += alert.new
            self.old.add(one.user, one.namespace, int(alert.old))
            self.new.add(one.user, one.namespace, int(alert.new))
            kind: Kind = "changed" if alert.old and alert.new else "gained" if alert.new else "lost"
            if kind == "changed" and not one.differs:
                continue
            if kind == "gained":
                counted.gained += 1
            elif kind == "lost":
                counted.lost += 1
            else:
                counted.changed += 1
            if counted.wants(kind):
                before, after = (one.before if alert.old else "", one.after if alert.new else "")
                counted.examples.setdefault(kind, []).append(replace(one.example, before=before, after=after))
        self.judged += len(self.pending)
        self.pending.clear()
