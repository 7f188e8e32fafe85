"""The road of an event in memory: a directory with one cluster, rules, stores, and stores that take nothing."""

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from auditwire.alerts import Alert, MemoryPublisher, Published
from auditwire.alerts.outbox import MemoryOutbox, Outbox
from auditwire.archive import ArchiveError, MemoryArchive, PutResult, QuarantineNote, Record
from auditwire.clusters import Cluster, Credential, SentBy, credential_digest
from auditwire.ingest.ingest import Answer, Ingest
from auditwire.ingest.request import Request
from auditwire.rules import RuleSet, default_rules, load_sources
from auditwire.senders.kind import SenderKind
from auditwire.thresholds.store import MemoryThresholds

TOKEN = "token-of-prod"
RECEIVED = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)


@dataclass
class OneCluster:
    """A directory that knows one credential, ``TOKEN``."""

    uses: list[tuple[Credential, int, SentBy, float]] = field(default_factory=list)
    failures: int = 0

    def identify(self, credential: Credential | None) -> Cluster | None:
        known = credential is not None and credential.digest == credential_digest(TOKEN)
        return Cluster("prod", SenderKind.KUBERNETES) if known else None

    def ended(self, credential: Credential | None) -> str:
        return ""

    def note_use(self, credential: Credential, events: int, sender: Callable[[], SentBy], latest: float) -> int:
        self.uses.append((credential, events, sender(), latest))
        return self.failures


class DefaultRules:
    """A source that always has the default rules."""

    def current(self) -> RuleSet:
        return _default()


@cache
def _default() -> RuleSet:
    rule_set = load_sources(default_rules()).rule_set
    assert rule_set is not None
    return rule_set


class FullDisk(MemoryArchive):
    """An archive that can store nothing."""

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        raise ArchiveError(f"{place} could not be stored")

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        raise ArchiveError(f"{key} could not be stored")


@dataclass
class NoTopic(MemoryPublisher):
    """A publisher whose topic takes nothing."""

    deadlines: list[float] = field(default_factory=list)

    def publish(self, alerts: Sequence[Alert], deadline: float) -> Published[Alert]:
        self.alerts += alerts
        self.deadlines.append(deadline)
        return Published(failed=list(alerts))


@dataclass
class Road:
    """An ingest over in-memory stores."""

    archive: MemoryArchive = field(default_factory=MemoryArchive)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    directory: Any = field(default_factory=OneCluster)
    outbox: Outbox = field(default_factory=MemoryOutbox)
    rules: Any = field(default_factory=DefaultRules)
    thresholds: MemoryThresholds = field(default_factory=MemoryThresholds)

    @property
    def ingest(self) -> Ingest:
        return Ingest(
            self.directory, self.rules, self.archive, self.publisher, "https://archive/", self.outbox,
            thresholds=self.thresholds,
        )  # fmt: skip

    def post(self, body: bytes, *, token: str | None = TOKEN, received: datetime = RECEIVED, **headers: str) -> Answer:
        """What a sender gets; underscores in the names of headers stand for hyphens."""
        given = {
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        return self.ingest.handle(Request("POST", "/audit/webhook/event", given, body, received))

    def lines(self) -> list[dict[str, Any]]:
        """Every archived event."""
        keys = sorted(key for key in self.archive.objects if key.startswith("events/"))
        return [json.loads(line) for key in keys for line in self.archive.lines(key)]

    def quarantined(self) -> list[bytes]:
        """Every quarantined body or item."""
        keys = sorted(key for key in self.archive.objects if key.startswith("quarantine/"))
        return [gzip.decompress(self.archive.objects[key]) for key in keys]
