"""Realistic audit traffic with a fixed seed: the same batches every time.

The mix of a production cluster: 62 % reads without bodies (about 1 kB), 35 % writes with a requestObject (about 3 kB),
the rest without one; a few hundred users, namespaces and agents; now and then something worth an alert.
"""

import gzip
import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

SEED: Final = 20_261_121

_CAPTURES: Final = Path(__file__).parents[1] / "tests" / "data" / "captures"
_HEAD: Final = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['

_NAMESPACES: Final = [
    "kube-system",
    "monitoring",
    "default",
    *(f"team-{team}-{app}" for team in "abcdef" for app in range(8)),
]
_CONTROLLERS: Final = [
    f"system:serviceaccount:kube-system:{name}-controller"
    for name in ("deployment", "replicaset", "endpoint", "job", "cronjob", "namespace", "node", "pv-protection")
]
_PEOPLE: Final = [f"user-{number}@example.com" for number in range(120)]
_DEPLOYERS: Final = [f"system:serviceaccount:team-{number}:deployer" for number in range(24)]
_AGENTS: Final = [
    "kube-controller-manager/v1.34.1 (linux/amd64) kubernetes/93248f9/system:serviceaccount:kube-system",
    "kubelet/v1.34.1 (linux/amd64) kubernetes/93248f9",
    "kube-scheduler/v1.34.1 (linux/amd64) kubernetes/93248f9/leader-election",
    "kubectl/v1.33.2 (darwin/arm64) kubernetes/a57b6f7",
    "kubectl/v1.19.3 (linux/amd64) kubernetes/1e11e4a",
    "helm/v3.18.4",
    "argocd-application-controller/v3.1.0",
    "python-requests/2.32.4",
    "curl/8.7.1",
    *(f"operator-{n}/v0.{n}.1 (linux/amd64) kubernetes/$Format" for n in range(30)),
]
_READ: Final = ["pods", "configmaps", "leases", "nodes", "endpoints", "services", "secrets", "deployments", "events"]
_WRITTEN: Final = [
    "pods",
    "leases",
    "configmaps",
    "deployments",
    "replicasets",
    "services",
    "events",
    "jobs",
    "rolebindings",
]


def batches(count: int, size: int = 400, *, seed: int = SEED) -> list[bytes]:
    """This many EventList bodies of ``size`` events each, as kube-apiserver sends them."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret about it
    return [
        _HEAD + b",".join(orjson.dumps(_event(dice, batch * size + number)) for number in range(size)) + b"]}\n"
        for batch in range(count)
    ]


def at_level(body: bytes, level: str) -> bytes:
    """The same batch as a policy of this level would have it: ``Metadata`` without bodies, ``Request`` as it is,
    ``RequestResponse`` with a responseObject of every write: the object that was sent, with what a server adds."""
    batch = orjson.loads(body)
    for event in batch["items"]:
        event["level"] = level
        sent = event.get("requestObject")
        if level == "Metadata":
            event.pop("requestObject", None)
        elif level == "RequestResponse" and sent is not None:
            managed = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:containers": {}}}}]
            added = {"uid": event["auditID"], "resourceVersion": "1", "managedFields": managed}
            event["responseObject"] = {
                **sent,
                "metadata": {**sent["metadata"], **added},
                "status": {"phase": "Running"},
            }
    return orjson.dumps(batch) + b"\n"


def never_again(bodies: Sequence[bytes]) -> list[bytes]:
    """The same batches with users, names, addresses and agents that no other event has: what an attacker, or a cluster
    of short-lived jobs, sends. Nothing that is remembered about a value helps."""
    number, changed = itertools.count(), []
    for body in bodies:
        batch = orjson.loads(body)
        for event in batch["items"]:
            here = f"{next(number):x}"
            event["user"]["username"] += here
            event["userAgent"] += here
            event["sourceIPs"] = [f"2001:db8::{here[-4:]}"]
            event["objectRef"]["name"] += here
            event["requestURI"] = event["requestURI"].replace("?", f"{here}?")
        changed.append(orjson.dumps(batch) + b"\n")
    return changed


def captured(size: int = 400) -> list[bytes]:
    """The events of the logs that a real kube-apiserver wrote, as batches of a webhook."""
    lines: list[bytes] = []
    for path in sorted(_CAPTURES.glob("kube-apiserver-*audit-log*.gz")):
        lines += gzip.decompress(path.read_bytes()).splitlines()
    return [_HEAD + b",".join(lines[at : at + size]) + b"]}\n" for at in range(0, len(lines), size)]


def _event(dice: random.Random, number: int) -> dict[str, Any]:
    kind = dice.random()
    read = kind < 0.62
    resource = dice.choice(_READ if read else _WRITTEN)
    verb = (
        dice.choice(("get", "get", "list", "watch")) if read else dice.choice(("update", "patch", "create", "delete"))
    )
    user = dice.choice(_CONTROLLERS if dice.random() < 0.7 else _PEOPLE if dice.random() < 0.6 else _DEPLOYERS)
    namespace, name = dice.choice(_NAMESPACES), f"{resource[:-1]}-{dice.randrange(400)}"
    second = f"{number // 40 % 60:02}.{number * 7919 % 1_000_000:06}"
    # In the order of kube-apiserver, whose encoder writes the fields of a Go type as they are declared.
    event: dict[str, Any] = {
        "level": "Metadata" if read else "Request",
        "auditID": f"{dice.getrandbits(32):08x}-{number:04x}-4000-8000-{dice.getrandbits(48):012x}",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/{namespace}/{resource}/{name}?timeout=10s",
        "verb": verb,
        "user": {
            "username": user,
            "uid": f"{dice.getrandbits(64):016x}",
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={dice.getrandbits(128):032x}"]},
        },
        "sourceIPs": [f"10.{dice.randrange(4)}.{dice.randrange(250)}.{dice.randrange(250)}"],
        "userAgent": dice.choice(_AGENTS),
        "objectRef": {
            "resource": resource,
            "namespace": namespace,
            "name": name,
            "apiVersion": "v1",
            "resourceVersion": str(number),
        },
        "responseStatus": {"metadata": {}, "code": dice.choice((200, 200, 200, 200, 201, 403, 404))},
    }
    if not read and kind < 0.97:
        event["requestObject"] = _body(dice, resource, namespace, name)
    return event | {
        "requestReceivedTimestamp": f"2026-11-21T22:{number // 2400 % 60:02}:{second}Z",
        "stageTimestamp": f"2026-11-21T22:{number // 2400 % 60:02}:{second}Z",
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": f'RBAC: allowed by RoleBinding "{resource}" of "edit" to User "{user}"',
        },
    }


def _body(dice: random.Random, resource: str, namespace: str, name: str) -> dict[str, Any]:
    labels = {f"app.kubernetes.io/{key}": f"{name}-{key}" for key in ("name", "instance", "part-of", "managed-by")}
    containers = [
        {
            "name": f"container-{index}",
            "image": f"registry.example.com/team/{name}:{dice.randrange(90)}.{dice.randrange(90)}",
            "ports": [{"containerPort": 8080 + port, "protocol": "TCP"} for port in range(dice.randrange(3))],
            "env": [
                {"name": f"SETTING_{n}", "value": f"value-{dice.getrandbits(40):010x}"}
                for n in range(dice.randrange(12))
            ],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"privileged": dice.random() < 0.002, "runAsUser": dice.choice((1000, 65534))},
        }
        for index in range(1 + dice.randrange(3))
    ]
    spec: dict[str, Any] = {
        "containers": containers,
        "serviceAccountName": "default",
        "hostNetwork": dice.random() < 0.004,
    }
    if resource in ("deployments", "replicasets", "jobs"):
        spec = {"replicas": dice.randrange(9), "template": {"metadata": {"labels": labels}, "spec": spec}}
    return {
        "kind": resource[:-1].title(),
        "apiVersion": "v1",
        "spec": spec,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {"checksum": f"{dice.getrandbits(256):064x}"},
        },
    }
