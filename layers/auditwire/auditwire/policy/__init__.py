"""Audit policies of Kubernetes (``audit.k8s.io/v1``): which part of a request is recorded. Loading, evaluating,
checking.

The names for reading policy files need YAML, so they are imported when they are first used. A function that takes its
policy from a bundle never imports YAML.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from auditwire.policy.attributes import Attributes, AttributesError, attributes_of
from auditwire.policy.policy import Policy, PolicyDecision, PolicyError
from auditwire.policy.rule import GroupResources, PolicyRule

if TYPE_CHECKING:
    from auditwire.policy.check import check_policy
    from auditwire.policy.load import LoadedPolicy, load_policy
    from auditwire.policy.recommended import TRUNCATE_FLAG, Patches, recommended_policy
    from auditwire.policy.validate import PolicyFault

__all__ = [
    "TRUNCATE_FLAG",
    "Attributes",
    "AttributesError",
    "GroupResources",
    "LoadedPolicy",
    "Patches",
    "Policy",
    "PolicyDecision",
    "PolicyError",
    "PolicyFault",
    "PolicyRule",
    "attributes_of",
    "check_policy",
    "load_policy",
    "recommended_policy",
]

_LAZY: Final = {
    "TRUNCATE_FLAG": "auditwire.policy.recommended",
    "LoadedPolicy": "auditwire.policy.load",
    "Patches": "auditwire.policy.recommended",
    "PolicyFault": "auditwire.policy.validate",
    "check_policy": "auditwire.policy.check",
    "load_policy": "auditwire.policy.load",
    "recommended_policy": "auditwire.policy.recommended",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
