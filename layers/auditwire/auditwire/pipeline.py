"""One event through sender setting, policy, level and rules: what becomes of each event of a batch. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from auditwire.events import Event, Level, as_stored
from auditwire.policy import attributes_of
from auditwire.rules import RuleSet, Verdict

KUBERNETES: Final = "kubernetes"
KUBESPHERE: Final = "kubesphere"
ANY: Final = "any"


class Ignored(StrEnum):
    """Why an event was not kept. Stable words: they are counted."""

    NO_RULE = "no_rule"
    LEVEL_NONE = "level_none"
    K8S_AUDITING_DISABLED = "k8s_auditing_disabled"
    POLICY_NONE = "policy_none"
    POLICY_STAGE = "policy_stage"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one event: the verdict, the form in which it is stored, and why it is ignored if it is."""

    verdict: Verdict
    event: Event
    ignored: Ignored | None = None


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
    """Decide about settled events. ``sender`` is the credential's kind: kubernetes, kubesphere, or any, which leaves
    it to the casing of each event's keys."""
    decisions = Decisions()
    seen: dict[tuple[str, str], Event] = {}
    for position, event in enumerate(events):
        first = seen.setdefault((event.auditID, event.stage), event)
        decisions.conflicts += first is not event and first.digest != event.digest
        decision = decide_event(event, sender=event.sender if sender == ANY else sender, rules=rules)
        decisions.evaluation_errors.update(failure.rule for failure in decision.verdict.errors)
        if decision.ignored is not None:
            decisions.ignored[decision.ignored] += 1
        else:
            decisions.kept.append(Kept(position, decision.event, decision.verdict))
    return decisions


def decide_event(event: Event, *, sender: str | None, rules: RuleSet) -> Decision:
    """Decide about one settled event of a kubernetes or kubesphere sender; None: no setting about senders applies.

    Conditions see the event as it was received; the decision's event is trimmed to the lower of audit level
    and policy level, and redacted.
    """
    settings = rules.settings
    level = settings.audit_level if sender == KUBESPHERE else None
    if sender == KUBERNETES and not settings.k8s_auditing_enabled:
        return Decision(Verdict("ignore"), event, Ignored.K8S_AUDITING_DISABLED)
    if Level.NONE in (event.level, level):
        return Decision(Verdict("ignore"), event, Ignored.LEVEL_NONE)
    without_managed_fields = False
    if rules.policy is not None:
        recorded = rules.policy.evaluate(attributes_of(event))
        if recorded.level is Level.NONE:
            return Decision(Verdict("ignore"), event, Ignored.POLICY_NONE)
        if event.stage in recorded.omit_stages:
            return Decision(Verdict("ignore"), event, Ignored.POLICY_STAGE)
        level = recorded.level if level is None else min(level, recorded.level)
        without_managed_fields = recorded.omit_managed_fields
    verdict = rules.decide(event)
    if verdict.outcome == "ignore":
        return Decision(verdict, event, Ignored.NO_RULE)
    return Decision(verdict, as_stored(event, level, omit_managed_fields=without_managed_fields))
