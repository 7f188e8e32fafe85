"""The ordinary half of the sample traffic: an idle cluster, and developers who deploy to it."""

from collections.abc import Iterator

from auditwire_cli.samples.cast import (
    CONTROLLER_MANAGER,
    DEPLOYER,
    DEPLOYMENTS,
    METRICS,
    MIRA,
    NODES,
    PROBE,
    REPLICA_SETS,
    SCHEDULER,
    TOMAS,
    Actor,
    Json,
    Recorder,
    Sample,
    Target,
)

_WATCHED = (
    Target("pods"),
    Target("services"),
    Target("configmaps", "kube-system"),
    Target("endpointslices", group="discovery.k8s.io"),
    Target("deployments", group="apps"),
    Target("nodes"),
)


def idle(recorder: Recorder, length: int) -> Iterator[Sample]:
    """``length`` seconds of what every cluster records when nobody does anything."""
    for second in range(0, length, 10):
        for place, kubelet in enumerate(NODES):
            yield _lease(recorder, second + place, kubelet, "kube-node-lease", kubelet.username.split(":")[-1])
        leader = (SCHEDULER, "kube-scheduler") if second % 20 else (CONTROLLER_MANAGER, "kube-controller-manager")
        yield _lease(recorder, second + 4, leader[0], "kube-system", leader[1])
        check = recorder.random.choice(("/livez", "/readyz", "/healthz"))
        yield recorder.write(second + 5, PROBE, "get", Target(path=check))
    for second in range(3, length, 15):
        who = recorder.random.choice((SCHEDULER, CONTROLLER_MANAGER, METRICS, *NODES))
        target = recorder.random.choice(_WATCHED)
        watch = {"allowWatchBookmarks": "true", "watch": "true", "timeoutSeconds": "487"}
        yield recorder.write(second, who, "watch", target, stage="ResponseStarted", query=watch)
        yield recorder.write(second + 1, METRICS, "list", Target("pods"), query={"limit": "500"})
        kubelet = recorder.random.choice(NODES)
        yield recorder.write(second + 2, kubelet, "get", Target("nodes", name=kubelet.username.split(":")[-1]))
        yield recorder.write(second + 3, METRICS, "get", Target(path="/metrics"))


def _lease(recorder: Recorder, second: float, who: Actor, namespace: str, name: str) -> Sample:
    return recorder.write(second, who, "update", Target("leases", namespace, name, group="coordination.k8s.io"))


def development(recorder: Recorder) -> Iterator[Sample]:
    """Two minutes of work: a pipeline rolls out four services, and developers look at them."""
    releases = (("shop", "checkout"), ("shop", "cart"), ("payments", "ledger"), ("staging", "checkout"))
    for number, (namespace, name) in enumerate(releases):
        yield from _rollout(recorder, 120 + 25 * number, namespace, name)
    for second, who, namespace in ((130, MIRA, "shop"), (165, TOMAS, "payments"), (200, MIRA, "staging")):
        yield recorder.write(second, who, "list", Target("pods", namespace), query={"limit": "500"})
        yield recorder.write(second + 3, who, "list", Target("events", namespace))
        pod = Target("pods", namespace, f"checkout-{recorder.suffix()}", "log")
        yield recorder.write(second + 6, who, "get", pod, query={"container": "app", "follow": "true"})
    settings = Target("configmaps", "shop", "checkout-settings")
    yield recorder.write(212, MIRA, "patch", settings, body={"data": {"currency": "EUR", "retries": "3"}})
    scale = Target("deployments", "payments", "ledger", "scale", "apps")
    yield recorder.write(218, TOMAS, "patch", scale, body={"spec": {"replicas": 3}})


def _rollout(recorder: Recorder, second: float, namespace: str, name: str) -> Iterator[Sample]:
    image = f"registry.larkspur.example/{name}:{recorder.random.randint(200, 399)}"
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    deployment = Target("deployments", namespace, name, group="apps")
    yield recorder.write(
        second, DEPLOYER, "patch", deployment, body={"spec": {"template": template}}, query={"fieldManager": "ci"}
    )
    replica_set = f"{name}-{recorder.suffix(10)}"
    created = {"kind": "ReplicaSet", "apiVersion": "apps/v1", "spec": {"replicas": 2, "template": template}}
    yield recorder.write(
        second + 1, DEPLOYMENTS, "create", Target("replicasets", namespace, replica_set, group="apps"),
        code=201, body=created,
    )  # fmt: skip
    for replica in range(2):
        pod_name = f"{replica_set}-{recorder.suffix()}"
        pod = _pod(namespace, f"{replica_set}-", template)
        start = second + 2 + replica
        kubelet = recorder.random.choice(NODES)
        # The name is generated, so the apiserver knows it only in its answer.
        yield recorder.write(start, REPLICA_SETS, "create", Target("pods", namespace), code=201, body=pod)
        yield recorder.write(
            start + 1, SCHEDULER, "create", Target("pods", namespace, pod_name, "binding"), code=201,
            body={"kind": "Binding", "target": {"kind": "Node", "name": kubelet.username.split(":")[-1]}},
        )  # fmt: skip
        status = {"status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": True}]}}
        yield recorder.write(start + 3, kubelet, "patch", Target("pods", namespace, pod_name, "status"), body=status)
        yield recorder.write(start + 4, kubelet, "create", Target("events", namespace), code=201)
    slices = Target("endpointslices", namespace, f"{name}-{recorder.suffix()}", group="discovery.k8s.io")
    yield recorder.write(second + 9, CONTROLLER_MANAGER, "update", slices)


def _pod(namespace: str, generate_name: str, template: Json) -> Json:
    metadata = {"generateName": generate_name, "namespace": namespace, **template["metadata"]}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": template["spec"]}
