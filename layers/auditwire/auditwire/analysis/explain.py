"""Why a rule alerts on an event, or the first reason why it does not."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from auditwire.analysis.trace import Trace, because, trace
from auditwire.events.model import Event
from auditwire.pipeline import Decision, Ignored, decide_event
from auditwire.rules.rule_set import Rule, RuleSet
from auditwire.senders.kind import SenderKind

_LONGEST: Final = 120

_IGNORED: Final = {
    Ignored.LEVEL_NONE: "the event is dropped before any rule: its level, or the auditLevel, is None",
    Ignored.K8S_AUDITING_DISABLED: "the event is dropped before any rule: k8sAuditingEnabled is false",
    Ignored.POLICY_NONE: "the audit policy drops the event before any rule: its level for this request is None",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one rule makes of one event.

    ``matched`` is whether the condition holds, ``verdict`` what becomes of the event by all rules. ``because`` are
    sentences, the decisive one first. ``tree`` is the condition with its values.
    """

    rule: str
    matched: bool
    verdict: str
    because: tuple[str, ...]
    tree: Trace

    def as_json(self) -> dict[str, Any]:
        """The explanation for ``--format json``."""
        return {
            "rule": self.rule,
            "matched": self.matched,
            "verdict": self.verdict,
            "because": list(self.because),
            "tree": self.tree.as_json(),
        }


def explain(event: Event, rule: Rule, rules: RuleSet, *, sender: SenderKind | None = None) -> Explanation:
    """Explains what a rule of a set makes of a settled event. ``sender`` is whose settings apply, None for none."""
    decision = decide_event(event, sender=sender, rules=rules)
    found = trace(rule.bound, event)
    matched = bool(found.value)
    reasons = _dropped(event, decision)
    if not matched:
        reasons += _no_match(event, found)
    elif not reasons:
        reasons += _matched(rule, rules, decision)
        reasons += [_sentence(test) for test in because(found)]
    return Explanation(rule.qualified, matched, decision.verdict.outcome, tuple(reasons), found)


def why(event: Event, rule: Rule) -> str:
    """In one line, the fewest tests that make a rule match an event or not."""
    found = trace(rule.bound, event)
    return "; ".join(_sentence(test) for test in because(found)) if found.value else "; ".join(_no_match(event, found))


def shown(value: Any) -> str:
    """A value of an event as JSON, cut; ``missing`` for none."""
    if value is None or value == [] or (isinstance(value, list) and all(one is None for one in value)):
        return "missing"
    text = orjson.dumps(value).decode(errors="replace")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def brief(text: str) -> str:
    """A test as people read it: a list of a hundred accounts is cut."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _dropped(event: Event, decision: Decision) -> list[str]:
    if decision.ignored is Ignored.POLICY_STAGE:
        return [f"the audit policy drops the event before any rule: it omits the stage {event.stage}"]
    return [_IGNORED[decision.ignored]] if decision.ignored in _IGNORED else []


def _matched(rule: Rule, rules: RuleSet, decision: Decision) -> list[str]:
    settings = rules.settings
    if rule in decision.verdict.alerts:
        return [f"the rule matches and alerts: its priority {rule.priority} is at least {settings.alerting_priority}"]
    excepted = [one.exception for one in decision.verdict.excepted if one.rule == rule.qualified]
    if excepted:
        said = {one.text.name: one.text for one in rules.exceptions}
        return [f"the rule matches, and the exception {name} says no alert: {said[name].reason}" for name in excepted]
    if rule in decision.verdict.pending and rule.threshold is not None:
        group = ", ".join(
            f"{name} {value or 'missing'}" for name, value in rule.threshold.group(decision.event).items()
        )
        counted = "" if rule.threshold.counted(decision.event) else ", and this event has no value to count"
        of = f" for {brief(group)}" if group else ""
        return [f"the rule matches and counts{of}: it alerts at {rule.threshold.text.as_text()}{counted}"]
    below = f"its priority {rule.priority} is below"
    if rule in rules.alerting:
        return [f"the rule matches but does not alert: {below} alertingPriority {settings.alerting_priority}"]
    if rule.priority.rank < settings.archiving_priority.rank:
        return [f"the rule matches but archives nothing: {below} archivingPriority {settings.archiving_priority}"]
    return ["the rule matches and archives; its document is not an alerting one, so it never alerts"]


def _no_match(event: Event, found: Trace) -> list[str]:
    if found.problem:
        return [f"the rule cannot judge the event, so it does not match: {found.problem}"]
    if found.value is None:
        return ["a part of the event is missing, and whether the rule matches depends on it"]
    reasons = [_sentence(test) for test in because(found)]
    for body, field in (("requestObject", "RequestObject"), ("responseObject", "ResponseObject")):
        if getattr(event, body) is None and any(test.text.startswith(field) for test in because(found)):
            reasons.append(f"the event has no {body}: it was recorded at level {event.level}")
    return reasons


def _sentence(test: Trace) -> str:
    value = "true" if test.value else "false" if test.value is False else "undecided"
    actual = shown(test.actual)
    return f"{brief(test.text)} is {value}: it is {actual}"
