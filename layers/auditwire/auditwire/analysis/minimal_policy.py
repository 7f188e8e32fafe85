"""The smallest audit policy under which tests still prove what they prove when everything is recorded.

Narrowed by level, verb and resource, never by user: whoever attacks is not known beforehand. Nothing can be taken out
of it, and no level lowered, without a test that fails; ``losses`` finds that test by doing it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from auditwire.analysis.cases import Case
from auditwire.analysis.proof import as_recorded, events_of
from auditwire.analysis.reach import Terms
from auditwire.analysis.senders import sender_of
from auditwire.analysis.trial import Trials
from auditwire.events import Event, Level
from auditwire.pipeline import judge_event
from auditwire.policy import Policy
from auditwire.policy.attributes import Attributes, attributes_of
from auditwire.policy.rule import GroupResources, PolicyRule
from auditwire.rules.rule_set import Rule, RuleSet

_LEVELS: Final = (Level.METADATA, Level.REQUEST, Level.REQUEST_RESPONSE)


@dataclass(frozen=True, slots=True)
class Need:
    """An event of a test that makes a rule match, and the request that it is about."""

    case: Case
    rule: str
    event: Event
    template: str
    request: Attributes


@dataclass(frozen=True, slots=True)
class Loss:
    """What was taken out of a policy, and a test that fails then; None if none does."""

    without: str
    case: Case | None


def needs_of(rules: RuleSet, cases: Iterable[Case], terms: Terms, *, any_sender: bool) -> list[Need]:
    """The events of tests that match if the sender records everything that it can."""
    trials = Trials(rules)
    everything = replace(terms, policy=None)
    found = []
    for case in cases:
        rule = trials.rule_of(case.rule) if case.rule and case.expect in ("alert", "archive") else None
        if not isinstance(rule, Rule):
            continue
        for event, template in events_of(case, None if any_sender else terms.delivery.template):
            need = Need(case, rule.qualified, event, template, attributes_of(event))
            if _is_met(rules, need, everything):
                found.append(need)
    return found


def minimal_policy(rules: RuleSet, needs: Sequence[Need], terms: Terms) -> Policy:
    """The smallest policy under which all needs are met. Raises ValueError if there are none."""
    if not needs:
        raise ValueError("no test proves that a rule matches")
    judge = _Judge(rules, needs, terms)
    policy = _first(judge, needs)
    while True:
        smaller = next((less for _, less in _smaller(policy) if judge.failing(less) is None), None)
        if smaller is None:
            return policy
        policy = smaller


def losses(rules: RuleSet, needs: Sequence[Need], terms: Terms, policy: Policy) -> Iterator[Loss]:
    """Everything that can be taken out of a policy, one thing at a time, with a test that fails without it."""
    judge = _Judge(rules, needs, terms)
    for without, less in _smaller(policy):
        need = judge.failing(less)
        yield Loss(without, need.case if need else None)


class _Judge:
    """Says whether a policy meets all needs."""

    def __init__(self, rules: RuleSet, needs: Sequence[Need], terms: Terms) -> None:
        self._rules, self._needs, self._terms = rules, needs, terms

    def failing(self, policy: Policy) -> Need | None:
        """The first need that a policy does not meet."""
        terms = replace(self._terms, policy=policy)
        return next((need for need in self._needs if not _is_met(self._rules, need, terms)), None)

    def least_level(self, need: Need) -> Level:
        """The lowest level at which a need is met."""
        return next(
            level for level in _LEVELS if _is_met(self._rules, need, replace(self._terms, policy=None, level=level))
        )


def _is_met(rules: RuleSet, need: Need, terms: Terms) -> bool:
    recorded = as_recorded(need.event, terms)
    if recorded is None:
        return False
    verdict = judge_event(recorded, sender=sender_of(need.template), rules=rules).verdict
    return need.rule in (*verdict.alerting, *verdict.archiving)


def _first(judge: _Judge, needs: Sequence[Need]) -> Policy:
    """A policy that meets the needs: for each level the verbs and resources that need it."""
    levels: dict[tuple[str, str, str], Level] = {}
    for need in needs:
        request = need.request
        what = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
        key = (request.verb, request.group, what if request.resource_request else request.path)
        level = judge.least_level(need)
        levels[key] = max(levels.get(key, level), level)
    paths = {need.request.path for need in needs if not need.request.resource_request}
    rules: list[PolicyRule] = []
    for level in reversed(_LEVELS):
        by_verbs: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for target in sorted({(group, what) for (_, group, what), least in levels.items() if least == level}):
            verbs = tuple(
                sorted(verb for (verb, *its), least in levels.items() if (*its,) == target and least == level)
            )
            by_verbs.setdefault(verbs, []).append(target)
        for verbs, targets in sorted(by_verbs.items()):
            rules += _rules(level, verbs, targets, paths)
    return Policy(rules=tuple(rules))


def _rules(
    level: Level, verbs: tuple[str, ...], targets: Sequence[tuple[str, str]], paths: set[str]
) -> Iterator[PolicyRule]:
    groups: dict[str, list[str]] = {}
    for group, what in targets:
        if what not in paths:
            groups.setdefault(group, []).append(what)
    urls = tuple(what for _, what in targets if what in paths)
    if groups:
        resources = tuple(GroupResources(group, tuple(names)) for group, names in groups.items())
        yield PolicyRule(level=level, verbs=verbs, resources=resources)
    if urls:
        yield PolicyRule(level=level, verbs=verbs, non_resource_urls=urls)


def _smaller(policy: Policy) -> Iterator[tuple[str, Policy]]:
    """The policy without one of its parts, or with one level lowered by one; a rule without its last verb, resource or
    path is no rule."""
    for position, rule in enumerate(policy.rules):
        name = f"rules[{position}]"
        if rule.level > Level.METADATA:
            lower = _LEVELS[_LEVELS.index(rule.level) - 1]
            yield f"{name}.level {rule.level}", _with(policy, position, msgspec.structs.replace(rule, level=lower))
        yield name, _with(policy, position, None)
        for verb in rule.verbs if len(rule.verbs) > 1 else ():
            fewer = tuple(each for each in rule.verbs if each != verb)
            yield f"{name}.verbs {verb}", _with(policy, position, msgspec.structs.replace(rule, verbs=fewer))
        for url in rule.non_resource_urls if len(rule.non_resource_urls) > 1 else ():
            fewer = tuple(each for each in rule.non_resource_urls if each != url)
            yield f"{name}.url {url}", _with(policy, position, msgspec.structs.replace(rule, non_resource_urls=fewer))
        yield from _with_fewer_resources(policy, position, rule, name)


def _with_fewer_resources(policy: Policy, position: int, rule: PolicyRule, name: str) -> Iterator[tuple[str, Policy]]:
    if sum(len(entry.resources) for entry in rule.resources) < 2:
        return
    for at, entry in enumerate(rule.resources):
        for resource in entry.resources:
            left = tuple(each for each in entry.resources if each != resource)
            kept = (GroupResources(entry.group, left),) if left else ()
            entries = (*rule.resources[:at], *kept, *rule.resources[at + 1 :])
            what = f"{name}.resources {entry.group or 'core'}/{resource}"
            yield what, _with(policy, position, msgspec.structs.replace(rule, resources=entries))


def _with(policy: Policy, position: int, rule: PolicyRule | None) -> Policy:
    rules = (*policy.rules[:position], *([] if rule is None else [rule]), *policy.rules[position + 1 :])
    return Policy(rules=rules, omit_stages=policy.omit_stages, omit_managed_fields=policy.omit_managed_fields)
