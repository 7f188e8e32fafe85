"""Partial events become what each kind of sender sends."""

from datetime import UTC, datetime
from typing import Any

import pytest

from auditwire.analysis.cases import TestEvent
from auditwire.analysis.senders import TEMPLATES, SenderError, merged
from auditwire.analysis.trial import event_of
from auditwire.events import Event
from auditwire.senders.kind import SenderKind

AT = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)


def made(template: str, **partial: Any) -> Event:
    return event_of(TestEvent(partial, template, AT), "seed")


CREATED = {
    "verb": "create",
    "user": {"username": "ann"},
    "sourceIPs": ["192.0.2.1"],
    "userAgent": "curl",
    "objectRef": {"resource": "deployments", "namespace": "shop", "name": "web"},
    "requestObject": {"spec": {"replicas": 2}},
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_sender_says_what_the_partial_event_says(template: str) -> None:
    event = made(template, **CREATED)

    assert (event.verb, event.user.username, event.sourceIPs, event.userAgent) == (
        "create",
        "ann",
        ["192.0.2.1"],
        "curl",
    )
    ref = event.objectRef
    assert (ref.resource, ref.apiGroup, ref.namespace, ref.name) == ("deployments", "apps", "shop", "web")
    assert event.requestBody == {"spec": {"replicas": 2}}
    assert event.requestURI == "/apis/apps/v1/namespaces/shop/deployments"
    assert event.responseStatus is not None
    assert event.responseStatus.code == 201
    assert event.level == "Request"
    assert event.sender == (SenderKind.KUBESPHERE if template == "kubesphere" else SenderKind.KUBERNETES)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(
    ("verb", "reference", "uri", "code"),
    [
        ("get", {"resource": "pods", "namespace": "shop", "name": "web", "subresource": "exec"},
         "/api/v1/namespaces/shop/pods/web/exec", 101),
        ("list", {"resource": "secrets"}, "/api/v1/secrets", 200),
        ("delete", {"resource": "namespaces", "namespace": "shop", "name": "shop"}, "/api/v1/namespaces/shop", 200),
        ("patch", {"resource": "clusterroles", "name": "x"}, "/apis/rbac.authorization.k8s.io/v1/clusterroles/x", 200),
    ],
)  # fmt: skip
def test_uri_and_code_follow_from_the_request(
    template: str, verb: str, reference: dict[str, str], uri: str, code: int
) -> None:
    event = made(template, verb=verb, objectRef=reference)

    assert event.requestURI == uri
    assert event.responseStatus is not None
    assert event.responseStatus.code == code
    assert {key: getattr(event.objectRef, key) for key in reference} == reference


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_refused_request_has_its_code_and_where_the_sender_has_any_its_decision(template: str) -> None:
    event = made(template, objectRef={"resource": "secrets", "namespace": "shop"}, responseStatus={"code": 403})

    assert event.responseStatus is not None
    assert event.responseStatus.code == 403
    decision = (event.annotations or {}).get("authorization.k8s.io/decision")
    assert decision == (None if template == "kubesphere" else "forbid")


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("system:serviceaccount:shop:web",
         ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]),
        ("system:node:worker-1", ["system:nodes", "system:authenticated"]),
        ("system:anonymous", ["system:unauthenticated"]),
        ("ann", ["system:authenticated"]),
    ],
)  # fmt: skip
def test_groups_follow_from_the_user_unless_they_are_given(name: str, groups: list[str]) -> None:
    assert made("kube", user={"username": name}).user.groups == groups
    assert made("kube", user={"username": name, "groups": ["x"]}).user.groups == ["x"]


def test_what_gke_does_not_deliver_is_no_event_of_gke() -> None:
    with pytest.raises(SenderError, match="GKE does not deliver impersonatedUser"):
        made("gke", impersonatedUser={"username": "x"})
    with pytest.raises(SenderError, match="GKE does not deliver the stage RequestReceived"):
        made("gke", stage="RequestReceived")


def test_a_change_is_laid_over_its_base_and_null_removes() -> None:
    base = {"a": {"b": 1, "c": [1]}, "d": 2}

    assert merged(base, {"a": {"b": None, "c": [2]}, "e": 3}) == {"a": {"c": [2]}, "d": 2, "e": 3}
    assert base == {"a": {"b": 1, "c": [1]}, "d": 2}
