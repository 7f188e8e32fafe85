"""Judging recorded events by an old and a new set of rules. What is judged alike is judged once.

What becomes of an event depends on which rules match it, and on which rule of a policy applies; seldom on anything
else. So the judgements of both sides are remembered by that.
"""

from typing import TYPE_CHECKING

import msgspec

from auditwire.analysis.judging import judging
from auditwire.condition.errors import EvaluationError
from auditwire.condition.memory import MAX_VALUES
from auditwire.events import Event
from auditwire.events.stages import RECEIVED
from auditwire.pipeline import Judgement
from auditwire.rules.rule_set import RuleSet
from auditwire.rules.together import matched_together
from auditwire.senders.kind import SenderKind

if TYPE_CHECKING:
    from auditwire.policy import Policy


class Judged(msgspec.Struct, eq=False, gc=False):
    """What becomes of an event by the old rules and by the new ones. Each is one of its kind.

    ``outcomes`` are both in short. ``is_all`` says that there is nothing else to say: nothing alerts, nothing is
    archived in another form or no longer, and every rule could judge the event.
    """

    before: Judgement
    after: Judgement
    outcomes: tuple[str, str]
    is_all: bool


class JudgingBoth:
    """``old`` and ``new`` are the rule sets; ``judge`` says what becomes of a settled event by each of them."""

    def __init__(self, old: RuleSet, new: RuleSet, *, sender: SenderKind | None) -> None:
        together = matched_together(old, new)
        self.old, self.new = together.sets
        self._match = together.match
        self._judge_old, self._judge_new = judging(self.old, sender=sender), judging(self.new, sender=sender)
        self._has_exceptions = bool(old.exceptions or new.exceptions)
        policies: list[Policy] = []
        for policy in (old.policy, new.policy):
            if policy is not None and policy not in policies:
                policies.append(policy)
        self._policies = policies
        self._known: dict[object, Judged] = {}

    def judge(self, event: Event) -> Judged:
        """Both judgements of an event."""
        if event.unknown_paths or event.stage == RECEIVED:
            return self._judge_by_itself(event)
        try:
            matched = self._match(event)
        except EvaluationError:
            return self._judge_by_itself(event)
        key: tuple[object, ...] = (matched, event.stage, event.level)
        for policy in self._policies:
            key = (*key, policy.evaluate_event(event).matched_rule)
        judged = self._known.get(key)
        if judged is None:
            judged = self._judge_by_itself(event)
            if not (self._has_exceptions and matched):
                if len(self._known) >= MAX_VALUES:
                    self._known.clear()
                self._known[key] = judged
        return judged

    def _judge_by_itself(self, event: Event) -> Judged:
        before, after = self._judge_old(event), self._judge_new(event)
        was, now = before.verdict, after.verdict
        is_kept_alike = was.outcome == "ignore" or (now.outcome != "ignore" and before.level is after.level)
        is_quiet = not any(one.alerts or one.pending or one.errors or one.excepted for one in (was, now))
        return Judged(before, after, (was.outcome, now.outcome), is_kept_alike and is_quiet)
