"""Which requests reach a rule after the rules before it.

A rule is tested with a few requests that represent all requests it matches: one for each value that it names, or, if it
names none, one with a value that no rule names, since rules can only match more of the others. If earlier rules match
all of them, they match everything. So a rule that is called unreachable is unreachable, but not all unreachable rules
may be found.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Final

import msgspec

from auditwire.events.level import Level
from auditwire.policy.attributes import Attributes
from auditwire.policy.matching import RuleMatcher
from auditwire.policy.policy import STAGES, Policy, PolicyDecision
from auditwire.policy.rule import GroupResources, PolicyRule

MAX_WORK: Final = 2_000_000
"""How often rules are tested with a request while one policy is checked. That takes about a second."""
_MAKING: Final = 25
"""What making requests costs, in such tests. If a thousand rules do nothing, each is compared with each later one."""

# No request has these values, and since they are not printable, no policy has them either.
_OTHER: Final = "\x00other"
_OTHER_PATH: Final = "/\x00other"
_Target = tuple[str, str, str, str]

_WITH_REQUEST_BODY: Final = ("create", "update", "patch")
_WITH_BODY: Final = (*_WITH_REQUEST_BODY, "get", "list", "delete", "deletecollection")


class Coverage:
    """Finds out which requests reach the rules of a policy, as long as that does not take too long."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._left = MAX_WORK
        self.unjudged: set[int] = set()
        """The positions of the rules that would have taken too long to judge."""

    def shadowing(self, position: int) -> list[int]:
        """The positions of the earlier rules that together match all that a rule matches; empty if the rule is
        reached."""
        policy = self._policy
        requests = self._requests(policy.rules[position], policy.rules[:position], position)
        first = {policy.evaluate(request).matched_rule for request in requests}
        earlier = sorted(found for found in first if found is not None and found < position)
        return earlier if len(earlier) == len(first) else []

    def same_without(self, position: int) -> int | None:
        """The position of a later rule that would do the same for all that a rule matches; None if there is none."""
        policy = self._policy
        for later in range(position + 1, len(policy.rules)):
            if same_effect(policy.decisions[position], policy.decisions[later]):
                if self._covers(later, position):
                    return later
            elif not _disjoint(
                policy.matchers[later],
                policy.matchers[position],
                product(policy.rules[later].resources, policy.rules[position].resources),
            ):
                return None
        return None

    def secret_bodies(self, position: int) -> list[str]:
        """The verbs with which a rule records bodies of Secrets, including their values."""
        rule = self._policy.rules[position]
        decision = self._policy.decisions[position]
        if decision.level < Level.REQUEST or not records_requests(decision):
            return []
        with_body = _WITH_BODY if decision.level == Level.REQUEST_RESPONSE else _WITH_REQUEST_BODY
        names = tuple({name for entry in rule.resources for name in entry.resource_names})
        of_secrets = (GroupResources("", ("secrets",), names), GroupResources("", ("secrets",)))
        found = []
        for verb in with_body:
            narrowed = msgspec.structs.replace(rule, verbs=(verb,), resources=of_secrets, non_resource_urls=())
            requests = self._requests(narrowed, self._policy.rules, position)
            if any(self._policy.evaluate(request).matched_rule == position for request in requests):
                found.append(verb)
        return found

    def takes_patches(self, position: int) -> bool:
        """Whether patches of resources reach a rule."""
        rule = self._policy.rules[position]
        if not self._policy.matchers[position].for_resources or not (not rule.verbs or "patch" in rule.verbs):
            return False
        narrowed = msgspec.structs.replace(rule, verbs=("patch",), non_resource_urls=())
        requests = self._requests(narrowed, self._policy.rules, position)
        return any(self._policy.evaluate(request).matched_rule == position for request in requests)

    def _covers(self, later: int, position: int) -> bool:
        """Whether one rule matches everything that another does."""
        other, matcher = self._policy.matchers[later], self._policy.matchers[position]
        pairs = ((other.users, matcher.users), (other.verbs, matcher.verbs), (other.namespaces, matcher.namespaces))
        if any(wide is not None and (narrow is None or not narrow <= wide) for wide, narrow in pairs):
            return False
        requests = self._requests(self._policy.rules[position], (self._policy.rules[later],), position, cost=1)
        return bool(requests) and all(other.takes(request) for request in requests)

    def _requests(
        self, rule: PolicyRule, others: Sequence[PolicyRule], position: int, cost: int | None = None
    ) -> list[Attributes]:
        """Requests that represent all that the rule matches. If that takes too long, there are none and the rule is
        unjudged.

        ``cost`` is the number of rules that each request is tested with.
        """
        self._left -= len(others) + _MAKING
        most = self._left // (cost or len(self._policy.rules))
        requests = requests_of(rule, others, most) if most > 0 else None
        if requests is None:
            self.unjudged.add(position)
            return []
        self._left -= len(requests) * (cost or len(self._policy.rules))
        return requests


def requests_of(rule: PolicyRule, others: Sequence[PolicyRule], most: int) -> list[Attributes] | None:
    """Requests that represent all that the rule matches, as far as ``others`` tell them apart; None if there are more
    than ``most``."""
    users = _standing_for(rule.users, (other.users for other in others))
    groups = _standing_for(rule.user_groups, (other.user_groups for other in others), none="")
    verbs = _standing_for(rule.verbs, (other.verbs for other in others))
    namespaces = _standing_for(rule.namespaces, (other.namespaces for other in others))
    targets = list(_targets(rule))
    paths = list(_paths(rule))
    if prod(map(len, (users, groups, verbs))) * (len(namespaces) * len(targets) + len(paths)) > most:
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


def same_effect(one: PolicyDecision, other: PolicyDecision) -> bool:
    """Whether two decisions record the same."""
    if Level.NONE in (one.level, other.level):
        return one.level == other.level
    return one[:-1] == other[:-1]


def records(decision: PolicyDecision) -> bool:
    """Whether anything is recorded of a request, at any stage."""
    return any(decision.emits(stage) for stage in STAGES)


def records_requests(decision: PolicyDecision) -> bool:
    """Whether anything is recorded of a request that does not make the API server panic."""
    return any(decision.emits(stage) for stage in STAGES if stage != "Panic")


def _standing_for(values: Sequence[str], named: Iterable[Collection[str]], none: str = _OTHER) -> list[str]:
    """One representative of all values that the same rules name. If there are no values, one that no rule names."""
    named = [names for names in named if names]
    by_rules = {tuple(value in names for names in named): value for value in reversed(values)}
    return list(by_rules.values()) if values else [none]


def _targets(rule: PolicyRule) -> Iterator[_Target]:
    """Yields group, resource, subresource and name of what the rule matches; nothing for a rule on paths."""
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


def _disjoint(one: RuleMatcher, other: RuleMatcher, entries: Iterable[tuple[GroupResources, GroupResources]]) -> bool:
    """Whether no request can match both. ``entries`` are the pairs of their entries. False if that is not obvious."""
    pairs = ((one.users, other.users), (one.verbs, other.verbs), (one.namespaces, other.namespaces))
    if any(left is not None and right is not None and left.isdisjoint(right) for left, right in pairs):
        return True
    if not ((one.for_resources and other.for_resources) or (one.for_paths and other.for_paths)):
        return True
    both = list(entries)
    return bool(both) and all(_disjoint_entries(left, right) for left, right in both)


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
