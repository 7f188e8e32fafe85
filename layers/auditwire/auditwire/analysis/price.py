"""What recorded events cost: their number and their size, by policy rule, kind of request, client and detection."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from auditwire.analysis.judging import judging
from auditwire.analysis.tally import Counted
from auditwire.analysis.tops import Tops
from auditwire.events import Event
from auditwire.events.archived import Provenance
from auditwire.events.level import Level
from auditwire.policy import Policy
from auditwire.rules.rule_set import RuleSet

if TYPE_CHECKING:
    import msgspec

_SEPARATOR: Final = "\x00"
_LONGEST: Final = 100
_LONGEST_CLIENT: Final = 60
_MAX_BATCHES: Final = 1_000_000
# Dollars, us-east-1, on demand, list prices: docs/performance.md says what they are made of.
_A_REQUEST: Final = (1.00 + 0.20 + 2.30 + 5.00 + 1.25) / 1e6
"""API Gateway; Lambda's request and 0.1 s of a whole processor; an object in S3; 2.5 kB of logs."""
_A_GB_MONTH: Final = 0.023
_COMPRESSED: Final = 0.14
"""How much of a line is left when it is compressed with its batch."""
_UNKNOWN_BATCH: Final = 400


class RequestKind(NamedTuple):
    """Requests that audit policies and rules tell apart, and the level they were recorded at."""

    verb: str
    group: str
    resource: str
    subresource: str
    level: str


@dataclass(slots=True)
class Sizes:
    """Events, their bytes, and of these the bytes of both bodies and of the response's body, by some word. The rarest
    words are left out if there are more than 20,000."""

    events: Tops = field(default_factory=lambda: Tops(1_000))
    bytes: Tops = field(default_factory=lambda: Tops(1_000))
    bodies: Tops = field(default_factory=lambda: Tops(1_000))
    responses: Tops = field(default_factory=lambda: Tops(1_000))

    def add(self, word: str, size: int, request: int, response: int) -> None:
        """Counts an event."""
        self.events.add(word)
        self.bytes.add(word, size)
        if request or response:
            self.bodies.add(word, request + response)
        if response:
            self.responses.add(word, response)

    def merge(self, other: "Sizes") -> None:
        """Adds the counts of another one."""
        self.events.merge(other.events)
        self.bytes.merge(other.bytes)
        self.bodies.merge(other.bodies)
        self.responses.merge(other.responses)


@dataclass(slots=True)
class PriceTally(Counted):
    """The sizes of all events. ``batches`` are digests of the requests that brought them, where these are known.
    ``kept_events`` and ``kept_size`` are what the policy would record of them: it can leave out, and add nothing."""

    size: int = 0
    first: str = ""
    last: str = ""
    batches: set[int] = field(default_factory=set)
    kept_events: int = 0
    kept_size: int = 0
    policy_rules: Sizes = field(default_factory=Sizes)
    kinds: Sizes = field(default_factory=Sizes)
    clients: Sizes = field(default_factory=Sizes)
    detections: Sizes = field(default_factory=Sizes)

    @property
    def events_a_request(self) -> float:
        """How many events a request brings: as recorded, or 400 where nothing is known about requests."""
        known = len(self.batches)
        return self.events / known if 0 < known < _MAX_BATCHES else _UNKNOWN_BATCH

    def dollars(self, events: float, size: float, months: float) -> float:
        """What so many events of so many bytes cost, with their storage for some months."""
        storage = size * _COMPRESSED / 1e9 * _A_GB_MONTH * months
        return events / self.events_a_request * _A_REQUEST + storage

    def merge(self, later: "PriceTally") -> None:
        """Adds what was counted of later events."""
        self.add_counted(later)
        self.size += later.size
        self.kept_events += later.kept_events
        self.kept_size += later.kept_size
        self.first = min(filter(None, (self.first, later.first)), default="")
        self.last = max(self.last, later.last)
        if len(self.batches) < _MAX_BATCHES:
            self.batches |= later.batches
        for name in ("policy_rules", "kinds", "clients", "detections"):
            getattr(self, name).merge(getattr(later, name))


class PriceCounting:
    """Measures events. Remembers nothing of them. ``policy`` is the sender's, or one to try: sizes are
    of its rules, and of what it would record."""

    def __init__(self, rules: RuleSet, policy: Policy | None) -> None:
        self._judge = judging(rules, sender=None)
        self._policy = policy

    def tally(self) -> PriceTally:
        """Where counts go, empty."""
        return PriceTally()

    def take(self, event: Event, noted: Provenance | None, tally: PriceTally) -> None:
        """Measures an event as it is written down."""
        size, request, response = map(_size, (event.received, event.requestObject, event.responseObject))
        tally.events += 1
        tally.size += size
        time = event.stageTimestamp or ""
        tally.first = time if not tally.first else min(tally.first, time)
        tally.last = max(tally.last, time)
        if noted is not None:
            tally.archived_lines += 1
            if noted.batch and len(tally.batches) < _MAX_BATCHES:
                # Not hash(), which differs from process to process.
                tally.batches.add(int.from_bytes(blake2b(noted.batch.encode(), digest_size=8).digest(), "big"))
        about = event.objectRef
        parts = (event.verb, about.apiGroup, about.resource, about.subresource, event.level)
        kind = _SEPARATOR.join(part.replace(_SEPARATOR, "\ufffd")[:_LONGEST] for part in parts)
        tally.kinds.add(kind, size, request, response)
        tally.clients.add(_client(event.userAgent), size, request, response)
        if self._policy is not None:
            decision = self._policy.evaluate_event(event)
            matched = decision.matched_rule
            tally.policy_rules.add("none" if matched is None else f"rules[{matched}]", size, request, response)
            if decision.emits(event.stage):
                tally.kept_events += 1
                tally.kept_size += size - _left_out(decision.level, request, response)
        for rule in self._judge(event).verdict.alerts:
            tally.detections.add(rule.qualified, size, request, response)


def _left_out(level: Level, request: int, response: int) -> int:
    """The bytes of an event's bodies that are not recorded at a level."""
    return (request if level < Level.REQUEST else 0) + (response if level < Level.REQUEST_RESPONSE else 0)


def _size(text: "msgspec.Raw | memoryview | bytes | None") -> int:
    return 0 if text is None else memoryview(text).nbytes


def _client(agent: str) -> str:
    """The program in a user agent, without its version."""
    return agent.partition("/")[0].partition(" ")[0][:_LONGEST_CLIENT] or "none"


@dataclass(frozen=True, slots=True)
class KindSize:
    """A kind of requests: its events, their bytes, and of these the bytes of both bodies and of the response's."""

    kind: RequestKind
    events: int
    bytes: int
    bodies: int
    responses: int


def kinds_of(tally: PriceTally) -> list[KindSize]:
    """The kinds of requests, the largest first."""
    sizes = tally.kinds
    return [
        KindSize(
            RequestKind(*word.split(_SEPARATOR)),
            sizes.events.counts[word], size, sizes.bodies.counts[word], sizes.responses.counts[word],
        )
        for word, size in sizes.bytes.most(len(sizes.bytes.counts))
    ]  # fmt: skip
