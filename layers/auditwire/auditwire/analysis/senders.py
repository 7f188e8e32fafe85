"""Partial events of tests, completed to what each kind of sender would send.

A partial event has the keys of audit.k8s.io/v1 and says only what matters. The rest follows from it: the URI from what
the request is about, the code from the verb, the groups from the user, the level from the bodies.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import orjson

from auditwire.events.timestamps import as_text
from auditwire.policy.known import groups_of
from auditwire.senders.kind import SenderKind

Partial = dict[str, Any]

_CONNECTING: Final = ("exec", "attach", "portforward", "proxy")
_WITHOUT_NAME: Final = ("create", "list", "watch", "deletecollection")
_REASONS: Final = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "AlreadyExists", 422: "Invalid"}
_DECISION: Final = "authorization.k8s.io/decision"
_ACCOUNT: Final = "system:serviceaccount:"
_GROUPS: Final = {
    "system:node:": ["system:nodes"],
    "system:bootstrap:": ["system:bootstrappers"],
}
_GO: Final = {"auditID": "AuditID", "requestURI": "RequestURI", "sourceIPs": "SourceIPs", "apiGroup": "APIGroup",
              "apiVersion": "APIVersion", "uid": "UID"}  # fmt: skip
_GO_STRINGS: Final = ("Workspace", "Cluster", "Message", "HostName", "RequestURI", "UserAgent")
_GO_NULLS: Final = ("ImpersonatedUser", "RequestObject", "ResponseObject", "Annotations")
_REFERENCE: Final = ("resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource")
# The reverse of what the conversion from GKE does: google/rpc/code.proto.
_RPC: Final = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 500: 13, 503: 14, 504: 4}
_NOT_IN_GKE: Final = ("impersonatedUser", "workspace", "devops", "message", "cluster")


class SenderError(ValueError):
    """A sender of this kind cannot send such an event."""


def completed(partial: Partial, template: str, *, audit_id: str, at: datetime) -> bytes:
    """The item that a sender of the kind ``template`` sends for a partial event at a time.

    Raises ``SenderError`` if it does not deliver such an event.
    """
    return orjson.dumps(_TEMPLATES[template](_event(partial, _USERS[template], audit_id, as_text(at))))


def sender_of(template: str) -> SenderKind:
    """The kind of sender that a credential for it is registered for."""
    return SenderKind.KUBESPHERE if template == "kubesphere" else SenderKind.KUBERNETES


def merged(base: Partial, change: Partial) -> Partial:
    """The base with the change laid over it: maps are merged, None removes a key, all else replaces."""
    result = dict(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def _event(partial: Partial, user: str, audit_id: str, time: str) -> Partial:
    verb = partial.get("verb", "get")
    reference = _reference(partial.get("objectRef"))
    received = partial.get("stage") == "RequestReceived"
    code = partial.get("responseStatus", {}).get("code") or _code(verb, reference)
    event: Partial = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": _level(partial),
        "auditID": audit_id,
        "stage": "ResponseComplete",
        "requestURI": _uri(reference, verb),
        "verb": verb,
        "user": _user({"username": user} | partial.get("user", {})),
        "sourceIPs": ["203.0.113.10"],
        "userAgent": "kubectl/v1.34.1 (linux/amd64) kubernetes/93248f9",
        "requestReceivedTimestamp": time,
        "stageTimestamp": time,
    }
    if not received:
        event["responseStatus"] = _status(code)
        event["annotations"] = {_DECISION: "forbid" if code == 403 else "allow", "authorization.k8s.io/reason": ""}
    given = {key: value for key, value in partial.items() if key not in ("user", "objectRef")}
    event = merged(event, given)
    if reference:
        event["objectRef"] = reference
    return event


def _level(partial: Partial) -> str:
    if "responseObject" in partial:
        return "RequestResponse"
    return "Request" if "requestObject" in partial else "Metadata"


def _reference(given: Partial | None) -> Partial:
    if not given:
        return {}
    group = given.get("apiGroup", (groups_of(given.get("resource", "")) or ("",))[0])
    return {"apiVersion": "v1", **({"apiGroup": group} if group else {}), **given}


def _uri(reference: Partial, verb: str) -> str:
    if not reference:
        return "/"
    group, version = reference.get("apiGroup", ""), reference["apiVersion"]
    resource, subresource = reference.get("resource", ""), reference.get("subresource", "")
    parts = [f"/apis/{group}/{version}" if group else f"/api/{version}"]
    if reference.get("namespace") and resource != "namespaces":
        parts += ["namespaces", reference["namespace"]]
    parts.append(resource)
    if reference.get("name") and (subresource or verb not in _WITHOUT_NAME):
        parts.append(reference["name"])
    return "/".join(map(str, [*parts, *([subresource] if subresource else [])]))


def _code(verb: str, reference: Partial) -> int:
    if reference.get("subresource") in _CONNECTING[:3]:
        return 101
    return 201 if verb == "create" and reference else 200


def _status(code: int) -> Partial:
    if code < 400:
        return {"metadata": {}, "code": code}
    return {"metadata": {}, "status": "Failure", "reason": _REASONS.get(code, "InternalError"), "code": code}


def _user(given: Partial) -> Partial:
    name = given.get("username", "")
    if name is None:  # somebody whose credential was not accepted
        return {key: value for key, value in given.items() if value is not None}
    if name.startswith(_ACCOUNT):
        namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    else:
        groups = next((groups for start, groups in _GROUPS.items() if name.startswith(start)), [])
    known = "system:unauthenticated" if name == "system:anonymous" else "system:authenticated"
    return {"groups": [*groups, known], **given}


def _kubernetes(event: Partial) -> Partial:
    return event


def _eks(event: Partial) -> Partial:
    """The user as the authenticator of EKS maps it from a role of IAM; system users come from elsewhere."""
    name = event["user"].get("username", "")
    if name.startswith("system:"):
        return event
    role = "arn:aws:iam::123456789012:role/admins"
    extra = {
        "accessKeyId": ["ASIAEXAMPLE000000001"],
        "arn": [f"arn:aws:sts::123456789012:assumed-role/admins/{name}"],
        "canonicalArn": [role],
        "principalId": ["AROAEXAMPLE000000001"],
        "sessionName": [name],
    }
    return {**event, "user": {"uid": "aws-iam-authenticator:123456789012:AROAEXAMPLE000000001", "extra": extra,
                              **event["user"]}}  # fmt: skip


def _kubesphere(event: Partial) -> Partial:
    """The event in Go's casing, null and empty instead of absent, as ks-apiserver 4.x writes it."""
    event = {key: value for key, value in event.items() if key not in ("kind", "apiVersion", "annotations")}
    if "responseStatus" in event:
        event["responseStatus"] = {"metadata": {}, "code": event["responseStatus"]["code"]}
    reference = dict.fromkeys(_REFERENCE, "") | event.pop("objectRef", {})
    go = {_go(key): value for key, value in event.items()}
    go["ObjectRef"] = {_go(key): value for key, value in reference.items()}
    return {**dict.fromkeys(_GO_STRINGS, ""), **dict.fromkeys(_GO_NULLS), "HostIP": "192.0.2.20", **go}


def _go(key: str) -> str:
    return _GO.get(key, key[0].upper() + key[1:])


def _gke(event: Partial) -> Partial:
    """The entry of Cloud Logging that GKE makes of an event."""
    if lost := [key for key in _NOT_IN_GKE if key in event]:
        raise SenderError(f"GKE does not deliver {', '.join(lost)}")
    if event["stage"] == "RequestReceived":
        raise SenderError("GKE does not deliver the stage RequestReceived")
    reference, verb = event.get("objectRef", {}), event["verb"]
    group, version = reference.get("apiGroup") or "core", reference.get("apiVersion", "")
    target = [reference.get(key, "") for key in ("resource", "subresource")]
    method = ["io.k8s", *([group, version, *filter(None, target)] if reference else []), verb]
    inside = ["namespaces", reference["namespace"]] if reference.get("namespace") else []
    inside = inside if reference.get("resource") != "namespaces" else []
    name = [group, version, *inside, *filter(None, (reference.get(key) for key in ("resource", "name", "subresource")))]
    code = event.get("responseStatus", {}).get("code", 200)
    failed = {"code": _RPC.get(code, 2), "message": event["responseStatus"].get("reason", "")} if code >= 400 else {}
    bodies = {
        short: {**event[key], "@type": "k8s.io/Object"}
        for short, key in (("request", "requestObject"), ("response", "responseObject"))
        if isinstance(event.get(key), dict)
    }
    connecting = reference.get("subresource") in _CONNECTING[:3]
    operation = {"id": event["auditID"], "first": True, "producer": "k8s.io"}
    return {
        "insertId": event["auditID"],
        "labels": {**event.get("annotations", {}), **_labels(event["requestURI"])},
        "logName": "projects/example-project/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": operation if connecting else {**operation, "last": True},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": event["user"].get("username", "")},
            "methodName": ".".join(method),
            "requestMetadata": {
                "callerIp": event["sourceIPs"][-1],
                "callerSuppliedUserAgent": event["userAgent"],
            },
            "resourceName": "/".join(name) if reference else event["requestURI"].lstrip("/"),
            "serviceName": "k8s.io",
            "status": failed,
            **bodies,
        },
        "resource": {
            "type": "k8s_cluster",
            "labels": {"cluster_name": "example", "location": "europe-west1", "project_id": "example-project"},
        },
        "timestamp": event["stageTimestamp"],
    }


def _labels(uri: str) -> dict[str, str]:
    """The two parts of a query that GKE writes down."""
    query = parse_qsl(urlsplit(uri).query)
    commands = [value for key, value in query if key == "command"]
    labels = {"command.gke.io/command": " ".join(commands)} if commands else {}
    return labels | ({"command.gke.io/dryRun": "true"} if ("dryRun", "All") in query else {})


_TEMPLATES: Final[dict[str, Callable[[Partial], Partial]]] = {
    "kube": _kubernetes,
    "kubesphere": _kubesphere,
    "eks": _eks,
    "gke": _gke,
    "aks": _kubernetes,
}
_USERS: Final = {
    "kube": "kubernetes-admin",
    "kubesphere": "admin",
    "eks": "admin",
    "gke": "ann@example.com",
    "aks": "masterclient",
}

TEMPLATES: Final = tuple(_TEMPLATES)
"""The kinds of sender that a test can name."""
