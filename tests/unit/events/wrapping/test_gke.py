"""Entries of GKE's audit log become events of audit.k8s.io/v1."""

from datetime import UTC, datetime
from typing import Any

import pytest

import envelopes as made
from auditwire.events import Event, Flag, decode, settle


def event_of(method: str, resource: str, *, payload: made.Json | None = None, **changes: object) -> Event:
    decoded = decode(made.text_of(made.log_entry(method, resource, payload=payload, **changes)))
    assert decoded.rejects == []
    (event,) = decoded.events
    return event


@pytest.mark.parametrize(
    ("method", "resource", "uri", "reference"),
    [
        ("io.k8s.core.v1.nodes.list", "core/v1/nodes", "/api/v1/nodes", {"resource": "nodes", "apiVersion": "v1"}),
        ("io.k8s.core.v1.pods.get", "core/v1/namespaces/shop/pods/web", "/api/v1/namespaces/shop/pods/web",
         {"resource": "pods", "namespace": "shop", "name": "web"}),
        ("io.k8s.core.v1.pods.list", "core/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/pods",
         {"resource": "pods", "namespace": "shop", "name": ""}),
        ("io.k8s.core.v1.configmaps.create", "core/v1/namespaces/shop/configmaps/c",
        "/api/v1/namespaces/shop/configmaps",
         {"resource": "configmaps", "name": "c"}),
        ("io.k8s.core.v1.pods.eviction.create", "core/v1/namespaces/shop/pods/web/eviction",
         "/api/v1/namespaces/shop/pods/web/eviction", {"name": "web", "subresource": "eviction"}),
        ("io.k8s.core.v1.pods.ephemeralcontainers.patch", "core/v1/namespaces/shop/pods/web/ephemeralcontainers",
         "/api/v1/namespaces/shop/pods/web/ephemeralcontainers", {"subresource": "ephemeralcontainers"}),
        ("io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/shop/pods/web/exec/web",
         "/api/v1/namespaces/shop/pods/web/exec", {"name": "web", "subresource": "exec"}),
        ("io.k8s.core.v1.services.proxy.get", "core/v1/namespaces/shop/services/web:http/proxy/admin/users",
         "/api/v1/namespaces/shop/services/web:http/proxy/admin/users", {"name": "web:http", "subresource": "proxy"}),
        ("io.k8s.authorization.rbac.v1.clusterrolebindings.create",
        "rbac.authorization.k8s.io/v1/clusterrolebindings/b",
         "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
         {"resource": "clusterrolebindings", "apiGroup": "rbac.authorization.k8s.io", "name": "b"}),
        ("io.cert-manager.v1.certificates.update", "cert-manager.io/v1/namespaces/shop/certificates/c/status",
         "/apis/cert-manager.io/v1/namespaces/shop/certificates/c/status",
         {"resource": "certificates", "apiGroup": "cert-manager.io", "subresource": "status"}),
        ("io.k8s.core.v1.namespaces.delete", "core/v1/namespaces/shop", "/api/v1/namespaces/shop",
         {"resource": "namespaces", "namespace": "shop", "name": "shop"}),
        ("io.k8s.core.v1.namespaces.finalize.update", "core/v1/namespaces/shop/finalize",
        "/api/v1/namespaces/shop/finalize",
         {"resource": "namespaces", "name": "shop", "subresource": "finalize"}),
        ("io.k8s.core.v1.namespaces.create", "core/v1/namespaces/shop", "/api/v1/namespaces", {"name": "shop",
        "namespace": ""}), ("io.k8s.core.v1.pods.deletecollection", "core/v1/namespaces/shop/pods",
        "/api/v1/namespaces/shop/pods", {"name": ""}), ("io.k8s.get", "readyz", "/readyz", {"resource": "",
        "apiVersion": ""}), ("io.k8s.get", "/apis/apps/v1", "/apis/apps/v1", {"resource": ""}), ("io.k8s.post", "", "/",
        {"resource": ""}),
    ],
)  # fmt: skip
def test_what_was_asked_is_told_from_the_resource_name(
    method: str, resource: str, uri: str, reference: dict[str, str]
) -> None:
    event = event_of(method, resource)

    assert (event.requestURI, event.verb) == (uri, method.rsplit(".", 1)[-1])
    assert {name: getattr(event.objectRef, name) for name in reference} == reference
    assert event.flags == (Flag.CONVERTED,)


def test_an_entry_says_who_when_and_where() -> None:
    event = event_of("io.k8s.core.v1.pods.delete", "core/v1/namespaces/shop/pods/web", severity="NOTICE")
    assert (event.kind, event.apiVersion, event.auditID) == (
        "Event",
        "audit.k8s.io/v1",
        "9c1f8a52-0000-4000-8000-000000000001",
    )
    assert (event.user.username, event.user.groups, event.user.uid, event.user.extra) == (
        "jane@example.com",
        None,
        None,
        None,
    )
    assert (event.sourceIPs, event.userAgent) == (["198.51.100.7"], "kubectl/v1.34.1")
    assert event.stageTimestamp == event.requestReceivedTimestamp == "2026-11-21T22:05:00.140001Z"
    assert event.reportedCluster == "p/europe-west1/prod-1"
    assert event.annotations == {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": "",
        "auditwire.io/gke-insert-id": "9c1f8a52-0000-4000-8000-000000000001",
        "auditwire.io/gke-log-name": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "auditwire.io/gke-severity": "NOTICE",
    }  # fmt: skip


def test_the_cluster_that_an_entry_names_is_no_cluster_of_ours() -> None:
    event = event_of("io.k8s.core.v1.pods.delete", "core/v1/namespaces/shop/pods/web")
    settle(event, cluster="prod", received=datetime(2026, 11, 21, 22, 6, tzinfo=UTC))

    assert (event.cluster, event.reportedCluster) == ("prod", "p/europe-west1/prod-1")
    assert Flag.CLUSTER_DIFFERS in event.flags


OPERATION = {"id": "op-1", "producer": "k8s.io"}
STATUS = {"@type": "core.k8s.io/v1.Status", "apiVersion": "v1", "kind": "Status", "metadata": {}}


@pytest.mark.parametrize(
    ("verb", "payload", "code"),
    [
        ("get", {}, 200), ("create", {}, 201), ("delete", {}, 200), ("get", {"status": {"code": 0}}, 200), ("get",
        {"status": {"code": 5, "message": "NOT_FOUND"}}, 404), ("get", {"status": {"code": 7}}, 403), ("create",
        {"status": {"code": 6}}, 409), ("update", {"status": {"code": 10}}, 409), ("get", {"status": {"code": 16}},
        401), ("create", {"status": {"code": 3}}, 400), ("create", {"status": {"code": 8}}, 429), ("get", {"status":
        {"code": 4}}, 504), ("get", {"status": {"code": 13}}, 500), ("get", {"status": {"code": 14}}, 503), ("get",
        {"status": {"code": 2}}, 500), ("create", {"status": {"code": 7}, "response": STATUS | {"code": 403, "status":
        "Failure"}}, 403), ("create", {"status": {"code": 3}, "response": STATUS | {"code": 422, "reason": "Invalid"}},
        422), ("delete", {"response": STATUS | {"status": "Success"}}, 200),
    ],
)  # fmt: skip
def test_the_code_is_kubernetes_own_or_that_of_grpc(verb: str, payload: made.Json, code: int) -> None:
    event = event_of(f"io.k8s.core.v1.pods.{verb}", "core/v1/namespaces/shop/pods/web", payload=payload)

    assert event.responseStatus is not None
    assert event.responseStatus.code == code
    assert (event.responseStatus.status == "Failure") == (code >= 400 and "reason" not in payload.get("response", {}))


@pytest.mark.parametrize(
    ("operation", "status", "stage", "code"),
    [
        ({"first": True}, {"code": 2, "message": "UNKNOWN"}, "ResponseStarted", 101),
        ({"first": True}, {}, "ResponseStarted", 101),
        ({"first": True}, {"code": 7}, "ResponseStarted", 403),
        ({"last": True}, {}, "ResponseComplete", 201),
        ({"first": True, "last": True}, {}, "ResponseComplete", 201),
        ({}, {}, "ResponseComplete", 201),
    ],
)
def test_a_stream_has_an_entry_when_it_begins_and_one_when_it_ends(
    operation: made.Json, status: made.Json, stage: str, code: int
) -> None:
    event = event_of(
        "io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/shop/pods/web/exec",
        payload={"status": status}, operation=OPERATION | operation,
    )  # fmt: skip

    assert (event.stage, event.auditID) == (stage, "op-1")
    assert event.responseStatus is not None
    assert event.responseStatus.code == code


def test_the_command_of_an_exec_and_a_dry_run_are_in_the_query() -> None:
    labels = {"command.gke.io/command": "sh -c 'id && curl x'"}
    exec_ = event_of("io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/shop/pods/web/exec", labels=labels)
    dry = event_of(
        "io.k8s.core.v1.pods.create", "core/v1/namespaces/shop/pods/web", labels={"command.gke.io/dryRun": "All"}
    )
    assert exec_.requestURI == "/api/v1/namespaces/shop/pods/web/exec?command=sh+-c+%27id+%26%26+curl+x%27"
    assert exec_.annotations is not None
    assert exec_.annotations["command.gke.io/command"] == "sh -c 'id && curl x'"
    assert dry.requestURI == "/api/v1/namespaces/shop/pods?dryRun=All"


@pytest.mark.parametrize(
    ("payload", "labels", "level", "unknown"),
    [
        ({}, {}, "Metadata", set()),
        ({"request": {"@type": "k8s.io/Patch", "spec": {"a": 1}}}, {}, "Request", set()),
        ({"request": {"@type": "k8s.io/Patch"}}, {}, "Request", set()),
        ({"response": {"@type": "x", "kind": "Pod"}}, {}, "RequestResponse", set()),
        ({}, {"audit.k8s.io/truncated": "true"}, "Request", {"requestObject", "responseObject"}),
    ],
)
def test_the_level_is_what_is_there(payload: made.Json, labels: made.Json, level: str, unknown: set[str]) -> None:
    event = event_of("io.k8s.core.v1.pods.patch", "core/v1/namespaces/shop/pods/web", payload=payload, labels=labels)

    assert (event.level, set(event.unknown_paths)) == (level, unknown)
    assert (event.requestBody or {}).get("@type") is None
    if "request" in payload:
        assert event.requestBody == {key: value for key, value in payload["request"].items() if key != "@type"}


@pytest.mark.parametrize(
    ("granted", "labels", "decision"),
    [(True, {}, "allow"), (False, {}, "forbid"), (None, {}, "forbid"),
     (False, {"authorization.k8s.io/decision": "allow"}, "allow")],
)  # fmt: skip
def test_a_decision_that_no_label_says_is_that_of_the_authorization(
    granted: Any, labels: made.Json, decision: str
) -> None:
    info = [{"permission": "x"} | ({} if granted is None else {"granted": granted})]
    event = event_of("io.k8s.get", "healthz", payload={"authorizationInfo": info}, labels=labels)
    assert event.annotations is not None
    assert event.annotations["authorization.k8s.io/decision"] == decision


@pytest.mark.parametrize(
    ("who", "username"),
    [({}, "system:anonymous"), ({"principalEmail": ""}, "system:anonymous"),
     ({"principalSubject": "principal://x"}, "principal://x"), ({"principalEmail": "a@b.example", "principalSubject":
     "user:a"}, "a@b.example")],
)  # fmt: skip
def test_a_missing_principal_is_anonymous(who: made.Json, username: str) -> None:
    event = event_of("io.k8s.get", "healthz", payload={"authenticationInfo": who})
    assert event.user.username == username
    assert (event.user.extra is None) == ("principalSubject" not in who)


def test_the_same_entry_is_the_same_event_pushed_or_posted() -> None:
    entry = made.text_of(made.log_entry("io.k8s.core.v1.pods.delete", "core/v1/namespaces/shop/pods/web"))
    (pushed,), (posted,) = decode(made.text_of(made.push(entry))).events, decode(entry).events

    assert pushed.digest == posted.digest


@pytest.mark.parametrize(
    ("changes", "reason"), [
        (
            {"protoPayload": {"serviceName": "k8s.io", "methodName": "io.k8s.get"}, "insertId": None, "operation": 5},
            "missing_field",
        ),
        ({"split": {"uid": "u", "index": 0, "totalSplits": 3}}, "split_entry"),
        ({"insertId": 5, "operation": {}}, "missing_field"),
    ],
)  # fmt: skip
def test_an_entry_that_is_no_whole_event_is_kept(changes: made.Json, reason: str) -> None:
    decoded = decode(made.text_of(made.log_entry("io.k8s.get", "healthz", **changes)))

    assert decoded.events == []
    assert [reject.reason for reject in decoded.rejects] == [reason]
