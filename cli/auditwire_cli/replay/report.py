"""The report of a replay as data: what is shown, in which order, and what is only known with a reservation."""

from dataclasses import dataclass, field
from typing import Any, Final

from auditwire.analysis.example import Example
from auditwire.analysis.recorded import NOT_COMPARABLE
from auditwire.analysis.tally import RuleTally, Tally

TOP: Final = 10


@dataclass(frozen=True, slots=True)
class Side:
    """One set of rules: what people call it, its digest, and the names of its exceptions."""

    name: str
    digest: str
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What became of the alerts of a rule. Of a rule that is not ``comparable`` nothing counts as lost: the archive
    keeps too little to give its alerts again."""

    name: str
    counts: RuleTally

    @property
    def comparable(self) -> bool:
        """Whether what the archive keeps is enough to give the recorded alerts again."""
        return NOT_COMPARABLE.isdisjoint(self.counts.missing)

    @property
    def lost(self) -> int:
        """The alerts that the new rules do not give."""
        return self.counts.lost if self.comparable else 0

    @property
    def differs(self) -> bool:
        """Whether there is anything to say about the rule but how often it alerts."""
        counted = self.counts
        return bool(counted.gained or counted.lost or counted.changed)

    def as_json(self) -> dict[str, Any]:
        """The row for ``--format json``."""
        counted = self.counts
        return {
            "rule": self.name,
            "old": counted.old,
            "new": counted.new,
            "gained": counted.gained,
            "lost": self.lost,
            "changed": counted.changed,
            "comparable": self.comparable,
            "recorded": counted.recorded,
            "repeated": counted.repeated,
            "missing": {str(reason): count for reason, count in sorted(counted.missing.items())},
            "examples": {
                kind: [example.as_json() for example in examples] for kind, examples in sorted(counted.examples.items())
            },
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay found. ``budget`` is how many alerts may be gained, None for any number."""

    old: Side
    new: Side
    tally: Tally
    budget: int | None = None
    seconds: float = 0.0
    rows: tuple[RuleRow, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = [RuleRow(name, counts) for name, counts in self.tally.rules.items()]
        rows.sort(key=lambda row: (-row.counts.gained, -row.lost, -row.counts.changed, -row.counts.new, row.name))
        object.__setattr__(self, "rows", tuple(rows))

    @property
    def gained(self) -> int:
        """How many alerts only the new rules give."""
        return sum(row.counts.gained for row in self.rows)

    @property
    def lost(self) -> int:
        """How many alerts only the old rules give, of comparable rules."""
        return sum(row.lost for row in self.rows)

    @property
    def changed(self) -> int:
        """How many alerts both give, with another message, priority, label or annotation."""
        return sum(row.counts.changed for row in self.rows)

    def exceptions(self) -> list[tuple[str, int | None, int | None]]:
        """Every exception with the matches that it silenced with the old and with the new rules; None where it is not
        among them."""
        names = sorted({*self.old.exceptions, *self.new.exceptions})
        silenced = self.tally.excepted
        return [
            (
                name,
                silenced["old", name] if name in self.old.exceptions else None,
                silenced["new", name] if name in self.new.exceptions else None,
            )
            for name in names
        ]

    @property
    def over_budget(self) -> bool:
        """Whether more alerts are gained than may be."""
        return self.budget is not None and self.gained > self.budget

    @property
    def recorded(self) -> int:
        """How many matches of alerting rules the archive recorded."""
        return sum(row.counts.recorded for row in self.rows)

    @property
    def not_repeated(self) -> list[tuple[str, str, int]]:
        """The recorded matches that the old rules do not give again: rule, reason, and how many."""
        found = [
            (row.name, str(reason), count) for row in self.rows for reason, count in sorted(row.counts.missing.items())
        ]
        return sorted(found, key=lambda one: (-one[2], one[0], one[1]))

    @property
    def not_comparable(self) -> list[RuleRow]:
        """The rules whose alerts the archive cannot give again."""
        return sorted((row for row in self.rows if not row.comparable), key=lambda row: row.name)

    def outcome(self, old: str, new: str) -> int:
        """How many events had one outcome and have another now."""
        return self.tally.outcomes[old, new]

    def archived(self, side: int) -> int:
        """How many events a side (0 old, 1 new) archives, with or without an alert."""
        return sum(count for outcomes, count in self.tally.outcomes.items() if outcomes[side] != "ignore")

    def noisiest(self, what: str) -> list[tuple[str, int, int]]:
        """The users or namespaces with most alerts of the new rules, or of the old ones: name, old, new."""
        old, new = getattr(self.tally.old, what), getattr(self.tally.new, what)
        names = dict.fromkeys(name for name, _ in (*new.most(TOP), *old.most(TOP)))
        rows = [(name, old.counts[name], new.counts[name]) for name in names]
        return sorted(rows, key=lambda row: (-row[2], -row[1], row[0]))[:TOP]

    def noisiest_rules(self) -> list[tuple[str, int, int]]:
        """The rules with most alerts of the new rules: name, old, new."""
        rows = [(row.name, row.counts.old, row.counts.new) for row in self.rows if row.counts.old or row.counts.new]
        return sorted(rows, key=lambda row: (-row[2], -row[1], row[0]))[:TOP]

    def dropped(self) -> int:
        """How many events are no longer archived."""
        return self.tally.dropped.total()

    def added(self) -> int:
        """How many events are archived that were not."""
        return self.outcome("ignore", "archive") + self.outcome("ignore", "alert")

    def notes(self) -> list[str]:
        """What has to be known to read the numbers."""
        found = [
            "alerts are counted before folding: those of one batch with equal labels go out as one",
        ]
        if self.tally.judged:
            found.append("a rule with a threshold alerts once for each group and window in which it is reached")
        if self.tally.archived_lines:
            found.append(
                "these are archived events: what was ignored cannot be matched by new rules, levels can only be lower"
                " than they were stored, and both sides see events trimmed and redacted"
            )
        if self.tally.rejects:
            found.append(f"{self.tally.rejects.total():,} items are no events and were left out")
        found += [f"not complete: {place}" for place in self.tally.unreadable_places]
        if self.tally.unreadable > len(self.tally.unreadable_places):
            found.append(f"not complete: {self.tally.unreadable:,} objects in all could not be read")
        if self.tally.old.users.left_out or self.tally.new.users.left_out:
            found.append("there are more users than are kept in memory: small counts of users may be too small")
        return found

    def as_json(self) -> dict[str, Any]:
        """The report for ``--format json``."""
        tally = self.tally
        return {
            "old": {"name": self.old.name, "digest": self.old.digest, "archived": self.archived(0)},
            "new": {"name": self.new.name, "digest": self.new.digest, "archived": self.archived(1)},
            "events": tally.events,
            "archivedEvents": tally.archived_lines,
            "rejects": dict(sorted(tally.rejects.items())),
            "skipped": dict(sorted(tally.skipped.items())),
            "unreadable": tally.unreadable,
            "alerts": {
                "old": sum(row.counts.old for row in self.rows),
                "new": sum(row.counts.new for row in self.rows),
                "gained": self.gained,
                "lost": self.lost,
                "changed": self.changed,
            },
            "budget": self.budget,
            "overBudget": self.over_budget,
            "rules": [row.as_json() for row in self.rows],
            "recorded": {
                "matches": self.recorded,
                "repeated": sum(row.counts.repeated for row in self.rows),
                "notRepeated": [
                    {"rule": rule, "reason": reason, "count": count} for rule, reason, count in self.not_repeated
                ],
                "notComparable": [row.name for row in self.not_comparable],
            },
            "archive": {
                "dropped": self.dropped(),
                "added": self.added(),
                "reasons": dict(sorted(tally.dropped.items())),
                "requests": [{"request": name, "count": count} for name, count in tally.dropped_requests.most(TOP)],
                "levels": [
                    {"old": old, "new": new, "count": count} for (old, new), count in sorted(tally.levels.items())
                ],
                "examples": [example.as_json() for example in tally.dropped_examples],
            },
            "noisiest": {
                "rules": _named("rule", self.noisiest_rules()),
                "users": _named("user", self.noisiest("users")),
                "namespaces": _named("namespace", self.noisiest("namespaces")),
            },
            "errors": [
                {"side": side, "rule": rule, "count": count} for (side, rule), count in sorted(tally.errors.items())
            ],
            "exceptions": [{"exception": name, "old": old, "new": new} for name, old, new in self.exceptions()],
            "notes": self.notes(),
            "seconds": round(self.seconds, 3),
        }


def _named(key: str, rows: list[tuple[str, int, int]]) -> list[dict[str, Any]]:
    return [{key: name, "old": old, "new": new} for name, old, new in rows]


def described(example: Example) -> str:
    """An example on one line: when, who, what."""
    place = f" ({example.cluster})" if example.cluster else ""
    return f"{example.time} {example.user or 'nobody'} {example.request}{place}, auditID {example.audit_id}"
