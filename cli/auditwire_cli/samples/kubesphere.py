"""KubeSphere's part of the sample traffic: what people do in its console, as ks-apiserver records it."""

from collections.abc import Iterator
from typing import Any

from auditwire_cli.samples.cast import PAVEL, YUN, Actor, Json, Recorder, Sample, Target

_TENANT, _IAM, _DEVOPS = "tenant.kubesphere.io", "iam.kubesphere.io", "devops.kubesphere.io"
_WORKSPACE = "orchard"


def console_3(recorder: Recorder) -> Iterator[Sample]:
    """A workspace is created and a team moves in; ks-apiserver 3.x sends these."""
    yield _login(recorder, 20, YUN)
    yield _write(
        recorder, 26, YUN, "create", Target("workspacetemplates", name=_WORKSPACE, group=_TENANT, version="v1alpha2"),
        scope="Global", body={"kind": "WorkspaceTemplate", "metadata": {"name": _WORKSPACE}},
    )  # fmt: skip
    members = Target("workspacemembers", name="pavel", group=_IAM, version="v1alpha2")
    yield _write(
        recorder, 34, YUN, "create", members, scope="Workspace",
        body=[{"username": "pavel", "roleRef": f"{_WORKSPACE}-regular"}],
    )  # fmt: skip
    for second, name in ((41, "orchard-web"), (47, "orchard-batch")):
        yield _write(
            recorder, second, YUN, "create", Target("namespaces", name, name), scope="Workspace",
            body={"kind": "Namespace", "metadata": {"name": name, "labels": {"kubesphere.io/workspace": _WORKSPACE}}},
        )  # fmt: skip
    yield _login(recorder, 70, PAVEL)
    yield _write(
        recorder, 82, PAVEL, "create", Target("devops", name="orchard-ci", group=_DEVOPS, version="v1alpha3"),
        scope="Workspace", body={"metadata": {"generateName": "orchard-ci"}},
    )  # fmt: skip
    run = Target("pipelineruns", "orchard-ci", "web-build", group=_DEVOPS, version="v1alpha3")
    yield _write(recorder, 95, PAVEL, "create", run, body={"parameters": []}, devops="orchard-ci")
    container = {"name": "web", "image": "registry.larkspur.example/orchard/web:14"}
    yield _write(
        recorder, 110, PAVEL, "create", Target("deployments", "orchard-web", "web", group="apps"),
        body={"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}},
    )  # fmt: skip
    ports = [{"port": 80, "targetPort": 8080, "nodePort": 30080}]
    yield _write(
        recorder, 125, PAVEL, "create", Target("services", "orchard-web", "web"),
        body={"kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": ports}},
    )  # fmt: skip
    terminal = Target("pods", "orchard-web", "web-5c7d8f9b6d-pq4xn", "exec")
    yield _write(recorder, 160, PAVEL, "get", terminal, code=101)
    yield from _browsing(recorder, range(75, 280, 5), PAVEL)


def console_4(recorder: Recorder) -> Iterator[Sample]:
    """Another day at the same console, after the upgrade; ks-apiserver 4.x sends these."""
    yield _login(recorder, 310, YUN)
    plan = Target("installplans", name="whizard-logging", group="kubesphere.io", version="v1alpha1")
    yield _write(
        recorder, 322, YUN, "create", plan, scope="Global", body={"spec": {"extension": {"name": "whizard-logging"}}}
    )
    user = Target("users", name="pavel", group=_IAM, version="v1beta1")
    yield _write(recorder, 345, YUN, "disable", user, scope="Global", body={"spec": {"state": "Disabled"}})
    yield _write(recorder, 395, YUN, "enable", user, scope="Global", body={"spec": {"state": "Active"}})
    role = Target("globalrolebindings", name="pavel-platform-admin", group=_IAM, version="v1beta1")
    yield _write(recorder, 402, YUN, "create", role, scope="Global", body={"roleRef": {"name": "platform-admin"}})
    yield _login(recorder, 420, PAVEL)
    spec = {"hostNetwork": True, "containers": [{"name": "capture", "image": "registry.larkspur.example/capture:3"}]}
    yield _write(
        recorder, 450, PAVEL, "create", Target("pods", "orchard-batch", "capture"),
        body={"kind": "Pod", "metadata": {"name": "capture"}, "spec": spec},
    )  # fmt: skip
    yield _write(recorder, 520, PAVEL, "delete", Target("pods", "orchard-batch", "capture"))
    yield from _browsing(recorder, range(312, 560, 6), YUN)


def _login(recorder: Recorder, second: float, who: Actor) -> Sample:
    target = Target(path="/oauth/token")
    return _write(
        recorder, second, who, "post", target, scope="Global", workspace="", message=f"{who.username} logged in"
    )


def _browsing(recorder: Recorder, seconds: range, who: Actor) -> Iterator[Sample]:
    pages = (
        Target("pods", "orchard-web"),
        Target("deployments", "orchard-web", group="apps"),
        Target("services", "orchard-batch"),
        Target("workspaces", name=_WORKSPACE, group=_TENANT, version="v1alpha2"),
        Target("namespaces", group=_TENANT, version="v1alpha2"),
    )
    for second in seconds:
        yield _write(recorder, second, who, recorder.random.choice(("get", "list")), recorder.random.choice(pages))


def _write(
    recorder: Recorder, second: float, who: Actor, verb: str, target: Target, *,
    scope: str = "Namespace", code: int | None = None, body: object = None, **more: Any,
) -> Sample:  # fmt: skip
    """An event with what ks-apiserver does differently: the path without query, the scope word in
    objectRef.resourceVersion, nothing but the code in responseStatus, no annotations, its own cluster name.
    """
    reference: Json = {**(target.reference or {}), "resourceVersion": scope}
    answered = code or (201 if verb == "create" else 200)
    own_api = target.group.endswith("kubesphere.io")
    own = {
        "requestURI": target.uri.replace("/apis/", "/kapis/", 1) if own_api else target.uri,
        "workspace": _WORKSPACE,
        "cluster": "host",
        "level": "Request",
        "objectRef": reference,
        "responseStatus": {"metadata": {}, "code": answered},
        "annotations": None,
    }
    return recorder.write(second, who, verb, target, code=answered, body=body, **{**own, **more})
