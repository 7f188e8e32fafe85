"""One rule of a policy as sets for fast lookup."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from auditwire.policy.attributes import Attributes
from auditwire.policy.rule import GroupResources, PolicyRule

ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class _Target:
    """Resources of one group, by the forms in which a rule can name them."""

    everything: bool
    named: frozenset[str]
    """Exactly these, such as ``pods`` and ``pods/log``."""
    subresources: frozenset[str]
    """A subresource of any resource: ``status`` of ``*/status``."""
    with_subresources: frozenset[str]
    """A resource and everything below it: ``pods`` of ``pods/*``."""
    names: frozenset[str] | None

    def matches(self, attributes: Attributes) -> bool:
        if self.names is not None and attributes.name not in self.names:
            return False
        return self.takes(attributes.resource, attributes.subresource)

    def takes(self, resource: str, below: str) -> bool:
        """Whether it names a resource, or a subresource of it, whatever the object is called."""
        if self.everything or resource in self.with_subresources:
            return True
        if not below:
            return resource in self.named
        return below in self.subresources or f"{resource}/{below}" in self.named


@dataclass(frozen=True, slots=True)
class RuleMatcher:
    """The selectors of one rule. None means no restriction."""

    position: int
    for_resources: bool
    for_paths: bool
    verbs: frozenset[str] | None
    users: frozenset[str] | None
    groups: frozenset[str] | None
    namespaces: frozenset[str] | None
    targets: dict[str, tuple[_Target, ...]] | None
    targets_of_any_group: tuple[_Target, ...]
    paths: frozenset[str] | None
    path_prefixes: tuple[str, ...]

    def matches(self, attributes: Attributes) -> bool:
        """Whether the rule matches a request that has one of its verbs and is of its kind (see the index of Policy)."""
        if self.users is not None and attributes.user not in self.users:
            return False
        if self.groups is not None and (attributes.user is None or self.groups.isdisjoint(attributes.groups)):
            return False
        if not attributes.resource_request:
            return self.paths is None or attributes.path in self.paths or attributes.path.startswith(self.path_prefixes)
        if self.namespaces is not None and attributes.namespace not in self.namespaces:
            return False
        if self.targets is None:
            return True
        targets = self.targets.get(attributes.group, self.targets_of_any_group)
        # A plain loop: any() with a generator costs more than the tests themselves.
        for target in targets:  # noqa: SIM110
            if target.matches(attributes):
                return True
        return False

    def takes(self, attributes: Attributes) -> bool:
        """Whether the rule matches a request of any kind and verb."""
        if not (self.for_resources if attributes.resource_request else self.for_paths):
            return False
        return (self.verbs is None or attributes.verb in self.verbs) and self.matches(attributes)


def matcher_of(rule: PolicyRule, position: int) -> RuleMatcher:
    """The matcher of a valid rule. A rule that names namespaces or resources only applies to resources."""
    of_resources = bool(rule.namespaces or rule.resources)
    urls = rule.non_resource_urls
    targets, targets_of_any_group = _targets(rule.resources)
    return RuleMatcher(
        position=position,
        for_resources=of_resources or not urls,
        for_paths=not of_resources,
        verbs=_set(rule.verbs),
        users=_set(rule.users),
        groups=_set(rule.user_groups),
        namespaces=_set(rule.namespaces),
        targets=targets if rule.resources else None,
        targets_of_any_group=targets_of_any_group,
        paths=_set(urls),
        path_prefixes=tuple(url.rstrip(ANY) for url in urls if url.endswith(ANY)),
    )


def _targets(resources: Iterable[GroupResources]) -> tuple[dict[str, tuple[_Target, ...]], tuple[_Target, ...]]:
    """The targets by group, each including those of ``group: "*"``, and the latter by themselves for all other
    groups."""
    resources = tuple(resources)
    groups = {entry.group for entry in resources}
    by_group = {
        group: tuple(_target(entry) for entry in resources if entry.group in (group, ANY)) for group in groups - {ANY}
    }
    return by_group, tuple(_target(entry) for entry in resources if entry.group == ANY)


def _target(entry: GroupResources) -> _Target:
    return _Target(
        everything=not entry.resources or ANY in entry.resources,
        named=frozenset(entry.resources),
        subresources=frozenset(name.removeprefix("*/") for name in entry.resources if name.startswith("*/")),
        with_subresources=frozenset(name.removesuffix("/*") for name in entry.resources if name.endswith("/*")),
        # The loader refuses names without resources, where they would restrict nothing.
        names=_set(entry.resource_names) if entry.resources else None,
    )


def _set(values: tuple[str, ...]) -> frozenset[str] | None:
    return frozenset(values) if values else None
