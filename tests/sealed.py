"""Made evidence: a key, an archive in memory that grows with a clock, and what seals it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auditwire.archive.keys import object_key
from auditwire.events.gzipping import gzip_lines
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.order import Order
from auditwire.evidence.seal import Books, Retention
from auditwire.evidence.sealing import Sealed, Sealer, Settings
from auditwire.evidence.states import ObjectReport, Report, SealReport, SpanReport, Tally
from auditwire.evidence.store import MemoryStore
from auditwire.evidence.verify import Question, verify
from auditwire.evidence.walk import Keys
from local_road import exec_event

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAYS = 30


@dataclass
class LocalKey:
    """A key of this process, as KMS would hold it. ``enabled`` is whether it signs."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    enabled: bool = True

    @property
    def fingerprint(self) -> str:
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return sha256(der).hexdigest()

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: bytes) -> bytes:
        if not self.enabled:
            raise EvidenceError("the key is disabled")
        return self.private.sign(text, ec.ECDSA(hashes.SHA256()))

    def verify(self, text: bytes, signature: bytes) -> bool:
        try:
            self.private.public_key().verify(signature, text, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def line(number: int, at: datetime, cluster: str = "prod") -> bytes:
    """An archived line, whose event happened then."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    about = {"received": stamp, "batch": f"{number:064}", "bundle": "", "archiving": ["archive.all"]}
    event = exec_event(number, stageTimestamp=stamp, requestReceivedTimestamp=stamp)
    return orjson.dumps({**event, "cluster": cluster, "_auditwire": about})


@dataclass
class World:
    """An archive, its clock and its key."""

    now: datetime = NOON
    key: LocalKey = field(default_factory=LocalKey)
    store: MemoryStore = field(default_factory=MemoryStore)
    retention: Retention = field(default_factory=lambda: Retention(DAYS, "none"))
    books: tuple[Books, ...] | None = ()
    max_objects: int = 20_000
    max_bytes: int = 2_000_000_000
    steps: int = 1_000_000
    """How often a worker may go on before its time is over."""
    count: int = 0

    def __post_init__(self) -> None:
        self.store.clock = lambda: self.now

    def after(self, **time: float) -> "World":
        """Let time pass."""
        self.now += timedelta(**time)
        return self

    def arrive(self, events: int = 2, *, cluster: str = "prod", at: datetime | None = None) -> str:
        """Ingest stores a batch now; its events happened ``at`` (now). The key of its object."""
        happened = at or self.now
        lines = []
        for _ in range(events):
            self.count += 1
            lines.append(line(self.count, happened + timedelta(milliseconds=self.count), cluster))
        t = happened.strftime("%Y%m%dT%H%M%S.%fZ")
        key = object_key(cluster, happened.strftime("%Y-%m-%dT%H"), t, sha256(lines[0]).hexdigest())
        self.store.put(key, gzip_lines(lines))
        return key

    def order(self, cluster: str = "prod", *, hours: Sequence[str] = (), everything: bool = False) -> Order:
        """What the dispatcher asks for now, at the full second."""
        return Order(cluster=cluster, to=self.now, hours=tuple(hours), everything=everything)

    def sealer(self, **changes: Any) -> Sealer:
        left = iter(range(self.steps))
        return Sealer(
            self.store,
            self.key,
            Settings(self.retention, self.max_bytes, self.max_objects),
            **{
                "clock": lambda: self.now,
                "may_go_on": lambda: next(left, None) is not None,
                "read_books": lambda cluster, hours: self.books,
                **changes,
            },
        )

    def seal(self, cluster: str = "prod", **order: Any) -> Sealed:
        """Seal what arrived before now."""
        return self.sealer().seal(self.order(cluster, **order))

    def reports(self, **question: Any) -> list[Report]:
        """What verifying says."""
        return self.reports_with({self.key.fingerprint: self.key}, **question)

    def reports_with(self, keys: Keys, **question: Any) -> list[Report]:
        """What verifying says with these keys."""
        return list(verify(self.store, keys, Question(now=self.now, **question), lambda what: None))


def seals(reports: Sequence[Report]) -> list[tuple[int, str]]:
    return [(one.number, one.state) for one in reports if isinstance(one, SealReport)]


def objects(reports: Sequence[Report]) -> dict[str, str]:
    return {one.key: one.state for one in reports if isinstance(one, ObjectReport)}


def spans(reports: Sequence[Report]) -> list[tuple[str, str, str]]:
    return [(one.start, one.end, one.state) for one in reports if isinstance(one, SpanReport)]


def outcome(reports: Sequence[Report]) -> int:
    tally = Tally()
    for report in reports:
        tally.add(report)
    return int(tally.outcome)
