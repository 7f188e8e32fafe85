"""The relay: delivers one batch of SQS messages to Alertmanager.

A message is done when one Alertmanager has its alert, or when it was sent to the dead-letter queue because none will
ever take it, or because no Alertmanager is configured. All others return to the queue, which keeps them for days.
endsAt counts from delivery, so an alert that was held up for hours still arrives active.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auditwire.alerts.counting import UNKNOWN, Counts, count, counted_under
from auditwire.alerts.dead_letters import MALFORMED, NO_RECEIVER, REFUSED
from auditwire.alerts.delivery import Delivery, deliver
from auditwire.alerts.errors import DeadLetterError, MessageError
from auditwire.alerts.queued import QueuedAlert, read_message

if TYPE_CHECKING:
    from auditwire.alerts.alertmanager import Peer
    from auditwire.alerts.dead_letters import DeadLetters
    from auditwire.alerts.peers import PeerSource
_UNAUTHORISED = ("401", "403")


@dataclass(frozen=True, slots=True)
class Relayed:
    """The result of a batch, in messages: ``alerts`` = ``delivered`` + ``failed`` + ``dead_lettered``.

    ``by_cluster`` has the second and the last as metrics of each cluster: AlertsDelivered and AlertsDeadLettered.
    ``peers`` gives for each peer ``ok`` or why it failed. ``problems`` are sentences for the log. ``oldest_seconds`` is
    how long the oldest message that returns to the queue has been waiting: SQS stops counting a message that was taken
    three times.
    """

    alerts: int
    delivered: int
    dead_lettered: int
    failed_ids: Sequence[str] = ()
    peers: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    by_cluster: Counts = field(default_factory=dict)
    oldest_seconds: float = 0.0

    @property
    def failed(self) -> int:
        """How many messages return to the queue."""
        return len(self.failed_ids)

    @property
    def peer_failures(self) -> int:
        """How many peers did not take the alerts."""
        return sum(outcome != "ok" for outcome in self.peers.values())

    def as_response(self) -> dict[str, list[dict[str, str]]]:
        """The answer for Lambda's poller: which messages are to be delivered again."""
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in self.failed_ids]}

    def log_fields(self) -> dict[str, object]:
        """The fields of one structured log line about the batch."""
        return {
            "alerts": self.alerts,
            "delivered": self.delivered,
            "failed": self.failed,
            "dead_lettered": self.dead_lettered,
            "peers": dict(self.peers),
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class Relay:
    """The relay of one deployment: the current peers, the dead letters, and how long an alert stays active."""

    peers: "PeerSource"
    dead_letters: "DeadLetters"
    ttl: timedelta

    def handle(self, event: Mapping[str, Any], seconds: float) -> Relayed:
        """Relays one SQS event within ``seconds``; see ``relay``."""
        found = self.peers.current()
        done = relay(
            event,
            peers=found.peers,
            dead_letters=self.dead_letters,
            ttl=self.ttl,
            seconds=seconds,
            none_configured=found.none_configured,
        )
        if any(outcome.startswith(_UNAUTHORISED) for outcome in done.peers.values()):
            self.peers.doubt()
        return replace(done, problems=(*found.problems, *done.problems))


def relay(
    event: Mapping[str, Any],
    *,
    peers: "Sequence[Peer]",
    dead_letters: "DeadLetters",
    ttl: timedelta,
    seconds: float,
    none_configured: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Relayed:
    """Delivers the messages of an SQS event to every peer, within ``seconds`` plus the time that dead letters take.

    An alert is active for ``ttl`` from its delivery. A message that contains no alert, and an alert that is proven bad,
    are sent to ``dead_letters``. So are all alerts if it is certain that nobody is to get them (``none_configured``).
    If that fails they return to the queue.
    """
    records: list[Mapping[str, Any]] = list(event.get("Records", ()))
    aside: list[tuple[Mapping[str, Any], str, str, str]] = []
    alerts: list[tuple[Mapping[str, Any], QueuedAlert]] = []
    for record in records:
        try:
            alerts.append((record, read_message(record["body"])))
        except MessageError as error:
            aside.append((record, UNKNOWN, MALFORMED, str(error)))
    delivery = Delivery(frozenset(), {}, {})
    if alerts and peers:
        moment = now()
        delivery = deliver([alert.as_posted(moment, ttl) for _, alert in alerts], peers, seconds)
    failed: list[str] = []
    counts: Counts = {}
    count(counts, "AlertsDelivered", (counted_under(alerts[position][1].labels) for position in delivery.taken))
    for position, (record, alert) in enumerate(alerts):
        if position in delivery.bad:
            aside.append((record, counted_under(alert.labels), REFUSED, delivery.bad[position]))
        elif none_configured:
            aside.append((record, counted_under(alert.labels), NO_RECEIVER, ""))
        elif position not in delivery.taken:
            failed.append(record["messageId"])
    problems: list[str] = []
    for record, cluster, reason, detail in aside:
        try:
            dead_letters.send(record["body"], reason, detail, _attributes(record))
            count(counts, "AlertsDeadLettered", [cluster])
        except DeadLetterError as error:
            failed.append(record["messageId"])
            problems.append(str(error))
    moment = now()
    ages = [_age(record, moment) for record in records if record["messageId"] in set(failed)]
    return Relayed(
        alerts=len(records),
        delivered=len(delivery.taken),
        dead_lettered=len(records) - len(delivery.taken) - len(failed),
        failed_ids=tuple(failed),
        peers=delivery.peers,
        problems=tuple(dict.fromkeys(problems)),
        by_cluster=counts,
        oldest_seconds=max(ages, default=0.0),
    )


def _age(record: Mapping[str, Any], now: datetime) -> float:
    """How many seconds ago the message came into the queue. SQS notes that time, not the sender."""
    sent = record.get("attributes", {}).get("SentTimestamp")
    return max(0.0, now.timestamp() - int(sent) / 1000) if sent else 0.0


def _attributes(record: Mapping[str, Any]) -> dict[str, str]:
    """The attributes of the message as text, such as the rule and the cluster, which SNS filters by."""
    found = record.get("messageAttributes", {}).items()
    return {name: text for name, value in found if value["dataType"] == "String" and (text := value["stringValue"])}
