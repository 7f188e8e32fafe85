"""Events as managed clouds and a log shipper deliver them, for trying: what stands around them is invented."""

import base64
import gzip
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from auditwire_cli.send.shape import Deliverer

_ACCOUNT: Final = "123456789012"
_TIME: Final = "2026-11-21T22:05:00.000000Z"
_TIME_MS: Final = 1_795_298_700_000
_RESOURCE: Final = (
    "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/DEMO/PROVIDERS/MICROSOFT.CONTAINERSERVICE"
    "/MANAGEDCLUSTERS/DEMO"
)
_OF_RESOURCE: Final = {"labels": {"cluster_name": "demo", "location": "europe-west1", "project_id": "demo"}}


def wrapped(items: Sequence[bytes], deliverer: Deliverer) -> bytes:
    """One request body with these events, each given as JSON, as it would be delivered."""
    return _WRAP[deliverer](items)


def _eks(items: Sequence[bytes]) -> bytes:
    """The event of a function behind a subscription filter of CloudWatch Logs."""
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": _ACCOUNT,
        "logGroup": "/aws/eks/demo/cluster",
        "logStream": "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
        "subscriptionFilters": ["auditwire"],
        "logEvents": [
            {"id": f"{number:056d}", "timestamp": _TIME_MS, "message": _text(item)} for number, item in enumerate(items)
        ],
    }
    return orjson.dumps({"awslogs": {"data": base64.b64encode(gzip.compress(orjson.dumps(message), mtime=0)).decode()}})


def _aks(items: Sequence[bytes]) -> bytes:
    """A message of an Event Hub with resource logs of Azure."""
    return orjson.dumps({"records": [_record(_text(item)) for item in items]})


def _record(text: str) -> dict[str, Any]:
    about = {"stream": "stdout", "pod": "kube-apiserver-869d7bb754-kkg69", "containerID": "ab" * 32}
    return {
        "category": "kube-audit",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": f"{text}\n", **about},
        "resourceId": _RESOURCE,
        "serviceBuild": "na",
        "time": _TIME,
    }


def _fluent_bit(items: Sequence[bytes]) -> bytes:
    """What fluent-bit posts of a log that it does not parse."""
    return orjson.dumps([{"date": _TIME_MS / 1000, "log": _text(item)} for item in items])


def _gke(items: Sequence[bytes]) -> bytes:
    """Pushes of Pub/Sub with an entry of Google's audit log each, which has less than the event."""
    return b"\n".join(map(_push, items))


def _push(item: bytes) -> bytes:
    try:
        event: Any = orjson.loads(item)
        entry = orjson.dumps(_log_entry(event))
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        entry = item
    data = base64.b64encode(entry).decode()
    about = {"messageId": "1", "message_id": "1", "publishTime": _TIME, "publish_time": _TIME}
    return orjson.dumps({"message": {"data": data, **about}, "subscription": "projects/demo/subscriptions/auditwire"})


def _log_entry(event: Mapping[str, Any]) -> dict[str, Any]:
    reference, user = event.get("objectRef") or {}, event.get("user") or {}
    group, version = reference.get("apiGroup") or "core", reference.get("apiVersion") or "v1"
    kind = [reference[name] for name in ("resource", "subresource") if reference.get(name)]
    verb = event.get("verb", "")
    if kind:
        method = ".".join(["io.k8s", group, version, *kind, verb])
        place = ["namespaces", reference["namespace"]] if reference.get("namespace") else []
        named = [reference["resource"], reference.get("name"), reference.get("subresource")]
        resource = "/".join([group, version, *place, *(part for part in named if part)])
    else:
        method, resource = f"io.k8s.{verb}", event.get("requestURI", "/").lstrip("/")
    code = (event.get("responseStatus") or {}).get("code", 200)
    failed = {"kind": "Status", "apiVersion": "v1", "code": code, "status": "Failure"} if code >= 400 else None
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": user.get("username", "")},
        "methodName": method,
        "requestMetadata": {
            "callerIp": next(iter(event.get("sourceIPs") or ()), ""),
            "callerSuppliedUserAgent": event.get("userAgent", ""),
        },
        "resourceName": resource,
        "serviceName": "k8s.io",
        "status": {},
        **({"request": event["requestObject"]} if isinstance(event.get("requestObject"), dict) else {}),
        **({"response": failed or event["responseObject"]} if failed or event.get("responseObject") else {}),
    }
    return {
        "insertId": event.get("auditID", ""),
        "labels": event.get("annotations") or {},
        "logName": "projects/demo/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": {
            "id": event.get("auditID", ""),
            "producer": "k8s.io",
            "first": True,
            "last": event.get("stage") != "ResponseStarted",
        },
        "protoPayload": payload,
        "resource": {"type": "k8s_cluster", **_OF_RESOURCE},
        "timestamp": event.get("stageTimestamp") or _TIME,
    }


def _text(item: bytes) -> str:
    """An item as a text on one line."""
    return (bytes(msgspec.json.format(item, indent=-1)) if b"\n" in item else item).decode("utf-8", "replace")


_WRAP: Final[Mapping[Deliverer, Callable[[Sequence[bytes]], bytes]]] = {
    Deliverer.EKS: _eks,
    Deliverer.GKE: _gke,
    Deliverer.AKS: _aks,
    Deliverer.FLUENT_BIT: _fluent_bit,
}
