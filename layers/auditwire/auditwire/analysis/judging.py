"""Judging one recorded event by itself, as it was judged among the others of its batch."""

from msgspec.structs import replace

from auditwire.events import Event, Flag
from auditwire.events.stages import RECEIVED
from auditwire.pipeline import Judgement, judge_event
from auditwire.rules.rule_set import RuleSet
from auditwire.senders.kind import SenderKind


def judge_recorded(event: Event, *, sender: SenderKind | None, rules: RuleSet) -> Judgement:
    """What becomes of an event. One that only says that a request came in alerts nowhere, unless it is flagged
    ``unfinished``: its batch had the request's end too, which is where it alerts."""
    judged = judge_event(event, sender=sender, rules=rules)
    if event.stage == RECEIVED and Flag.UNFINISHED not in event.flags:
        return replace(judged, verdict=judged.verdict.without_alerts())
    return judged
