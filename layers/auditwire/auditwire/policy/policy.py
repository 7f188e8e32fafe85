"""An ``audit.k8s.io/v1`` Policy: how much of which request is recorded. The first match wins.

The meaning of the fields: kubernetes/apiserver, pkg/apis/audit/v1/types.go. How rules match:
pkg/audit/policy/checker.go, where ``*`` is special in nonResourceURLs, in resources and, since Kubernetes 1.36, as a
group, and literal elsewhere.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from auditwire.events.level import Level
from auditwire.events.model import Event
from auditwire.policy.attributes import Attributes, attributes_of
from auditwire.policy.matching import RuleMatcher, matcher_of
from auditwire.policy.rule import FILE_NAMES, PolicyRule

STAGES: Final = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")

RESOURCE_VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
VERBS: Final = (*RESOURCE_VERBS, "proxy", "post", "put", "head", "options", "connect", "trace")
"""All verbs of requests: those on resources, and HTTP methods in lower case on other paths."""

_MAX_KEYS: Final = 4_096
_MAX_KEY_LENGTH: Final = 1_000

# The rules that may match a request with some verb: those for resources, and those for other paths.
_Rules = tuple[tuple[RuleMatcher, ...], tuple[RuleMatcher, ...]]


class PolicyError(Exception):
    """What was given is not a policy written by ``Policy.as_json``."""


class PolicyDecision(NamedTuple):
    """What a policy says about a request. Made once per rule, so that evaluating allocates nothing."""

    level: Level
    omit_stages: frozenset[str]
    omit_managed_fields: bool
    matched_rule: int | None
    """The position of the rule, from 0. None if no rule matched; then the level is None."""

    def emits(self, stage: str) -> bool:
        """Whether an event of the request is recorded at that stage."""
        return self.level is not Level.NONE and stage not in self.omit_stages


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, rename=FILE_NAMES, kw_only=True, dict=True):
    """A loaded policy. Policies compare by content. ``as_json`` and ``from_json`` carry one through a bundle."""

    rules: tuple[PolicyRule, ...]
    omit_stages: tuple[str, ...] = ()
    omit_managed_fields: bool = False

    def evaluate(self, attributes: Attributes) -> PolicyDecision:
        """What is recorded of a request. Never raises an error."""
        rules = self._by_verb.get(attributes.verb) or self._with_verb(attributes.verb)
        decisions = self.decisions
        for matcher in rules[0 if attributes.resource_request else 1]:
            if matcher.matches(attributes):
                return decisions[matcher.position]
        return decisions[-1]

    def evaluate_event(self, event: Event) -> PolicyDecision:
        """``evaluate(attributes_of(event))``. The result is remembered for requests that are alike in everything that
        the rules look at."""
        if not event.objectRef.resource:
            # Paths hardly repeat.
            return self.evaluate(attributes_of(event))
        looked_at, groups = self._looked_at
        parts = looked_at(event)
        key = (parts, *(event.user.groups or ())) if groups else parts
        decision = self._known.get(key)
        if decision is None:
            decision = self.evaluate(attributes_of(event))
            # Requests choose these values, so the number and the length of what is remembered is bounded.
            if len(str(key)) <= _MAX_KEY_LENGTH:
                if len(self._known) >= _MAX_KEYS:
                    self._known.clear()
                self._known[key] = decision
        return decision

    def as_json(self) -> dict[str, Any]:
        """The policy as plain JSON values, with the keys of a policy file and without defaults."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Policy":
        """Reads what ``as_json`` wrote. Raises PolicyError for anything else."""
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            message = f"not a policy: {error}"
            raise PolicyError(message) from None

    @cached_property
    def decisions(self) -> tuple[PolicyDecision, ...]:
        """The decision of each rule, and last the decision if none matches."""
        return (
            *(
                PolicyDecision(
                    rule.level,
                    frozenset((*self.omit_stages, *rule.omit_stages)),
                    self.omit_managed_fields if rule.omit_managed_fields is None else rule.omit_managed_fields,
                    position,
                )
                for position, rule in enumerate(self.rules)
            ),
            PolicyDecision(Level.NONE, frozenset(self.omit_stages), self.omit_managed_fields, None),
        )

    @cached_property
    def matchers(self) -> tuple[RuleMatcher, ...]:
        """What each rule matches, as sets."""
        return tuple(matcher_of(rule, position) for position, rule in enumerate(self.rules))

    @cached_property
    def _known(self) -> dict[Any, PolicyDecision]:
        return {}

    @cached_property
    def _looked_at(self) -> tuple[Callable[[Event], Any], bool]:
        """A function that takes from an event on a resource all that its decision depends on, and whether groups
        count."""
        names = {"objectRef.resource"}
        for rule in self.rules:
            if rule.users or rule.user_groups:
                names.add("user.username")
            if rule.verbs:
                names.add("verb")
            if rule.namespaces:
                names.add("objectRef.namespace")
            if rule.resources:
                names |= {"objectRef.apiGroup", "objectRef.subresource"}
            if any(entry.resource_names for entry in rule.resources):
                names |= {"objectRef.name", "verb"}
        return attrgetter(*sorted(names)), any(rule.user_groups for rule in self.rules)

    @cached_property
    def _by_verb(self) -> dict[str, _Rules]:
        # Only verbs that requests have. A policy may list any number of others.
        return {verb: self._with_verb(verb) for verb in VERBS}

    def _with_verb(self, verb: str) -> _Rules:
        matchers = [matcher for matcher in self.matchers if matcher.verbs is None or verb in matcher.verbs]
        return (
            tuple(matcher for matcher in matchers if matcher.for_resources),
            tuple(matcher for matcher in matchers if matcher.for_paths),
        )
