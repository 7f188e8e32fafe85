"""Tests as proofs that rules can match: what is left of the events of a test under the terms of a sender."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from auditwire.analysis.cases import Case
from auditwire.analysis.reach import Terms
from auditwire.analysis.senders import SenderError, sender_of
from auditwire.analysis.trial import Trials, event_of
from auditwire.events import Event, Level
from auditwire.pipeline import judge_event
from auditwire.policy.attributes import attributes_of
from auditwire.rules.rule_set import Rule, RuleSet


def proofs(rules: RuleSet, cases: Iterable[Case], terms: Terms, *, any_sender: bool) -> dict[str, Case]:
    """For each rule the first test of which an event still makes it match, under its qualified name.

    With ``any_sender`` events of all templates count, otherwise each is one of the sender of the terms.
    """
    trials = Trials(rules)
    found: dict[str, Case] = {}
    for case in cases:
        rule = trials.rule_of(case.rule) if case.rule and case.expect in ("alert", "archive") else None
        if isinstance(rule, Rule) and rule.qualified not in found and proves(rules, rule, case, terms, any_sender):
            found[rule.qualified] = case
    return found


def proves(rules: RuleSet, rule: Rule, case: Case, terms: Terms, any_sender: bool) -> bool:
    """Whether an event of the test still makes its rule match: alert, where that is what the test expects."""
    for event, template in events_of(case, None if any_sender else terms.delivery.template):
        recorded = as_recorded(event, terms)
        if recorded is None:
            continue
        verdict = judge_event(recorded, sender=sender_of(template), rules=rules).verdict
        if rule.qualified in (*verdict.alerting, *verdict.archiving):
            return True
    return False


def events_of(case: Case, template: str | None) -> Iterator[tuple[Event, str]]:
    """The events of a test with their templates, as they are or all of one template; without what that sender cannot
    send, and only the first of what is repeated."""
    for number, one in enumerate(case.events, 1):
        if one.number > 1:
            continue
        of_sender = one if template is None else replace(one, template=template)
        try:
            yield event_of(of_sender, f"{case.path}#{case.name}#{number}"), of_sender.template
        except (SenderError, ValueError):
            continue


def as_recorded(event: Event, terms: Terms) -> Event | None:
    """The event as a sender records it under these terms; None if it does not."""
    if event.stage in terms.delivery.stages_missing:
        return None
    level = terms.level
    if terms.policy is not None:
        decision = terms.policy.evaluate(attributes_of(event))
        if not decision.emits(event.stage):
            return None
        level = min(level, decision.level)
    changes: dict[str, Any] = {}
    if level < Level.REQUEST:
        changes["requestObject"] = None
    if level < Level.REQUEST_RESPONSE:
        changes["responseObject"] = None
    if Level.of(event.level) > level:
        changes["level"] = str(level)
    return event.with_changes(**changes) if changes else event
