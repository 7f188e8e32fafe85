"""The keys of a policy file and their types, as in kubernetes/apiserver, pkg/apis/audit/v1/types.go."""

from typing import Final

from auditwire.documents.nearest import nearest
from auditwire.policy.typed import Fields, Texts

GROUP_RESOURCES: Final = Fields(
    {"group": "string", "resources": Texts(), "resourceNames": Texts()},
    {"apigroup": "group", "apigroups": "group", "groups": "group", "names": "resourceNames", "name": "resourceNames"},
)
RULE: Final = Fields(
    {
        "level": "string",
        "users": Texts(),
        "userGroups": Texts(),
        "verbs": Texts(),
        "resources": Texts(GROUP_RESOURCES),
        "namespaces": Texts(),
        "nonResourceURLs": Texts(),
        "omitStages": Texts(),
        "omitManagedFields": "bool",
    },
    {
        "group": "userGroups",
        "groups": "userGroups",
        "serviceaccount": "users",
        "serviceaccounts": "users",
        "usernames": "users",
        "path": "nonResourceURLs",
        "paths": "nonResourceURLs",
        "url": "nonResourceURLs",
        "urls": "nonResourceURLs",
        "stage": "omitStages",
        "stages": "omitStages",
        "method": "verbs",
        "methods": "verbs",
    },
)
_METADATA: Final = Fields(
    {
        **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), "string"),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), "string"),
        **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), "number"),
        **dict.fromkeys(("labels", "annotations"), "strings"),
        **dict.fromkeys(("ownerReferences", "managedFields"), "any"),
        "finalizers": Texts(),
    }
)
POLICY: Final = Fields(
    {
        "apiVersion": "string",
        "kind": "string",
        "metadata": _METADATA,
        "rules": Texts(RULE),
        "omitStages": Texts(),
        "omitManagedFields": "bool",
    },
    {"spec": "rules", "policies": "rules"},
)


def meant_key(key: str, inside: Fields) -> str:
    """The key that was probably meant; empty if there is no guess."""
    folded = key.lower().replace("_", "").replace("-", "")
    if folded in inside.meant:
        return inside.meant[folded]
    return nearest(folded, inside.keys, likeness=0.7) or ""
