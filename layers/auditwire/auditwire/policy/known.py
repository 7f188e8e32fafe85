"""The names that requests to a cluster really have, to tell a rule that matches nothing from one that does."""

from typing import Final

from auditwire.policy.policy import RESOURCE_VERBS

NAMELESS_VERBS: Final = ("create", "list", "watch", "deletecollection")
"""Requests with these verbs name no object, except on subresources or with a field selector on metadata.name."""

_HTTP_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "connect", "trace")
# ks-apiserver adds two groups for users.
_OF_RESOURCES: Final = frozenset((*RESOURCE_VERBS, "proxy", "enable", "disable"))
_OF_PATHS: Final = frozenset(_HTTP_METHODS)
_MEANT_VERBS: Final = {
    "post": "create", "put": "update", "read": "get", "edit": "update", "modify": "update", "add": "create",
    "remove": "delete", "apply": "patch", "head": "get",
}  # fmt: skip
_SUBRESOURCES: Final = {"exec": "pods/exec", "attach": "pods/attach", "portforward": "pods/portforward",
                        "log": "pods/log", "logs": "pods/log", "scale": "deployments/scale"}  # fmt: skip

_RESOURCES: Final[dict[str, tuple[str, ...]]] = {
    "": ("pods", "secrets", "configmaps", "services", "nodes", "namespaces", "serviceaccounts", "persistentvolumes",
         "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "limitranges", "podtemplates",
         "bindings", "componentstatuses"),
    "apps": ("deployments", "daemonsets", "statefulsets", "replicasets", "controllerrevisions"),
    "batch": ("jobs", "cronjobs"),
    "rbac.authorization.k8s.io": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
    "networking.k8s.io": ("ingresses", "ingressclasses", "networkpolicies"),
    "storage.k8s.io": ("storageclasses", "volumeattachments", "csidrivers", "csinodes"),
    "authentication.k8s.io": ("tokenreviews",),
    "authorization.k8s.io": ("subjectaccessreviews", "selfsubjectaccessreviews", "localsubjectaccessreviews"),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "certificates.k8s.io": ("certificatesigningrequests",),
    "coordination.k8s.io": ("leases",),
    "policy": ("poddisruptionbudgets",),
    "autoscaling": ("horizontalpodautoscalers",),
}  # fmt: skip
_GROUP_OF: Final = {resource: group for group, resources in _RESOURCES.items() for resource in resources}
_MEANT_GROUPS: Final = {"core": "", "v1": "", "api": "", "app": "apps", "rbac": "rbac.authorization.k8s.io"} | {
    group.partition(".")[0]: group for group in _RESOURCES if "." in group
}
_SHORT: Final = {
    "po": "pods", "cm": "configmaps", "svc": "services", "no": "nodes", "ns": "namespaces", "sa": "serviceaccounts",
    "pv": "persistentvolumes", "pvc": "persistentvolumeclaims", "deploy": "deployments", "ds": "daemonsets",
    "sts": "statefulsets", "rs": "replicasets", "cj": "cronjobs", "ing": "ingresses", "netpol": "networkpolicies",
    "crd": "customresourcedefinitions", "csr": "certificatesigningrequests", "hpa": "horizontalpodautoscalers",
    "rc": "replicationcontrollers", "quota": "resourcequotas", "limits": "limitranges", "sc": "storageclasses",
    "pdb": "poddisruptionbudgets",
}  # fmt: skip


_BELOW: Final[dict[str, tuple[str, ...]]] = {
    "pods": ("status", "log", "exec", "attach", "portforward", "proxy", "binding", "eviction", "ephemeralcontainers",
             "resize"),
    "services": ("status", "proxy"),
    "nodes": ("status", "proxy"),
    "namespaces": ("status", "finalize"),
    "serviceaccounts": ("token",),
    "certificatesigningrequests": ("status", "approval"),
    **dict.fromkeys(("deployments", "replicasets", "statefulsets", "replicationcontrollers"), ("status", "scale")),
    **dict.fromkeys(
        ("daemonsets", "jobs", "cronjobs", "persistentvolumes", "persistentvolumeclaims", "resourcequotas",
         "ingresses", "networkpolicies", "customresourcedefinitions", "poddisruptionbudgets",
         "horizontalpodautoscalers", "volumeattachments"),
        ("status",),
    ),
}  # fmt: skip
_BELOW["deployments"] += ("rollback",)  # before apps/v1
_EVERY_SUBRESOURCE: Final = tuple(dict.fromkeys(name for names in _BELOW.values() for name in names))
_MEANT_BELOW: Final = {
    "logs": "log", "tokens": "token", "execs": "exec", "attachment": "attach", "port-forward": "portforward",
    "port-forwards": "portforward", "approve": "approval", "evict": "eviction", "bind": "binding",
    "ephemeralcontainer": "ephemeralcontainers", "scales": "scale", "state": "status", "statuses": "status",
}  # fmt: skip

_GROUPS: Final = frozenset((
    "system:masters", "system:authenticated", "system:unauthenticated", "system:nodes", "system:serviceaccounts",
    "system:monitoring", "system:bootstrappers", "system:cluster-admins", "kubeadm:cluster-admins",
    "system:authenticated:oauth",
))  # fmt: skip
_USERS: Final = frozenset((
    "system:anonymous", "system:admin", "system:apiserver", "system:kube-controller-manager", "system:kube-scheduler",
    "system:kube-proxy", "system:cloud-controller-manager", "kubernetes-admin",
))  # fmt: skip
_GROUP_BEGINNINGS: Final = ("system:serviceaccounts:", "system:bootstrappers:")
_USER_BEGINNINGS: Final = ("system:serviceaccount:", "system:node:")


def _singular(plural: str) -> str:
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return plural.removesuffix("es") if plural.endswith("sses") else plural.removesuffix("s")


# Where resources were before, or are besides.
_FORMER_GROUPS: Final = {"deployments": "extensions", "daemonsets": "extensions", "replicasets": "extensions",
                         "ingresses": "extensions", "networkpolicies": "extensions"}  # fmt: skip
_MEANT_RESOURCES: Final = _SHORT | {_singular(plural): plural for plural in _GROUP_OF} | {"ingres": "ingresses"}


def verb_problem(verb: str, *, on_resources: bool, on_paths: bool) -> str | None:
    """The hint for a verb that no such request has; None for a verb that requests have."""
    if (on_resources and verb in _OF_RESOURCES) or (on_paths and verb in _OF_PATHS):
        return None
    folded = verb.lower()
    if folded != verb and verb_problem(folded, on_resources=on_resources, on_paths=on_paths) is None:
        return f"write it in lower case: {folded}"
    if on_resources and folded in _SUBRESOURCES:
        return f"that is a subresource: write resources: [{_SUBRESOURCES[folded]}], where the verb is create or get"
    if on_resources and folded in _MEANT_VERBS:
        return f"did you mean {_MEANT_VERBS[folded]}?"
    verbs = RESOURCE_VERBS if on_resources else _HTTP_METHODS
    return f"requests have {', '.join(verbs)}"


def is_group_name(name: str) -> bool:
    """Whether this is a group of users of Kubernetes, which no user is called."""
    return name in _GROUPS or name.startswith(_GROUP_BEGINNINGS)


def is_user_name(name: str) -> bool:
    """Whether this is a user of Kubernetes, which no group is called."""
    return name in _USERS or name.startswith(_USER_BEGINNINGS)


def is_subresource_word(verb: str) -> bool:
    """Whether what stands as a verb is a subresource."""
    return verb.lower() in _SUBRESOURCES


def subresource_problem(below: str) -> str | None:
    """The hint for a subresource that no resource has; None for one that some resource may have."""
    folded = below.lower()
    if below in _EVERY_SUBRESOURCE:
        return None
    if folded in _EVERY_SUBRESOURCE:
        return f"write it in lower case: {folded}"
    meant = _MEANT_BELOW.get(folded)
    return f"did you mean {meant}?" if meant else None


def group_problem(group: str) -> str | None:
    """The hint for what cannot be an API group in an event; None for what may be one."""
    name, slash, version = group.partition("/")
    if slash:
        return f"write {name or group}; the version {version} is a field of its own"
    meant = group_meant(group)
    return None if meant is None else f"did you mean {meant}?" if meant else 'the core group is ""'


def group_meant(group: str) -> str | None:
    """The API group that is meant by a name that is not an API group; None for any other name."""
    return _MEANT_GROUPS.get(group)


def resource_meant(name: str) -> str:
    """The resource that is meant by its name, its singular or its short name, in any casing."""
    folded = name.lower()
    return _MEANT_RESOURCES.get(folded, folded)


def groups_of(resource: str) -> tuple[str, ...] | None:
    """The API groups that have this resource of Kubernetes, the present one first; None for any other resource."""
    if resource not in _GROUP_OF:
        return None
    former = _FORMER_GROUPS.get(resource)
    return (_GROUP_OF[resource], *([former] if former else []))


def subresources_of(resource: str) -> tuple[str, ...] | None:
    """The subresources that this resource of Kubernetes has; None for any other resource."""
    return _BELOW.get(resource, ()) if resource in _GROUP_OF else None


def resource_problem(resource: str, group: str) -> tuple[str, str] | None:
    """Why a resource of a group cannot exist, and the hint; None if it may exist."""
    name, _, below = resource.partition("/")
    if "/" in below:
        return f"{resource!r} has more than one slash", "a subresource is written RESOURCE/SUBRESOURCE"
    folded = name.lower()
    if name != folded or folded in _MEANT_RESOURCES:
        meant = _MEANT_RESOURCES.get(folded, folded)
        return f"there is no resource {name!r}", f"did you mean {meant}? Resources are lower-case plurals"
    there = _GROUP_OF.get(name)
    if there is not None and there != group and group in _RESOURCES:
        wrong = f"the group {group}" if group else "the core group"
        return f"{wrong} has no {name}", f"they are in group {there}" if there else 'they are in the core group, ""'
    return _problem_below(name, below, group) if below and below != "*" else None


def _problem_below(name: str, below: str, group: str) -> tuple[str, str] | None:
    there = subresources_of(name) if group in (groups_of(name) or ()) else None
    hint = subresource_problem(below)
    if there is not None and below not in there:
        known = f"{name} have {', '.join(there)}" if there else f"{name} have no subresources"
        return f"there is no {name}/{below}", (hint or known).replace("did you mean ", f"did you mean {name}/")
    return (f"there is no subresource {below!r}", hint) if hint else None
