"""The completeness ledger: what every step counted, per cluster and hour, and where the counts do not balance.

There are two sums. Every event received is ignored, archived or quarantined, or its sender was told that it was not
stored. Every alert that enters the outbox or the topic leaves again: it is published, refused, delivered or sent to the
dead-letter queue. The first sum is counted at one moment, so each hour balances by itself. Alerts take time, so what
enters in one hour may leave in a later one. It may also leave twice, because AWS delivers at least once: if more leaves
than enters, an alert was repeated; if less leaves, one is missing.

Pure: counts in, rows out. ``SOURCES`` says where they come from.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)

TAKING: Final = ("ingest", "subscribe_eks", "import_objects")
"""The services that take events."""

SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "EventsReceived": TAKING,
    "EventsIgnored": TAKING,
    "EventsArchived": TAKING,
    "EventsQuarantined": TAKING,
    "EventsNotStored": TAKING,
    "ItemsSkipped": TAKING,
    "AlertsPublished": (*TAKING, "compile_rules", "seal", "watch"),
    "AlertsOutboxed": (*TAKING, "publish_outbox"),
    "AlertsUnpublished": TAKING,
    "AlertsRefused": TAKING,
    "OutboxPublished": ("publish_outbox",),
    "OutboxRefused": ("publish_outbox",),
    "AlertsDelivered": ("relay",),
    "AlertsDeadLettered": ("relay",),
}
"""The metrics of the ledger, each with the services (the functions) that count it. All have a dimension cluster."""

SET_ASIDE: Final = "AlertsSetAside"
"""Not a metric: alerts that SQS or SNS moved to the dead-letter queue by itself, which no function sees."""

Counts = Mapping[tuple[str, datetime], Mapping[str, int]]
"""(cluster, beginning of an hour) → name of a metric → count."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A step of an alert's way: which counts enter, and which leave."""

    into: tuple[str, ...]
    out_of: tuple[str, ...]


OUTBOX: Final = Hop(("AlertsOutboxed",), ("OutboxPublished", "OutboxRefused"))
QUEUE: Final = Hop(("AlertsPublished", "OutboxPublished"), ("AlertsDelivered", "AlertsDeadLettered", SET_ASIDE))
_NOWHERE: Final = Hop((), ())


@dataclass(frozen=True, slots=True)
class Waiting:
    """Alerts that are on their way at this moment: those in the alerts queue, whose clusters are not known, and those
    in the outbox, by cluster."""

    queue: int = 0
    outbox: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Balance:
    """What is open in one hour at one step. ``waiting`` is known to be on its way, ``missing`` is not. ``repeated``
    left in addition to all that entered."""

    waiting: int = 0
    missing: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One cluster's hour. ``settled`` says whether its counts are final; counts of the last minutes may still arrive.

    ``unaccounted`` are received events that no count explains. If it is below zero, events were counted twice.
    """

    cluster: str
    hour: datetime
    counts: Mapping[str, int]
    outbox: Balance
    queue: Balance
    settled: bool

    @property
    def unaccounted(self) -> int:
        """Events received minus events ignored, archived, quarantined and not stored."""
        ended = ("EventsIgnored", "EventsArchived", "EventsQuarantined", "EventsNotStored")
        return self.count("EventsReceived") - sum(self.count(name) for name in ended)

    @property
    def balances(self) -> bool:
        """Whether nothing is missing, as far as is known."""
        return not (self.unaccounted or self.outbox.missing or self.queue.missing)

    def count(self, name: str) -> int:
        """A count of this hour; 0 if there is none."""
        return self.counts.get(name, 0)


def ledger(counts: Counts, waiting: Waiting, *, settled_before: datetime, has_relay: bool = True) -> list[Row]:
    """The rows, by cluster and hour. Hours that ended before ``settled_before`` are settled.

    Without a relay (``has_relay``) alerts end on the topic, and nothing is expected behind it.
    The counts must reach as far as the last hour in which alerts of the first hour could leave. A row is only as good
    as the hours after it.
    """
    by_cluster: dict[str, list[tuple[datetime, Mapping[str, int]]]] = {}
    for (cluster, hour), found in sorted(counts.items()):
        by_cluster.setdefault(cluster, []).append((hour, found))
    rows: list[Row] = []
    for cluster, hours in by_cluster.items():
        outbox, queue = _balances(hours, OUTBOX), _balances(hours, QUEUE if has_relay else _NOWHERE)
        _await(reversed(outbox), waiting.outbox.get(cluster, 0))
        rows += [
            Row(cluster, hour, found, one, other, hour + HOUR <= settled_before)
            for (hour, found), one, other in zip(hours, outbox, queue, strict=True)
        ]
    # The queue does not say whose alerts wait in it. The newest ones are assumed.
    newest_first = sorted(rows, key=lambda row: row.hour, reverse=True)
    _await((row.queue for row in newest_first), waiting.queue)
    return rows


def total(rows: Iterable[Row]) -> Counter[str]:
    """The sums of all counts."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update(row.counts)
    return sums


def _balances(hours: Sequence[tuple[datetime, Mapping[str, int]]], hop: Hop) -> list[Balance]:
    """What is open in each hour. What left beyond an hour's own share belongs to an earlier hour, the nearest first, or
    to the next hour if a metric was written at the turn of an hour."""
    balances: list[Balance] = []
    for _, counts in hours:
        left = _sum(counts, hop.into) - _sum(counts, hop.out_of)
        balances.append(Balance(missing=max(0, left)))
        balances[-1].repeated = _settle(reversed(balances), max(0, -left))
    for (hour, _), balance, (next_hour, _), following in zip(hours, balances, hours[1:], balances[1:], strict=False):
        if next_hour - hour == HOUR:
            balance.repeated = _settle([following], balance.repeated)
    return balances


def _settle(owing: Iterable[Balance], surplus: int) -> int:
    """Covers what is missing from a surplus. Returns what is left of the surplus."""
    for balance in owing:
        paid = min(balance.missing, surplus)
        balance.missing -= paid
        surplus -= paid
    return surplus


def _await(owing: Iterator[Balance] | Iterable[Balance], known: int) -> None:
    """Counts missing alerts as waiting, as far as they are known to be."""
    for balance in owing:
        here = min(balance.missing, known)
        balance.missing -= here
        balance.waiting += here
        known -= here


def _sum(counts: Mapping[str, int], names: Iterable[str]) -> int:
    return sum(counts.get(name, 0) for name in names)
