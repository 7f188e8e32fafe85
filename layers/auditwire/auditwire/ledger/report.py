"""What the ledger's rows say: a sentence for each that does not balance, and the ledger for scripts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from auditwire.ledger.balance import Row, Waiting

PAGE: Final = "docs/ledger.md"

PUBLISHED: Final = ("AlertsPublished", "OutboxPublished")
DEAD: Final = ("AlertsDeadLettered", "AlertsSetAside")


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say about a row. ``is_loss`` means that it does not balance; ``read`` is a section of a page."""

    code: str
    sentence: str
    read: str
    is_loss: bool = True


def findings(row: Row) -> Iterator[Finding]:
    """What does not balance in a row, and what only looks like it."""
    if row.unaccounted > 0:
        sentence = f"{row.unaccounted:,} of {_counted(row.count('EventsReceived'), 'event')} received became"
        yield Finding("events_missing", f"{sentence} nothing that is counted", f"{PAGE}#events-missing")
    elif row.unaccounted < 0:
        sentence = f"{_counted(-row.unaccounted, 'event was', 'events were')} counted twice"
        yield Finding("events_twice", sentence, f"{PAGE}#events-missing")
    if row.outbox.missing:
        sentence = f"{_counted(row.outbox.missing, 'alert')} of the outbox did not go out, and"
        yield Finding("outbox_missing", f"{sentence} cannot be found there", f"{PAGE}#alerts-missing-from-the-outbox")
    if row.queue.missing:
        one = row.queue.missing == 1
        missing = f"{row.queue.missing:,} of {_counted(_published(row), 'alert')} published"
        sentence = (
            f"{missing} {'was' if one else 'were'} neither delivered nor moved to the dead letters, and"
            f" {'does' if one else 'do'} not wait in the queue"
        )
        yield Finding("alerts_missing", sentence, f"{PAGE}#alerts-missing")
    if row.count("EventsNotStored"):
        sentence = f"{_counted(row.count('EventsNotStored'), 'event was', 'events were')} answered 503 and not stored"
        yield Finding("not_stored", sentence, f"{PAGE}#not-stored", is_loss=False)
    if row.count("AlertsUnpublished"):
        sentence = (
            f"{_counted(row.count('AlertsUnpublished'), 'alert was', 'alerts were')} answered 503, neither published"
        )
        yield Finding("not_published", f"{sentence} nor put into the outbox", f"{PAGE}#not-stored", is_loss=False)
    if refused := _refused(row):
        sentence = f"SNS refused {_counted(refused, 'alert')} as invalid; they are in outbox/refused/ of the archive"
        yield Finding("refused", sentence, f"{PAGE}#refused", is_loss=False)
    if repeated := row.queue.repeated + row.outbox.repeated:
        sentence = f"{_counted(repeated, 'alert')} went out more often than they came in"
        yield Finding("repeated", sentence, f"{PAGE}#repeats", is_loss=False)


def as_json(rows: Sequence[Row], waiting: Waiting) -> dict[str, object]:
    """The ledger for scripts."""
    return {
        "balances": all(row.balances for row in rows if row.settled),
        "waiting": {"queue": waiting.queue, "outbox": sum(waiting.outbox.values())},
        "rows": [_row_as_json(row) for row in rows],
    }


def _row_as_json(row: Row) -> dict[str, object]:
    return {
        "cluster": row.cluster,
        "hour": row.hour.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "settled": row.settled,
        "balances": row.balances,
        "received": row.count("EventsReceived"),
        "ignored": row.count("EventsIgnored"),
        "archived": row.count("EventsArchived"),
        "quarantined": row.count("EventsQuarantined"),
        "not_stored": row.count("EventsNotStored"),
        "skipped": row.count("ItemsSkipped"),
        "outboxed": row.count("AlertsOutboxed"),
        "not_published": row.count("AlertsUnpublished"),
        "refused": _refused(row),
        "published": _published(row),
        "delivered": row.count("AlertsDelivered"),
        "dead_lettered": sum(row.count(name) for name in DEAD),
        "waiting": row.outbox.waiting + row.queue.waiting,
        "missing_events": row.unaccounted,
        "missing_alerts": row.outbox.missing + row.queue.missing,
        "repeated": row.outbox.repeated + row.queue.repeated,
        "findings": [
            {"code": one.code, "sentence": one.sentence, "read": one.read, "loss": one.is_loss} for one in findings(row)
        ],
    }


def _published(row: Row) -> int:
    return sum(row.count(name) for name in PUBLISHED)


def _refused(row: Row) -> int:
    return row.count("AlertsRefused") + row.count("OutboxRefused")


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
