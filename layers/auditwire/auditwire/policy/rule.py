"""One rule of a policy, as data. The meaning of the fields: kubernetes/apiserver, pkg/apis/audit/v1/types.go."""

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
"""The spelling in policy files of the fields whose Python name differs."""


class GroupResources(msgspec.Struct, frozen=True, omit_defaults=True, rename=FILE_NAMES):
    """Resources of one API group. No ``resources`` means all of the group, no ``resource_names`` means any name."""

    group: str = ""
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class PolicyRule(msgspec.Struct, frozen=True, omit_defaults=True, rename=FILE_NAMES, kw_only=True):
    """One rule. Empty selectors restrict nothing; all others must match."""

    level: Level
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()
    omit_stages: tuple[str, ...] = ()
    omit_managed_fields: bool | None = None
