"""Which requests a rule is left with, once the rules before it took theirs.

A rule is asked about with a few requests that stand for all it matches: where it names values, these; where it does
not, one that no rule names, since rules can only match more of the others. If earlier rules match all of them, they
match everything. So what is called unreachable is; some rules that are may not be found.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Final

import msgspec

from auditwire.events.level import Level
from auditwire.policy.attributes import Attributes
from auditwire.policy.policy import STAGES, Decision, GroupResources, Policy, PolicyRule

MAX_REQUESTS: Final = 5_000
"""Requests to ask with about one rule; one that needs more is not judged."""

# No request and, being unprintable, no policy has these.
_OTHER: Final = "\x00other"
_OTHER_PATH: Final = "/\x00other"
_Target = tuple[str, str, str, str]

_WITH_REQUEST_BODY: Final = ("create", "update", "patch")
_WITH_BODY: Final = (*_WITH_REQUEST_BODY, "get", "list", "delete", "deletecollection")


def requests_of(rule: PolicyRule, others: Sequence[PolicyRule] = ()) -> list[Attributes] | None:
    """Requests that stand for all the rule matches, as far as ``others`` tell them apart; None when too many."""
    users = _standing_for(rule.users, (other.users for other in others))
    groups = _standing_for(rule.user_groups, (other.user_groups for other in others), none="")
    verbs = _standing_for(rule.verbs, (other.verbs for other in others))
    namespaces = _standing_for(rule.namespaces, (other.namespaces for other in others))
    targets = list(_targets(rule))
    paths = list(_paths(rule))
    if prod(map(len, (users, groups, verbs))) * (len(namespaces) * len(targets) + len(paths)) > MAX_REQUESTS:
        return None
    requests = []
    for user, group, verb in product(users, groups, verbs):
        member = (group,) if group or rule.user_groups else ()
        requests += [
            Attributes(user, member, verb, True, *target, namespace, _OTHER_PATH)
            for namespace, target in product(namespaces, targets)
        ]
        requests += [Attributes(user, member, verb, path=path) for path in paths]
    return requests


def shadowing(policy: Policy, position: int) -> list[int]:
    """The positions of the earlier rules that match, between them, all a rule matches; empty when it is reached."""
    requests = requests_of(policy.rules[position], policy.rules[:position])
    if requests is None:
        return []
    first = {policy.evaluate(request).matched_rule for request in requests}
    earlier = sorted(found for found in first if found is not None and found < position)
    return earlier if len(earlier) == len(first) else []


def same_without(policy: Policy, position: int) -> int | None:
    """The position of a later rule that would do just the same for all a rule matches; None when there is none."""
    rule = policy.rules[position]
    for later, other in enumerate(policy.rules[position + 1 :], position + 1):
        if same_effect(policy.decisions[position], policy.decisions[later]):
            if _covers(other, rule):
                return later
        elif not _disjoint(other, rule):
            return None
    return None


def same_effect(one: Decision, other: Decision) -> bool:
    """Whether two decisions record the same."""
    if Level.NONE in (one.level, other.level):
        return one.level == other.level
    return one[:-1] == other[:-1]


def records(decision: Decision) -> bool:
    """Whether anything is recorded of a request, at any stage."""
    return any(decision.emits(stage) for stage in STAGES)


def secret_bodies(policy: Policy, position: int) -> list[str]:
    """The verbs with which a rule records bodies of Secrets, their values included."""
    rule = policy.rules[position]
    decision = policy.decisions[position]
    if decision.level < Level.REQUEST or not records(decision):
        return []
    with_body = _WITH_BODY if decision.level == Level.REQUEST_RESPONSE else _WITH_REQUEST_BODY
    names = tuple({name for entry in rule.resources for name in entry.resource_names})
    of_secrets = (GroupResources("", ("secrets",), names), GroupResources("", ("secrets",)))
    found = []
    for verb in with_body:
        narrowed = msgspec.structs.replace(rule, verbs=(verb,), resources=of_secrets, non_resource_urls=())
        requests = requests_of(narrowed, policy.rules) or ()
        if any(policy.evaluate(request).matched_rule == position for request in requests):
            found.append(verb)
    return found


def _standing_for(values: Sequence[str], named: Iterable[Collection[str]], none: str = _OTHER) -> list[str]:
    """One of all values that the same rules name; for no values one that none does."""
    named = [names for names in named if names]
    by_rules = {tuple(value in names for names in named): value for value in reversed(values)}
    return list(by_rules.values()) if values else [none]


def _targets(rule: PolicyRule) -> Iterator[_Target]:
    """Group, resource, subresource and name of what the rule matches; none for a rule on paths."""
    if not rule.resources:
        if rule.namespaces or not rule.non_resource_urls:
            yield (_OTHER, _OTHER, "", _OTHER)
        return
    for entry in rule.resources:
        group = _OTHER if entry.group == "*" else entry.group
        resources = [resource for spec in entry.resources or ("*",) for resource in _resources(spec)]
        for (resource, below), name in product(resources, entry.resource_names or (_OTHER,)):
            yield (group, resource, below, name)


def _resources(spec: str) -> list[tuple[str, str]]:
    if spec == "*":
        return [(_OTHER, ""), (_OTHER, _OTHER)]
    resource, _, below = spec.partition("/")
    if below == "*":
        return [(resource, ""), (resource, _OTHER)]
    return [(_OTHER if resource == "*" else resource, below)]


def _paths(rule: PolicyRule) -> Iterator[str]:
    if rule.resources or rule.namespaces:
        return
    for url in rule.non_resource_urls or ("*",):
        yield _OTHER_PATH if url == "*" else f"{url.rstrip('*')}{_OTHER}" if url.endswith("*") else url


def _covers(other: PolicyRule, rule: PolicyRule) -> bool:
    alone = Policy(rules=(other,))
    requests = requests_of(rule, (other,))
    return requests is not None and all(alone.evaluate(request).matched_rule == 0 for request in requests)


def _disjoint(one: PolicyRule, other: PolicyRule) -> bool:
    """Whether no request can match both; False where that is not plain."""
    pairs = ((one.users, other.users), (one.verbs, other.verbs), (one.namespaces, other.namespaces))
    if any(left and right and not set(left) & set(right) for left, right in pairs):
        return True
    if (_only_paths(one) and _only_resources(other)) or (_only_resources(one) and _only_paths(other)):
        return True
    entries = list(product(one.resources, other.resources))
    return bool(entries) and all(_disjoint_entries(left, right) for left, right in entries)


def _only_resources(rule: PolicyRule) -> bool:
    return bool(rule.resources or rule.namespaces)


def _only_paths(rule: PolicyRule) -> bool:
    return bool(rule.non_resource_urls)


def _disjoint_entries(one: GroupResources, other: GroupResources) -> bool:
    if one.group != other.group:
        return "*" not in (one.group, other.group)
    specs = list(product(one.resources, other.resources))
    return bool(specs) and all(_disjoint_specs(left, right) for left, right in specs)


def _disjoint_specs(one: str, other: str) -> bool:
    (resource, _, below), (other_resource, _, other_below) = one.partition("/"), other.partition("/")
    if "*" in (one, other):
        return False
    if "*" not in (resource, other_resource) and resource != other_resource:
        return True
    return "*" not in (below, other_below) and below != other_below
