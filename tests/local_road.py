"""Driving a local system from tests: an event that alerts, a body, a request, patience."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from auditwire_local import LocalSystem
from waiting import HANG_SECONDS

EVENT_PATH = "/audit/webhook/event"


def exec_event(number: int, **changes: Any) -> dict[str, Any]:
    """Somebody runs a shell in a pod, which the shipped rules alert on."""
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"00000000-0000-4000-8000-{number:012}",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/shop/pods/web-{number}/exec?command=sh",
        "verb": "get",
        "user": {"username": "mallory", "groups": ["system:authenticated"]},
        "sourceIPs": ["192.0.2.7"],
        "objectRef": {
            "resource": "pods",
            "namespace": "shop",
            "name": f"web-{number}",
            "apiVersion": "v1",
            "subresource": "exec",
        },
        "responseStatus": {"metadata": {}, "code": 101},
        "requestReceivedTimestamp": "2026-11-21T22:05:00.000000Z",
        "stageTimestamp": "2026-11-21T22:05:00.100000Z",
        **changes,
    }


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events}).encode()


def post(
    system: LocalSystem, body: bytes, credential: str | None, path: str = EVENT_PATH, **headers: str
) -> tuple[int, bytes]:
    connection = HTTPConnection(urlsplit(system.url).netloc, timeout=HANG_SECONDS)
    try:
        sent = {"Content-Type": "application/json", **headers}
        if credential is not None:
            sent["Authorization"] = f"Bearer {credential}"
        connection.request("POST", f"{path}?timeout=30s", body, sent)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
