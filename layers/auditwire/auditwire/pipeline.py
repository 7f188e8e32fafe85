"""The pipeline of one event: sender setting, policy, level, rules. Decides what becomes of each event of a batch.
Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from auditwire.events import Event, Flag, Level, as_stored
from auditwire.events.stages import LATER, RECEIVED, is_later_stage
from auditwire.rules import RuleSet, Verdict
from auditwire.senders.kind import SenderKind


class Ignored(StrEnum):
    """Why an event was not kept. The words are stable: they are counted."""

    NO_RULE = "no_rule"
    LEVEL_NONE = "level_none"
    K8S_AUDITING_DISABLED = "k8s_auditing_disabled"
    POLICY_NONE = "policy_none"
    POLICY_STAGE = "policy_stage"


# Structs, because every event makes one or two of these. A frozen dataclass takes several times as long to make.
class Decision(msgspec.Struct, frozen=True, gc=False):
    """What becomes of one event: the verdict, the form in which it is stored, and, if it is ignored, the reason."""

    verdict: Verdict
    event: Event
    ignored: Ignored | None = None


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """What becomes of one event, before its stored form is made: the verdict, the reason if it is ignored, and how much
    of it is stored at most (``level``, None for no limit)."""

    verdict: Verdict
    ignored: Ignored | None = None
    level: Level | None = None
    omit_managed_fields: bool = False


class Kept(msgspec.Struct, frozen=True, gc=False):
    """An archived event: its position in the batch, its stored form, and the verdict."""

    position: int
    event: Event
    verdict: Verdict


_IGNORE: Final = Verdict("ignore")

_WHOSE_AND_WHAT: Final = frozenset(("user", "objectRef", "requestURI"))
"""What audit policies look at, and redaction, of which an event that was cut off may lack some."""


class Passed(msgspec.Struct, frozen=True, gc=False):
    """What is kept of an ignored event: its time and its flags."""

    stageTimestamp: str | None
    flags: tuple[str, ...]


@dataclass(slots=True)
class Decisions:
    """What became of a batch's events. Each of them is either in ``kept`` or counted in ``ignored``.

    ``seen`` has all of them in order, kept ones in their stored form. ``evaluation_errors`` counts, by rule, the events
    that a rule could not judge. ``conflicts`` counts the events that have the auditID and stage of an earlier event of
    the batch but differ from it.
    """

    kept: list[Kept] = field(default_factory=list)
    seen: list[Event | Passed] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    evaluation_errors: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0


class Deciding:
    """Decides about settled events one by one, as they are read. Ignored events do not stay in memory.

    An event that only says that a request came in never alerts where a later stage of the request is in the batch.
    Where there is none it is judged like any other, and flagged ``unfinished``.

    ``sender`` is the kind of sender that the credential is registered for. With ``ANY`` the casing of each event's keys
    decides.
    """

    def __init__(self, *, sender: SenderKind, rules: RuleSet) -> None:
        self._sender = sender
        self._rules = rules
        self._found = Decisions()
        self._ignored: list[Ignored] = []
        self._texts: dict[tuple[str, str], msgspec.Raw | memoryview | bytes] = {}
        self._received: list[tuple[int, Event]] = []

    def take(self, event: Event) -> None:
        """Decides about the next event of the batch."""
        found, sender = self._found, self._sender
        text = event.received
        first = self._texts.setdefault((event.auditID, event.stage), text)
        if first is not text and bytes(first) != bytes(text):
            found.conflicts += 1
        decision = decide_event(event, sender=event.sender if sender == SenderKind.ANY else sender, rules=self._rules)
        if decision.verdict.errors:
            found.evaluation_errors.update(failure.rule for failure in decision.verdict.errors)
        if decision.ignored is None:
            stored = decision.event
            stored.forget_bodies()
            if stored.stage == RECEIVED:
                self._received.append((len(found.kept), event))
            found.kept.append(Kept(len(found.seen), stored, decision.verdict))
            found.seen.append(stored)
        else:
            self._ignored.append(decision.ignored)
            found.seen.append(Passed(event.stageTimestamp, event.flags))

    def decisions(self) -> Decisions:
        """What became of the events, once all of them were taken."""
        found = self._found
        for position, event in self._received:
            kept = found.kept[position]
            if self._has_later_stage(event):
                found.kept[position] = msgspec.structs.replace(kept, verdict=kept.verdict.without_alerts())
            else:
                kept.event.flag(Flag.UNFINISHED)
        found.ignored = Counter(self._ignored)
        return found

    def _has_later_stage(self, event: Event) -> bool:
        texts = (self._texts.get((event.auditID, stage)) for stage in LATER)
        return any(text is not None and is_later_stage(text, event) for text in texts)


def decide_batch(events: Iterable[Event], *, sender: SenderKind, rules: RuleSet) -> Decisions:
    """Decides about a list of settled events; see Deciding."""
    deciding = Deciding(sender=sender, rules=rules)
    for event in events:
        deciding.take(event)
    return deciding.decisions()


def decide_event(event: Event, *, sender: SenderKind | None, rules: RuleSet) -> Decision:
    """Decides about one settled event; see judge_event.

    The event in the decision is trimmed to the lower of audit level and policy level, and redacted.
    """
    judged = judge_event(event, sender=sender, rules=rules)
    if judged.ignored is not None:
        return Decision(judged.verdict, event, judged.ignored)
    without = judged.omit_managed_fields
    stored = as_stored(event, judged.level, omit_managed_fields=without, redactor=rules.redactor)
    return Decision(judged.verdict, stored)


def judge_event(event: Event, *, sender: SenderKind | None, rules: RuleSet) -> Judgement:
    """Judges one settled event of a Kubernetes or KubeSphere sender. With None no setting about senders applies.

    Conditions see the event as it was received.
    """
    settings = rules.settings
    level = settings.audit_level if sender == SenderKind.KUBESPHERE else Level.REQUEST_RESPONSE
    if sender == SenderKind.KUBERNETES and not settings.k8s_auditing_enabled:
        return Judgement(_IGNORE, Ignored.K8S_AUDITING_DISABLED)
    if level is Level.NONE or event.level == "None":
        return Judgement(_IGNORE, Ignored.LEVEL_NONE)
    without_managed_fields = False
    if event.unknown_paths & _WHOSE_AND_WHAT:
        # Which rule of a policy applies nobody can say, so none drops the event. What is in its bodies nobody can say
        # either, and it could be a Secret.
        level = min(level, Level.METADATA)
        if rules.policy is not None and event.stage in rules.policy.omit_stages:
            return Judgement(_IGNORE, Ignored.POLICY_STAGE)
    elif rules.policy is not None:
        recorded = rules.policy.evaluate_event(event)
        if recorded.level is Level.NONE:
            return Judgement(_IGNORE, Ignored.POLICY_NONE)
        if event.stage in recorded.omit_stages:
            return Judgement(_IGNORE, Ignored.POLICY_STAGE)
        level = recorded.level if level is Level.REQUEST_RESPONSE else min(level, recorded.level)
        without_managed_fields = recorded.omit_managed_fields
    verdict = rules.decide(event)
    if verdict.outcome == "ignore":
        return Judgement(verdict, Ignored.NO_RULE)
    return Judgement(verdict, None, None if level is Level.REQUEST_RESPONSE else level, without_managed_fields)
