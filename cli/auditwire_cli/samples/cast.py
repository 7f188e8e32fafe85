"""Who acts in the sample traffic, and how an API server would record what they do.

Every name is invented, and every address is in one of the documentation ranges 192.0.2.0/24, 198.51.100.0/24 and
203.0.113.0/24.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]

_KUBERNETES = "(linux/amd64) kubernetes/5d8a3f1"


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller of the API: a person, a controller, a node, or somebody unknown."""

    username: str
    groups: tuple[str, ...]
    address: str
    agent: str
    grant: str = ""
    """Why RBAC allows what this actor does, as in the annotation of the API server."""

    def at(self, address: str, agent: str) -> "Actor":
        """The same identity, used from another address with another program."""
        return replace(self, address=address, agent=agent)


def _service_account(namespace: str, name: str, address: str, agent: str, role: str) -> Actor:
    grant = (
        f'RBAC: allowed by ClusterRoleBinding "{name}" of ClusterRole "{role}" to ServiceAccount "{name}/{namespace}"'
    )
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return Actor(f"system:serviceaccount:{namespace}:{name}", groups, address, agent, grant)


def node(name: str, address: str) -> Actor:
    """The kubelet of a node."""
    return Actor(
        f"system:node:{name}",
        ("system:nodes", "system:authenticated"),
        address,
        f"kubelet/v1.34.2 {_KUBERNETES}",
    )


CONTROL_PLANE = "192.0.2.10"
INTRUDER = "203.0.113.66"

NODES = (
    node("worker-birch", "192.0.2.21"),
    node("worker-cedar", "192.0.2.22"),
    node("worker-maple", "192.0.2.23"),
)
SCHEDULER = Actor(
    "system:kube-scheduler",
    ("system:authenticated",),
    CONTROL_PLANE,
    f"kube-scheduler/v1.34.2 {_KUBERNETES}",
    'RBAC: allowed by ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler"',
)
CONTROLLER_MANAGER = Actor(
    "system:kube-controller-manager",
    ("system:authenticated",),
    CONTROL_PLANE,
    f"kube-controller-manager/v1.34.2 {_KUBERNETES}",
    'RBAC: allowed by ClusterRoleBinding "system:kube-controller-manager"',
)
DEPLOYMENTS = _service_account(
    "kube-system",
    "deployment-controller",
    CONTROL_PLANE,
    f"kube-controller-manager/v1.34.2 {_KUBERNETES}",
    "system:controller:deployment-controller",
)
REPLICA_SETS = _service_account(
    "kube-system",
    "replicaset-controller",
    CONTROL_PLANE,
    f"kube-controller-manager/v1.34.2 {_KUBERNETES}",
    "system:controller:replicaset-controller",
)
METRICS = _service_account("monitoring", "collector", "192.0.2.23", "collector/0.119", "metrics-reader")
DEPLOYER = _service_account("ci", "deployer", "192.0.2.40", f"kubectl/v1.34.1 {_KUBERNETES}", "edit")
CART = _service_account("shop", "cart", "192.0.2.22", "cart/2.7", "view")
MIRA = Actor(
    "mira@larkspur.example",
    ("developers", "system:authenticated"),
    "198.51.100.14",
    "kubectl/v1.34.1 (darwin/arm64) kubernetes/93248f9",
    'RBAC: allowed by RoleBinding "developers/shop" of ClusterRole "edit" to Group "developers"',
)
TOMAS = Actor(
    "tomas@larkspur.example",
    ("developers", "system:authenticated"),
    "198.51.100.27",
    f"kubectl/v1.33.4 {_KUBERNETES}",
    'RBAC: allowed by RoleBinding "developers/payments" of ClusterRole "edit" to Group "developers"',
)
ANONYMOUS = Actor("system:anonymous", ("system:unauthenticated",), INTRUDER, "Mozilla/5.0 zgrab/0.x")
PROBE = Actor(
    "system:anonymous",
    ("system:unauthenticated",),
    CONTROL_PLANE,
    "kube-probe/1.34",
    'RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole "system:public-info-viewer"',
)

# KubeSphere's own users: the console is their agent, the platform's groups are theirs.
CONSOLE = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
YUN = Actor("yun", ("system:authenticated",), "198.51.100.31", CONSOLE)
PAVEL = Actor("pavel", ("system:authenticated",), "198.51.100.32", CONSOLE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about. Without a resource it is the path itself, such as ``/healthz``."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    group: str = ""
    version: str = "v1"
    path: str = ""

    @property
    def uri(self) -> str:
        """The request path."""
        if not self.resource:
            return self.path
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        space = f"/namespaces/{self.namespace}" if self.namespace else ""
        rest = "".join(f"/{part}" for part in (self.resource, self.name, self.subresource) if part)
        return root + space + rest

    @property
    def reference(self) -> Json | None:
        """The event's objectRef, None for a path."""
        given = {
            "resource": self.resource,
            "namespace": self.namespace,
            "name": self.name,
            "apiGroup": self.group,
            "apiVersion": self.version,
            "subresource": self.subresource,
        }
        return {key: value for key, value in given.items() if value} if self.resource else None


@dataclass(frozen=True, slots=True)
class Sample:
    """One event of the story, and when it was written."""

    at: datetime
    event: Json


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes events as an API server would; always the same ones for the same seed and start."""

    start: datetime
    random: Random

    def suffix(self, length: int = 5) -> str:
        """The end of a generated name, from the letters that Kubernetes uses."""
        return "".join(self.random.choices("bcdfghjklmnpqrstvwxz2456789", k=length))

    def write(
        self,
        second: float,
        who: Actor | None,
        verb: str,
        target: Target,
        *,
        code: int = 200,
        stage: str = "ResponseComplete",
        body: object = None,
        answer: object = None,
        query: Sequence[tuple[str, str]] | Mapping[str, str] = (),
        message: str = "",
        **more: Any,
    ) -> Sample:
        """The event of one request, made ``second`` seconds into the story.

        Its level follows from the given bodies. ``who`` is None where authentication failed; such an event has no user.
        ``more`` are further top-level keys, which replace those made here.
        """
        received = self.start + timedelta(seconds=second + self.random.random() * 0.4)
        written = received + timedelta(microseconds=self.random.randint(900, 45_000))
        status: Json = {"metadata": {}, "code": code}
        if code >= 400:
            status |= {"status": "Failure", "reason": _REASONS.get(code, "Unknown"), "message": message}
        event: Json = {
            "level": "RequestResponse" if answer is not None else "Request" if body is not None else "Metadata",
            "auditID": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "stage": stage,
            "requestURI": target.uri + (f"?{urlencode(query)}" if query else ""),
            "verb": verb,
            "user": {"username": who.username, "groups": list(who.groups)} if who else {},
            "sourceIPs": [who.address if who else INTRUDER],
            "userAgent": who.agent if who else "python-requests/2.32",
            "objectRef": target.reference,
            "responseStatus": status,
            "requestObject": body,
            "responseObject": answer,
            "requestReceivedTimestamp": _micro_time(received),
            "stageTimestamp": _micro_time(written),
        }
        if who:
            forbidden = code == 403
            event["annotations"] = {
                "authorization.k8s.io/decision": "forbid" if forbidden else "allow",
                "authorization.k8s.io/reason": "" if forbidden else who.grant,
            }
        event |= more
        return Sample(written, {key: value for key, value in event.items() if value is not None})


_REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}


def _micro_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
