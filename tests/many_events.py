"""An archive in a folder with many events, and an index of them: what a console has behind it.

``AUDITWIRE_CONSOLE_EVENTS`` says how many; tests make do with few, and a million shows what is slow.
"""

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from auditwire.archive import batch_digest, object_key
from auditwire.events.gzipping import gzip_lines
from auditwire.search.index_builder import IndexBuilder

COUNT = int(os.environ.get("AUDITWIRE_CONSOLE_EVENTS") or 20_000)
HOURS = 24
FIRST = datetime(2026, 11, 20, 22, tzinfo=UTC)
HOSTILE = (
    'jane<img src=x onerror="window.hacked=1">',
    "<script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "\u202egnp.exe\u2066",
    "a" * 7_000,
    "'\"`${window.hacked=1}&amp;\\",
)
"""Names that somebody chose, each of the user of one event."""

_USERS = ("mallory", "jane", "bob@example.com", "system:serviceaccount:shop:deployer", "system:node:node-1")
_VERBS = ("get", "get", "get", "list", "watch", "create", "update", "patch", "delete")
_RESOURCES = ("pods", "deployments", "secrets", "configmaps", "leases")
_NAMESPACES = ("shop", "shop-test", "kube-system", "team-a")
_AT_ONCE = 2_000


def write_archive(folder: Path, count: int = COUNT) -> None:
    """Writes the archive of one cluster, an equal part of the events into each of 24 hours."""
    chance = random.Random(count)

    def put(key: str, content: bytes) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    number = 0
    for hour in range(HOURS):
        end = count * (hour + 1) // HOURS
        start = FIRST + timedelta(hours=hour)
        keys = []
        with IndexBuilder(put) as builder:
            while number < end:
                size = min(_AT_ONCE, end - number)
                lines = [
                    orjson.dumps(_event(chance, each, _moment(each, hour, count)))
                    for each in range(number, number + size)
                ]
                t = orjson.loads(lines[0])["stageTimestamp"].replace("-", "").replace(":", "")
                name = start.strftime("%Y-%m-%dT%H")
                key = object_key("prod", name, t, batch_digest("prod", lines[0]))
                packed = gzip_lines(lines)
                put(key, packed)
                builder.add(key, len(packed), 0, lines)
                keys.append(key)
                number += size
            builder.write(keys)


def _moment(number: int, hour: int, count: int) -> datetime:
    """Evenly spread over the hour that the event is in."""
    return FIRST + timedelta(hours=hour + min(max(HOURS * number / count - hour, 0.0), 0.9999))


def _event(chance: random.Random, number: int, at: datetime) -> dict[str, Any]:
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    verb, resource, namespace = chance.choice(_VERBS), chance.choice(_RESOURCES), chance.choice(_NAMESPACES)
    user = (
        HOSTILE[number]
        if number < len(HOSTILE)
        else chance.choice(_USERS)
        if chance.random() < 0.9
        else f"user-{number % 997}"
    )
    about: dict[str, Any] = {"batch": "0" * 64, "archiving": ["doc.kept"], "bundle": "1" * 64}
    if verb == "delete" and chance.random() < 0.05:
        about["alerting"] = ["doc.Deleted"]
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"9c1f8a52-0000-4000-8000-{number:012x}",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/{namespace}/{resource}/{resource}-{number % 400}",
        "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]},
        "sourceIPs": [f"192.0.2.{number % 250}"],
        "userAgent": "kubectl/v1.33.2",
        "objectRef": {
            "resource": resource,
            "namespace": namespace,
            "name": f"{resource}-{number % 400}",
            "apiVersion": "v1",
        },
        "responseStatus": {"metadata": {}, "code": chance.choice((200, 200, 200, 201, 403, 404, 500))},
        "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
        "annotations": {"authorization.k8s.io/decision": "allow"},
        "cluster": "prod",
        "_auditwire": about,
    }
