"""One event through sender setting, level and rules: what becomes of each event of a batch. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from auditwire.events import Event, Level, as_stored
from auditwire.rules import RuleSet, Verdict

KUBERNETES: Final = "kubernetes"
KUBESPHERE: Final = "kubesphere"


class Ignored(StrEnum):
    """Why an event was not kept. Stable words: they are counted."""

    NO_RULE = "no_rule"
    LEVEL_NONE = "level_none"
    K8S_AUDITING_DISABLED = "k8s_auditing_disabled"


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is archived: its position in the batch, its stored form, and the verdict."""

    position: int
    event: Event
    verdict: Verdict


@dataclass(slots=True)
class Decisions:
    """What became of a batch's events: every one is among ``kept`` or counted in ``ignored``.

    ``evaluation_errors`` counts, by rule, the events a rule could not judge; ``conflicts`` the events that share
    auditID and stage with an earlier event of the batch and still differ from it.
    """

    kept: list[Kept] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    evaluation_errors: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0


def decide_batch(events: Sequence[Event], *, sender: str, rules: RuleSet) -> Decisions:
    """Decide about settled events. ``sender`` is the credential's kind: kubernetes, kubesphere, or any.

    Conditions see the event as it was received; what is kept is trimmed to the level and redacted.
    """
    decisions = Decisions()
    seen: dict[tuple[str, str], Event] = {}
    for position, event in enumerate(events):
        first = seen.setdefault((event.auditID, event.stage), event)
        decisions.conflicts += first is not event and first.digest != event.digest
        whose = sender if sender in (KUBERNETES, KUBESPHERE) else event.sender
        dropped = _dropped(event, whose, rules)
        if dropped is not None:
            decisions.ignored[dropped] += 1
            continue
        verdict = rules.decide(event)
        decisions.evaluation_errors.update(failure.rule for failure in verdict.errors)
        if verdict.outcome == "ignore":
            decisions.ignored[Ignored.NO_RULE] += 1
            continue
        level = rules.settings.audit_level if whose == KUBESPHERE else None
        decisions.kept.append(Kept(position, as_stored(event, level), verdict))
    return decisions


def _dropped(event: Event, sender: str, rules: RuleSet) -> Ignored | None:
    """Why an event is dropped before any rule sees it, or None."""
    if sender == KUBERNETES and not rules.settings.k8s_auditing_enabled:
        return Ignored.K8S_AUDITING_DISABLED
    if event.level == Level.NONE or (sender == KUBESPHERE and rules.settings.audit_level == Level.NONE):
        return Ignored.LEVEL_NONE
    return None
