"""Judging one recorded event by itself, as it was judged among the others of its batch."""

from collections.abc import Callable

from msgspec.structs import replace

from auditwire.events import Event, Flag
from auditwire.events.stages import RECEIVED
from auditwire.pipeline import Ignored, Judgement, judge_event
from auditwire.rules.rule_set import RuleSet
from auditwire.senders.kind import SenderKind


def judging(rules: RuleSet, *, sender: SenderKind | None) -> Callable[[Event], Judgement]:
    """A function that says what becomes of a recorded event.

    An event that only says that a request came in alerts nowhere, unless it is flagged ``unfinished``: its batch had
    the request's end too, which is where it alerts.
    """
    decide, is_plain = rules.decide, rules.policy is None and sender is None

    def judge(event: Event) -> Judgement:
        if is_plain and not event.unknown_paths and event.level != "None":
            # What judge_event comes to where neither policy nor settings have a say.
            verdict = decide(event)
            judged = Judgement(verdict, Ignored.NO_RULE if verdict.outcome == "ignore" else None)
        else:
            judged = judge_event(event, sender=sender, rules=rules)
        if event.stage == RECEIVED and Flag.UNFINISHED not in event.flags:
            return replace(judged, verdict=judged.verdict.without_alerts())
        return judged

    return judge
