"""Telling workers what to seal: one order for each cluster, every hour."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.evidence.arrivals import Notice
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.order import Order
from auditwire.evidence.verify import clusters_in
from auditwire.evidence.windows import HOUR, hour_of, is_usual

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from auditwire.evidence.store import Reader

MAX_HOURS: Final = 10_000
"""Hours that an order names beside those that are looked at anyway. What is filed under still others is found when the
archive is swept."""


class Notices(Protocol):
    """Notifications that wait; see ArrivalsQueue."""

    def take(self) -> Iterable[Notice]:
        """All of them."""

    def delete(self, handles: Iterable[str]) -> None:
        """Those that are done with."""

    def give_back(self, handles: Iterable[str]) -> None:
        """Those that are for the next time."""


class Orders(Protocol):
    """Where orders go."""

    def send(self, order: Order, identifier: str) -> None:
        """Sends an order, once for each identifier. Raises EvidenceError."""


@dataclass(frozen=True, slots=True)
class OrdersQueue:
    """A FIFO queue: the orders of a cluster are worked on one at a time."""

    client: "SQSClient"
    url: str

    def send(self, order: Order, identifier: str) -> None:
        """See Orders.send."""
        text = order.as_text()
        digest = hashlib.sha256(f"{identifier}\0{text}".encode()).hexdigest()
        try:
            self.client.send_message(
                QueueUrl=self.url, MessageBody=text, MessageGroupId=order.cluster, MessageDeduplicationId=digest
            )
        except (ClientError, BotoCoreError) as error:
            raise EvidenceError(f"{self.url}: could not be written to: {error}") from error


def sealed_to(now: datetime, grace: timedelta, *, at_once: bool) -> datetime:
    """Until when to seal: the last full hour, or with ``at_once`` the last full second, that is past by ``grace``.

    S3 gives an object the time at which its put began; what is listed ``grace`` later is all there will ever be.
    Without grace the running second counts too, and the caller waits for its end.
    """
    past = now.astimezone(UTC) - grace
    if not at_once:
        return hour_of(past)
    return datetime.fromtimestamp(math.floor(past.timestamp()) + (0 if grace else 1), UTC)


def dispatch(reader: "Reader", notices: Notices, orders: Orders, to: datetime, *, everything: bool) -> list[Order]:
    """Sends every cluster's order to seal up to ``to``, and lets go of the notifications that are dealt with by that.

    Raises EvidenceError; what was sent by then is sent again the next time, and changes nothing.
    """
    waiting = list(notices.take())
    hours = _hours(waiting, to)
    sent = []
    for cluster in clusters_in(reader):
        beyond = hours.get(cluster, set())
        order = Order(cluster=cluster, to=to, hours=tuple(sorted(beyond)[-MAX_HOURS:]), everything=everything)
        orders.send(order, "")
        sent.append(order)
    later = [one.handle for one in waiting if any(arrival.told >= to for arrival in one.arrivals)]
    notices.give_back(later)
    notices.delete({one.handle for one in waiting}.difference(later))
    return sent


def _hours(waiting: Sequence[Notice], to: datetime) -> Mapping[str, set[str]]:
    """Cluster → hours under which something was filed and that are not looked at anyway."""
    hours: dict[str, set[str]] = {}
    for notice in waiting:
        for arrival in notice.arrivals:
            if not is_usual(arrival.hour, to - HOUR, to):
                hours.setdefault(arrival.cluster, set()).add(arrival.hour)
    return hours
