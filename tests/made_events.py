"""Audit events for tests of rules, built the short way."""

from typing import Any

import msgspec

from auditwire.events import Event, ObjectRef, User


def event(
    *, verb: str = "get", resource: str = "pods", user: str = "ann", body: Any = None, level: str = "RequestResponse",
    subresource: str = "", namespace: str = "shop", name: str = "web", **more: Any,
) -> Event:  # fmt: skip
    """A ResponseComplete event of a request; ``body`` is its requestObject as plain values."""
    fields: dict[str, Any] = {
        "auditID": "0d1f7a52-3c1e-4b0a-9d7e-5f1b2c3d4e5f",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/{namespace}/{resource}",
        "stageTimestamp": "2026-11-21T22:05:00.000000Z",
    }
    if body is not None:
        fields["requestObject"] = msgspec.Raw(msgspec.json.encode(body))
    ref = ObjectRef(resource=resource, namespace=namespace, name=name, subresource=subresource)
    return Event(**{**fields, "level": level, "verb": verb, "user": User(username=user), "objectRef": ref, **more})
