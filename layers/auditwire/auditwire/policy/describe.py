"""Describing in words what a rule matches, for people who wrote something other than they intended."""

from collections.abc import Sequence
from typing import Final

from auditwire.policy.rule import GroupResources, PolicyRule

_MAX_SHOWN: Final = 4


def describe(rule: PolicyRule) -> str:
    """What a rule matches: ``every verb on secrets in every namespace by everybody``; ``every request``."""
    verbs = listed(rule.verbs, "every verb")
    if rule.resources or rule.namespaces:
        resources = listed([_resources(entry) for entry in rule.resources], "every resource")
        text = f"{verbs} on {resources} in {_namespaces(rule.namespaces)}"
    elif rule.non_resource_urls:
        text = f"{verbs} on the paths {listed(rule.non_resource_urls)}"
    elif rule.verbs or rule.users or rule.user_groups:
        text = f"{verbs} on everything"
    else:
        return "every request"
    return f"{text} by {_who(rule)}"


def listed(words: Sequence[str], none: str = "") -> str:
    """The first words of a list, joined, and how many more there are. ``none`` for an empty list."""
    shown = ", ".join(words[:_MAX_SHOWN])
    return f"{shown} and {len(words) - _MAX_SHOWN:,} more" if len(words) > _MAX_SHOWN else shown or none


def _resources(entry: GroupResources) -> str:
    group = f".{entry.group}" if entry.group else ""
    if not entry.resources:
        return f"everything of {f'group {entry.group}' if entry.group else 'the core group'}"
    names = f" named {listed(entry.resource_names)}" if entry.resource_names else ""
    return f"{listed([resource + group for resource in entry.resources])}{names}"


def _namespaces(namespaces: Sequence[str]) -> str:
    return listed([name or "no namespace" for name in namespaces], "every namespace")


def _who(rule: PolicyRule) -> str:
    groups = f"members of {listed(rule.user_groups)}" if rule.user_groups else ""
    if not rule.users:
        return groups or "everybody"
    return f"{listed(rule.users)}{f' if {groups}' if groups else ''}"
