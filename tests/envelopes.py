"""Bodies as clouds and shippers send them, around events that are given as text."""

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]

GROUP = "/aws/eks/prod-1/cluster"
STREAM = "kube-apiserver-audit-0123456789abcdef0123456789abcdef"
TIME_MS = 1795298700004  # 2026-11-21T22:05:00.004Z
RESOURCE = (
    "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.CONTAINERSERVICE"
    "/MANAGEDCLUSTERS/PROD-1"
)
CONTAINER = "ab" * 32


def text_of(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def cloudwatch(messages: Iterable[str], *, group: str = GROUP, stream: str = STREAM, **changes: object) -> Json:
    """What a subscription filter of CloudWatch Logs delivers."""
    events = [{"id": f"{number:056d}", "timestamp": TIME_MS + number, "message": message}
              for number, message in enumerate(messages)]  # fmt: skip
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": ["auditwire"],
        "logEvents": events,
    } | changes


def control_message() -> Json:
    return cloudwatch(
        ["CWL CONTROL MESSAGE: Checking health of destination Kinesis."],
        group="", stream="", messageType="CONTROL_MESSAGE",
    )  # fmt: skip


def awslogs(message: Json) -> Json:
    """The event of a Lambda function behind a subscription filter."""
    return {"awslogs": {"data": base64_of(gzip.compress(text_of(message), mtime=0))}}


def firehose(bodies: Sequence[bytes]) -> Json:
    """A request to an HTTP endpoint of Firehose."""
    return {
        "requestId": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f",
        "timestamp": TIME_MS,
        "records": [{"data": base64_of(body)} for body in bodies],
    }


def kinesis(bodies: Sequence[bytes]) -> Json:
    """The event of a Lambda function behind a Kinesis stream."""
    return {
        "Records": [
            {"kinesis": {"partitionKey": "1", "data": base64_of(body)}, "eventSource": "aws:kinesis"} for body in bodies
        ]
    }


def push(message: bytes) -> Json:
    """A push of Google's Pub/Sub."""
    return {
        "message": {
            "attributes": {"logging.googleapis.com/timestamp": "2026-11-21T22:05:00.004Z"},
            "data": base64_of(message),
            "messageId": "10000000000000004",
            "message_id": "10000000000000004",
            "publishTime": "2026-11-21T22:05:01.090Z",
            "publish_time": "2026-11-21T22:05:01.090Z",
        },
        "subscription": "projects/p/subscriptions/auditwire",
    }


def log_entry(method: str, resource: str, *, payload: Json | None = None, **changes: object) -> Json:
    """An entry of a GKE cluster's audit log."""
    return {
        "insertId": "9c1f8a52-0000-4000-8000-000000000001",
        "labels": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": {
            "first": True, "last": True, "id": "9c1f8a52-0000-4000-8000-000000000001", "producer": "k8s.io",
        },
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "jane@example.com"},
            "authorizationInfo": [{"granted": True, "permission": method, "resource": resource}],
            "methodName": method,
            "requestMetadata": {"callerIp": "198.51.100.7", "callerSuppliedUserAgent": "kubectl/v1.34.1"},
            "resourceName": resource,
            "serviceName": "k8s.io",
            "status": {},
        }
        | (payload or {}),
        "receiveTimestamp": "2026-11-21T22:05:02.090036928Z",
        "resource": {
            "type": "k8s_cluster",
            "labels": {"cluster_name": "prod-1", "location": "europe-west1", "project_id": "p"},
        },
        "timestamp": "2026-11-21T22:05:00.140001Z",
    } | changes  # fmt: skip


def azure(
    log: str, *, category: str = "kube-audit", pod: str = "kube-apiserver-869d7bb754-kkg69", **changes: object
) -> Json:
    """A record of AKS' resource logs."""
    return {
        "category": category,
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": log, "stream": "stdout", "pod": pod, "containerID": CONTAINER},
        "resourceId": RESOURCE,
        "serviceBuild": "na",
        "time": "2026-11-21T22:05:00.004276841Z",
    } | changes


def otlp(texts: Iterable[str], **attributes: str) -> Json:
    """Logs of OpenTelemetry as OTLP/HTTP has them in JSON."""
    about = [{"key": key.replace("_", "."), "value": {"stringValue": value}} for key, value in attributes.items()]
    records = [
        {"timeUnixNano": str(TIME_MS * 1_000_000), "body": {"stringValue": text}, "attributes": []} for text in texts
    ]
    return {"resourceLogs": [{"resource": {"attributes": about}, "scopeLogs": [{"scope": {}, "logRecords": records}]}]}


def loki(texts: Iterable[str], **labels: str) -> Json:
    """A push of Loki's API."""
    return {"streams": [{"stream": labels, "values": [[str(TIME_MS * 1_000_000), text] for text in texts]}]}


def splunk(event: object, **changes: object) -> Json:
    """An event for Splunk's HTTP event collector."""
    return {"time": TIME_MS / 1000, "host": "cp-1", "source": "audit.log", "event": event} | changes


def search_hit(source: object) -> Json:
    return {"_index": "ks-logstash-auditing-2026.11.21", "_id": "1", "_source": source}


def docker(log: str, *, stream: str = "stdout") -> Json:
    """A line of Docker's log files."""
    return {"log": log, "stream": stream, "time": "2026-11-21T22:05:00.004123456Z"}


def cri(text: str, *, tag: str = "F", stream: str = "stdout") -> str:
    """A line of the log files of containerd and CRI-O."""
    return f"2026-11-21T22:05:00.004123456Z {stream} {tag} {text}"


def kubernetes(container: str, *, pod: str = "", namespace: str = "kube-system") -> Json:
    """What fluent-bit's and Fluentd's filters say about a container."""
    return {
        "kubernetes": {
            "container_name": container,
            "pod_name": pod or f"{container}-cp-1",
            "namespace_name": namespace,
            "host": "cp-1",
        }
    }
