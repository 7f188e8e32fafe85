"""What became of each rule that matched an event when it was archived: from its line, and the rules that decided then.

Pure. The line has the names; what a priority was, only the rules say. Nothing is guessed where they are not known.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from auditwire.archive.errors import UnreadableError
from auditwire.events import Flag
from auditwire.events.archived import Provenance
from auditwire.events.line import PROVENANCE
from auditwire.events.stages import RECEIVED

if TYPE_CHECKING:
    from auditwire.archive.found import Found
    from auditwire.rules import RuleSet
    from auditwire.rules.rule_set import Rule


class Became(StrEnum):
    """What became of a match. The words are stable: the console's API has them."""

    ALERTED = "alerted"
    COUNTED = "counted"
    EXCEPTED = "excepted"
    BELOW_PRIORITY = "below_priority"
    LATER_STAGE = "later_stage"
    BACKFILL = "backfill"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one rule's match, and a sentence that says why."""

    rule: str
    became: Became
    detail: str


class _Line(msgspec.Struct):
    about: Provenance = msgspec.field(name=PROVENANCE, default_factory=Provenance)


_decoder: Final = msgspec.json.Decoder(_Line)
_UNKNOWN_RULES: Final = "the rules that decided then cannot be read here, so its priority is not known"


def about(found: "Found") -> Provenance:
    """What the line of an event says about how it was decided. Raises UnreadableError."""
    try:
        return _decoder.decode(found.line).about
    except msgspec.DecodeError as error:
        raise UnreadableError(f"the line of {found.audit_id} is damaged: {error}") from error


def became(found: "Found", said: Provenance, rules: "RuleSet | None") -> list[Match]:
    """What became of every rule that matched, alerting rules first. ``rules`` are those that decided then, None where
    nobody knows them."""
    matches = [_alerting(name, found, said, rules) for name in said.alerting]
    matches += [Match(name, Became.UNDECIDED, _undecided(name, rules)) for name in said.undecided]
    return matches + [_archiving(name, rules) for name in said.archiving]


def _alerting(name: str, found: "Found", said: Provenance, rules: "RuleSet | None") -> Match:
    exceptions = [one.exception for one in said.excepted if one.rule == name]
    if exceptions:
        return Match(name, Became.EXCEPTED, "; ".join(_excepted(each, rules) for each in exceptions))
    if found.stage == RECEIVED and Flag.UNFINISHED not in found.flags:
        detail = "a later stage of the same request was in the batch, and that one is judged for alerts"
        return Match(name, Became.LATER_STAGE, detail)
    if Flag.BACKFILL in found.flags:
        return Match(name, Became.BACKFILL, "it was imported from the past, and such events raise no alert")
    rule = _of(name, rules.alerting) if rules else None
    if name in said.pending:
        threshold = rule.text.threshold if rule else None
        detail = "it was counted: the rule has a threshold, and alerts only together with other matches"
        return Match(name, Became.COUNTED, f"{detail}, at {threshold.as_text()}" if threshold else detail)
    if rules is None or rule is None:
        return Match(name, Became.UNKNOWN, f"it matched; {_UNKNOWN_RULES}")
    least = rules.settings.alerting_priority
    if rule.priority.rank < least.rank:
        detail = f"it matched, but its priority {rule.priority} was below alertingPriority {least}"
        return Match(name, Became.BELOW_PRIORITY, detail)
    return Match(name, Became.ALERTED, f"its priority {rule.priority} was at least alertingPriority {least}")


def _archiving(name: str, rules: "RuleSet | None") -> Match:
    rule = _of(name, rules.archiving) if rules else None
    if rules is not None and rule is not None and rule.priority.rank < rules.settings.archiving_priority.rank:
        least = rules.settings.archiving_priority
        detail = f"it matched, but its priority {rule.priority} was below archivingPriority {least}"
        return Match(name, Became.BELOW_PRIORITY, detail)
    return Match(name, Became.ARCHIVED, "an archiving rule: its match keeps the event and never alerts")


def _undecided(name: str, rules: "RuleSet | None") -> str:
    sentence = "nobody can say whether it matched, for a part of the event is missing"
    alerting = rules is not None and _of(name, rules.alerting) is not None
    return f"{sentence}; where it would alert, auditwire.BodyMissing does" if alerting else sentence


def _excepted(name: str, rules: "RuleSet | None") -> str:
    for exception in rules.exceptions if rules else ():
        if exception.text.name == name:
            owner = f" (says {exception.text.owner})" if exception.text.owner else ""
            return f"the exception {name} says no alert: {exception.text.reason}{owner}"
    return f"the exception {name} says no alert"


def _of(name: str, rules: "tuple[Rule, ...]") -> "Rule | None":
    return next((rule for rule in rules if rule.qualified == name), None)
