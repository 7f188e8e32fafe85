"""Double entry: what the senders know, what the functions counted, and what lies where must be the same.

Every sentence that `differences` gives is an event, a body or an alert that got lost, came twice or was not counted.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson
from senders import REFUSED, Delivery

from auditwire_local.archive import archive_keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Name = tuple[str, str]
"""A cluster and an auditID in it."""

_LINES = {"batch", "unauthorized", "relay", "outbox"}


@dataclass(slots=True)
class Sent:
    """What the senders know; ``add`` may be called from any thread."""

    totals: Counter[str] = field(default_factory=Counter)
    """Deliveries, bytes, received, ignored, archived, quarantined, unauthorized; repeated bodies count each time."""
    faults: Counter[str] = field(default_factory=Counter)
    archived: set[Name] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    unexpected: list[str] = field(default_factory=list)
    """Answers that were not what they had to be."""
    _lock: Lock = field(default_factory=Lock)

    def add(self, delivery: Delivery, status: int | str) -> None:
        """Enter a delivery and what was answered: a status, or what went wrong with the connection."""
        with self._lock:
            if status != delivery.status:
                self.unexpected.append(f"{delivery.cluster}: {status} where {delivery.status} was due")
            self.totals.update(
                deliveries=1,
                bytes=len(delivery.body),
                received=delivery.received,
                ignored=delivery.ignored,
                archived=len(delivery.archived),
                quarantined=delivery.quarantined,
                unauthorized=int(delivery.status == 401),
            )
            if delivery.fault:
                self.faults[delivery.fault] += 1
            self.archived.update((delivery.cluster, event) for event in delivery.archived)
            self.alerts |= delivery.alerts


@dataclass(frozen=True, slots=True)
class StoredEvents:
    """What lies where at the end."""

    archived: Counter[Name]
    quarantined: int
    outboxed: int
    delivered: frozenset[str]
    """Names of objects that Alertmanager has an alert about."""
    dead: frozenset[str]
    """The same of the dead letters."""


def counted(log: Path) -> Counter[str]:
    """What the functions counted, from all the lines they logged."""
    totals: Counter[str] = Counter()
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            entry = orjson.loads(line) if line.startswith("{") else {}
            kind = entry.get("message")
            if kind not in _LINES:
                continue
            totals[f"{kind} lines"] += 1
            for name, value in entry.items():
                if isinstance(value, dict):
                    value = sum(each for each in value.values() if isinstance(each, int))  # noqa: PLW2901 - by reason
                if type(value) in {int, bool}:
                    totals[f"{kind}.{name}"] += int(value)
    return totals


def archived_events(s3: "S3Client", bucket: str) -> Counter[Name]:
    """Every event of the archive, by cluster and auditID; 2 for one that lies there twice."""
    found: Counter[Name] = Counter()
    for key in archive_keys(s3, bucket):
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        found.update(_names(gzip.decompress(content).splitlines()))
    return found


def keys_below(s3: "S3Client", bucket: str, prefix: str) -> int:
    """How many objects there are."""
    return sum(1 for _ in archive_keys(s3, bucket, prefix))


def differences(sent: Sent, counts: Counter[str], stored: StoredEvents) -> list[str]:
    """Every way in which the books disagree, as sentences; none is as it should be."""
    published = counts["batch.published"] + counts["outbox.published"]
    held_back = counts["batch.outboxed"] + counts["outbox.outboxed"]
    pairs = [
        ("events sent", sent.totals["received"], "received", counts["batch.received"]),
        ("events no rule wants", sent.totals["ignored"], "ignored", counts["batch.ignored"]),
        ("events a rule wants", sent.totals["archived"], "archived", counts["batch.archived"]),
        ("unreadable things sent", sent.totals["quarantined"], "quarantined", counts["batch.quarantined"]),
        ("wrong credentials", sent.totals["unauthorized"], "refused", counts["unauthorized lines"]),
        ("unreadable things sent", sent.totals["quarantined"], "objects in quarantine", stored.quarantined),
        ("alerts published", published, "delivered or dead", counts["relay.delivered"] + counts["relay.dead_lettered"]),
        ("alerts held back", held_back, "published later", counts["outbox.published"]),
        ("objects of the outbox", stored.outboxed, "expected there", 0),
        ("events not stored", counts["batch.not_stored"], "expected", 0),
    ]
    found = [f"{left} {what}, {right} {other}" for what, left, other, right in pairs if left != right]
    found += sent.unexpected
    found += _compared("events of the archive", sent.archived, set(stored.archived))
    found += [f"{name} lies in the archive {times} times" for name, times in stored.archived.items() if times > 1]
    refused = {name for name in sent.alerts if name.endswith(REFUSED)}
    found += _compared("delivered alerts", sent.alerts - refused, set(stored.delivered))
    found += _compared("dead letters", refused, set(stored.dead))
    return found


def _names(lines: Iterable[bytes]) -> Iterator[Name]:
    for line in lines:
        event: dict[str, Any] = orjson.loads(line)
        yield event["cluster"], event["auditID"]


def _compared(what: str, expected: set[Any], found: set[Any]) -> list[str]:
    missing, strange = expected - found, found - expected
    told = []
    if missing:
        told.append(f"{what}: {len(missing)} of {len(expected)} are missing, such as {min(missing)}")
    if strange:
        told.append(f"{what}: {len(strange)} that nobody sent, such as {min(strange)}")
    return told
