"""What the seal function does: dispatch on schedule, and work on an order."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from auditwire.alerts.counting import counted_under
from auditwire.alerts.self_alerts import publish_self_alerts
from auditwire.evidence.alerts import alerts_about, alerts_about_export
from auditwire.evidence.chain import lag_of
from auditwire.evidence.dispatch import dispatch, sealed_to
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.exporting import Export, ExportDone, Exporting, exporting_to
from auditwire.evidence.heads import HeadLine, announce_heads, heads_of, is_time_to_publish, put_heads
from auditwire.evidence.indexing import Indexing
from auditwire.evidence.order import Order
from auditwire.evidence.seal import Retention
from auditwire.evidence.sealing import ReadBooks, Sealed, Sealer, Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

    from auditwire.alerts.alert import Alert
    from auditwire.alerts.sns import Publisher
    from auditwire.aws.environment import SealConfig
    from auditwire.evidence.dispatch import Notices, Orders
    from auditwire.evidence.signing import Signer
    from auditwire.evidence.store import Writer


@dataclass(frozen=True, slots=True)
class Tools:
    """What the function works with."""

    config: "SealConfig"
    store: "Writer"
    signer: "Signer"
    notices: "Notices"
    orders: "Orders"
    publisher: "Publisher"
    read_books: ReadBooks
    sns: "SNSClient"
    s3: "S3Client"
    export: Export | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The orders that were sent, the heads that were published, and for how many seconds what arrived has not been
    sealed, of the cluster where that is longest."""

    orders: list[Order]
    heads: list[HeadLine]
    behind: float

    def log_fields(self) -> dict[str, Any]:
        """For the log."""
        heads = [head.as_text() for head in self.heads]
        return {"clusters": len(self.orders), "behind_seconds": round(self.behind), "heads": heads}

    def as_response(self) -> dict[str, Any]:
        """What the function answers, for who has invoked it."""
        return {"orders": [{"cluster": order.cluster, "to": order.to.isoformat()} for order in self.orders]}


@dataclass(slots=True)
class Worked:
    """What became of an order. ``problems`` are sentences about what could not be told or followed."""

    order: Order
    done: Sealed
    exported: ExportDone | None = None
    problems: list[str] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)
    """Cluster → alerts that were published."""

    @property
    def objects(self) -> int:
        """How many objects the new seals name."""
        return sum(one.seal.objects.count for one in self.done.seals)

    def confirm(self) -> None:
        """Raises EvidenceError where something could not be told or followed: an alarm takes it from there."""
        if self.problems or self.done.problems:
            raise EvidenceError("; ".join([*self.problems, *self.done.problems]))

    def log_fields(self) -> dict[str, Any]:
        """For the log: with the head, which is the one place beside the bucket that has it every hour."""
        done, last = self.done, self.done.seals[-1] if self.done.seals else None
        return {
            "cluster": self.order.cluster,
            "seals": len(done.seals),
            "objects": self.objects,
            "events": sum(one.seal.objects.events for one in done.seals),
            "head": f"{last.seal.number}:{last.file.text_sha256}" if last else "",
            "sealed_late": done.unseen,
            "behind_seconds": round(done.behind),
            "handed_over": done.rest is not None,
            "problems": [*done.chain_faults, *done.problems, *self.problems],
        }


def send_orders(tools: Tools, event: Mapping[str, Any]) -> Dispatched:
    """Sends every cluster's order; in the first hour of a day publishes the heads too.

    ``event`` is the schedule's, or ``{"at_once": true}``, which does not wait for the end of an hour and has
    everything looked through. Raises EvidenceError.
    """
    at_once = event.get("at_once") is True
    grace = timedelta(seconds=tools.config.grace_seconds)
    to = sealed_to(tools.clock(), grace, at_once=at_once)
    # Without grace it is the end of the running second.
    tools.sleep(max(0.0, (to - tools.clock()).total_seconds()))
    orders = dispatch(tools.store, tools.notices, tools.orders, to, everything=at_once)
    heads: list[HeadLine] = []
    scheduled = event.get("time")
    if isinstance(scheduled, str) and is_time_to_publish(datetime.fromisoformat(scheduled)):
        heads = heads_of(tools.store, tools.signer)
        day = scheduled[:10]
        if tools.config.heads_bucket:
            put_heads(tools.s3, tools.config.heads_bucket, heads, tools.config.stack, day)
        announce_heads(tools.sns, tools.config.operations_topic_arn, heads, tools.config.stack, day)
    behind = max((lag_of(tools.store, order.cluster, tools.clock()) for order in orders), default=0.0)
    return Dispatched(orders, heads, behind)


def work_on(
    tools: Tools, message: str, identifier: str, seconds: float, tell: Callable[[Worked], None] = lambda worked: None
) -> Worked:
    """Seals what the order of a message asks for, hands over what there is no time for, and tells of what is wrong.

    ``identifier`` is of this attempt; ``seconds`` is how much time there is. ``tell`` is called when everything is
    sealed; then it is exported, if the stack does that. Raises EvidenceError for what could not be read, written or
    signed, and for a message that is no order.
    """
    config = tools.config
    try:
        order = Order.from_text(message)
    except msgspec.DecodeError as error:
        raise EvidenceError(f"a message is no order: {error}") from None
    end = time.monotonic() + seconds

    def may_go_on() -> bool:
        return time.monotonic() < end

    with exporting_to(tools.export, tools.store, order.cluster) as exporting:
        with Indexing(tools.store.put) as indexing:
            sealer = Sealer(
                tools.store,
                tools.signer,
                Settings(Retention(config.archive_days, config.evidence_lock), config.max_bytes),
                clock=tools.clock,
                may_go_on=may_go_on,
                read_books=tools.read_books,
                followers=[indexing] if exporting is None else [indexing, exporting],
            )
            worked = Worked(order, sealer.seal(order))
        if worked.done.rest is not None:
            tools.orders.send(worked.done.rest, identifier)
        _tell(tools, worked, alerts_about(worked.done, order.cluster, config.archive_bucket, tools.clock()))
        tell(worked)
        if exporting is not None:
            _run_export(tools, worked, exporting, may_go_on, identifier)
    return worked


def _run_export(
    tools: Tools, worked: Worked, exporting: Exporting, may_go_on: Callable[[], bool], identifier: str
) -> None:
    """Exports what is sealed. What there is no time for is handed over; who gets it must get on with it."""
    order = worked.order
    exported = worked.exported = exporting.run(worked.done, may_go_on, tools.clock())
    if exported.behind is None:
        worked.problems.append(f"nobody can tell how far cluster {order.cluster} is exported: {exported.failure}")
    if exported.is_late and worked.done.rest is None and (exported.files or not order.is_swept):
        tools.orders.send(order.swept_through(), identifier)
    _tell(tools, worked, alerts_about_export(exported, order.cluster, tools.clock()))


def _tell(tools: Tools, worked: Worked, alerts: "Sequence[Alert]") -> None:
    told, untold = publish_self_alerts(tools.publisher, alerts, time.time() + 10, tools.config.runbooks_url)
    worked.alerts.update(counted_under(alert.labels) for alert in told)
    worked.problems += untold
