"""The other half of the sample traffic: an outsider finds a token, reads Secrets and works towards the nodes."""

from collections.abc import Iterator
from dataclasses import replace

from auditwire_cli.samples.cast import (
    ANONYMOUS,
    CART,
    DEPLOYER,
    INTRUDER,
    Actor,
    Json,
    Recorder,
    Sample,
    Target,
)

_KUBECTL = "kubectl/v1.32.0 (linux/amd64) kubernetes/70d3cc9"


def intrusion(recorder: Recorder) -> Iterator[Sample]:
    """Five minutes of an attack, in which each step is an event that a rule may look for."""
    yield from _knocking(recorder, 240)
    yield from _looking_around(recorder, 300)
    yield from _shell(
        recorder, 360, DEPLOYER.at(INTRUDER, _KUBECTL), Target("pods", "shop", "checkout-7d9c5b6f4-x2k8w"), "app"
    )
    yield from _towards_the_nodes(recorder, 420)
    yield from _covering_tracks(recorder, 540)


def _knocking(recorder: Recorder, second: float) -> Iterator[Sample]:
    tried = ("/", "/version", "/api", "/apis", "/openapi/v2", "/console/", "/.env", "/swagger.json")
    for step, path in enumerate(tried):
        allowed = path == "/version"
        refusal = "" if allowed else f'forbidden: User "system:anonymous" cannot get path "{path}"'
        yield recorder.write(
            second + 2 * step, ANONYMOUS, "get", Target(path=path), code=200 if allowed else 403, message=refusal
        )
    for step, resource in enumerate(("secrets", "pods", "nodes")):
        refusal = f'{resource} is forbidden: User "system:anonymous" cannot list resource "{resource}"'
        yield recorder.write(second + 18 + 2 * step, ANONYMOUS, "list", Target(resource), code=403, message=refusal)
    for step in range(4):
        # A failed authentication gives one event, at ResponseStarted, without a user.
        yield recorder.write(
            second + 28 + 3 * step, None, "get", Target("namespaces"), code=401, stage="ResponseStarted",
            message="Authentication failed, attempted: bearer",
        )  # fmt: skip


def _looking_around(recorder: Recorder, second: float) -> Iterator[Sample]:
    cart, deployer = CART.at(INTRUDER, _KUBECTL), DEPLOYER.at(INTRUDER, _KUBECTL)
    for step, who in enumerate((cart, deployer)):
        reviews = Target("selfsubjectrulesreviews", group="authorization.k8s.io")
        yield recorder.write(second + 20 * step, who, "create", reviews, code=201, body={"spec": {"namespace": "shop"}})
    refusal = f'secrets is forbidden: User "{cart.username}" cannot list resource "secrets"'
    for step, namespace in enumerate(("shop", "payments", "kube-system")):
        yield recorder.write(
            second + 4 + 3 * step, cart, "list", Target("secrets", namespace), code=403, message=refusal
        )
    yield recorder.write(second + 24, deployer, "list", Target("secrets"), query={"limit": "500"})
    for step, name in enumerate(("card-gateway", "ledger-database", "registry-pull")):
        yield recorder.write(second + 30 + 3 * step, deployer, "get", Target("secrets", "payments", name))
    token = Target("serviceaccounts", "monitoring", "collector", "token")
    yield recorder.write(second + 45, deployer, "create", token, code=201)


def _shell(recorder: Recorder, second: float, who: Actor, pod: Target, container: str) -> Iterator[Sample]:
    # Since kubectl 1.30 exec is a GET that upgrades to a WebSocket, so a rule for `create` alone misses it.
    command = ("cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    query = [*(("command", word) for word in command), ("container", container), ("stdin", "true"), ("stdout", "true")]
    target = replace(pod, subresource="exec")
    started = recorder.write(second, who, "get", target, code=101, stage="ResponseStarted", query=query)
    yield started
    yield recorder.write(second + 9, who, "get", target, code=101, query=query, auditID=started.event["auditID"])
    yield recorder.write(
        second + 20, who, "create", replace(pod, subresource="portforward"), code=101, stage="ResponseStarted"
    )


def _towards_the_nodes(recorder: Recorder, second: float) -> Iterator[Sample]:
    who = DEPLOYER.at(INTRUDER, _KUBECTL)
    scanner = {"name": "scan", "image": "registry.larkspur.example/tools/scan:1"}
    proxy = {**scanner, "name": "proxy", "ports": [{"containerPort": 9100, "hostPort": 9100}]}
    privileged = {
        **scanner,
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "host", "mountPath": "/host"}],
    }
    root = {"name": "host", "hostPath": {"path": "/"}}
    pods: tuple[tuple[str, str, Json], ...] = (
        ("shop", "net-probe", {"hostNetwork": True, "containers": [scanner]}),
        # Harmless first container, host port in the second.
        ("shop", "metrics-proxy", {"containers": [scanner, proxy]}),
        ("kube-system", "node-tuner", {"hostPID": True, "containers": [privileged], "volumes": [root]}),
    )
    for step, (namespace, name, spec) in enumerate(pods):
        pod = _object("v1", "Pod", namespace, name, spec)
        yield recorder.write(
            second + 12 * step, who, "create", Target("pods", namespace, name), code=201, body=pod,
            query={"fieldManager": "kubectl-client-side-apply"},
        )  # fmt: skip
    yield from _shell(recorder, second + 40, who, Target("pods", "kube-system", "node-tuner"), "scan")
    ports = [{"port": 80, "targetPort": 9100, "nodePort": 31337}]
    service = _object("v1", "Service", "shop", "shop-debug", {"type": "NodePort", "ports": ports})
    yield recorder.write(second + 66, who, "create", Target("services", "shop", "shop-debug"), code=201, body=service)
    binding = {
        "kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "collector-extra"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "collector", "namespace": "monitoring"}],
    }
    bindings = Target("clusterrolebindings", name="collector-extra", group="rbac.authorization.k8s.io")
    yield recorder.write(second + 75, who, "create", bindings, code=201, body=binding)


def _covering_tracks(recorder: Recorder, second: float) -> Iterator[Sample]:
    who = DEPLOYER.at(INTRUDER, _KUBECTL)
    job = {"schedule": "*/10 * * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}}
    cron = Target("cronjobs", "monitoring", "rotate-metrics", group="batch")
    body = _object("batch/v1", "CronJob", "monitoring", "rotate-metrics", job)
    yield recorder.write(second, who, "create", cron, code=201, body=body)
    for step, name in enumerate(("net-probe", "metrics-proxy")):
        yield recorder.write(second + 10 + 3 * step, who, "delete", Target("pods", "shop", name))
    yield recorder.write(second + 22, who, "deletecollection", Target("events", "shop"))
    yield recorder.write(second + 25, who, "deletecollection", Target("events", "kube-system"))


def _object(version: str, kind: str, namespace: str, name: str, spec: Json) -> Json:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
