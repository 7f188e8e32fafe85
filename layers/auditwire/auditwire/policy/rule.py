"""One rule of a policy, as data. What the fields mean: kubernetes/apiserver, pkg/apis/audit/v1/types.go."""

from typing import Final

import msgspec

from auditwire.events.level import Level

FILE_NAMES: Final = {
    "resource_names": "resourceNames",
    "user_groups": "userGroups",
    "non_resource_urls": "nonResourceURLs",
    "omit_stages": "omitStages",
    "omit_managed_fields": "omitManagedFields",
}
"""How a policy file spells the fields whose Python name differs."""


class GroupResources(msgspec.Struct, frozen=True, omit_defaults=True, rename=FILE_NAMES):
    """Resources of one API group; without ``resources`` all of the group, without ``resource_names`` of any name."""

    group: str = ""
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class PolicyRule(msgspec.Struct, frozen=True, omit_defaults=True, rename=FILE_NAMES, kw_only=True):
    """One rule. Selectors that are empty restrict nothing; those that are not must all match."""

    level: Level
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()
    omit_stages: tuple[str, ...] = ()
    omit_managed_fields: bool | None = None
