"""The ledger for people and for scripts: its rows, and a sentence for each that does not balance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted
from auditwire_cli.terminal.table import table

if TYPE_CHECKING:
    from auditwire.ledger import Row, Waiting

PAGE = "docs/ledger.md"

_PUBLISHED = ("AlertsPublished", "OutboxPublished")
_DEAD = ("AlertsDeadLettered", "AlertsSetAside")
_HEADS = (
    "cluster", "hour (UTC)", "received", "ignored", "archived", "quarantined", "not stored", "skipped",
    "outboxed", "published", "delivered", "dead", "waiting", "balances",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say about a row. ``is_loss`` means that it does not balance; ``read`` is a section of a page."""

    code: str
    sentence: str
    read: str
    is_loss: bool = True


def findings(row: "Row") -> Iterator[Finding]:
    """What does not balance in a row, and what only looks like it."""
    if row.unaccounted > 0:
        sentence = f"{row.unaccounted:,} of {counted(row.count('EventsReceived'), 'event')} received became"
        yield Finding("events_missing", f"{sentence} nothing that is counted", f"{PAGE}#events-missing")
    elif row.unaccounted < 0:
        sentence = f"{counted(-row.unaccounted, 'event was', 'events were')} counted twice"
        yield Finding("events_twice", sentence, f"{PAGE}#events-missing")
    if row.outbox.missing:
        sentence = f"{counted(row.outbox.missing, 'alert')} of the outbox did not go out, and"
        yield Finding("outbox_missing", f"{sentence} cannot be found there", f"{PAGE}#alerts-missing-from-the-outbox")
    if row.queue.missing:
        one = row.queue.missing == 1
        missing = f"{row.queue.missing:,} of {counted(_published(row), 'alert')} published"
        sentence = (
            f"{missing} {'was' if one else 'were'} neither delivered nor moved to the dead letters, and"
            f" {'does' if one else 'do'} not wait in the queue"
        )
        yield Finding("alerts_missing", sentence, f"{PAGE}#alerts-missing")
    if row.count("EventsNotStored"):
        sentence = f"{counted(row.count('EventsNotStored'), 'event was', 'events were')} answered 503 and not stored"
        yield Finding("not_stored", sentence, f"{PAGE}#not-stored", is_loss=False)
    if row.count("AlertsUnpublished"):
        sentence = (
            f"{counted(row.count('AlertsUnpublished'), 'alert was', 'alerts were')} answered 503, neither published"
        )
        yield Finding("not_published", f"{sentence} nor put into the outbox", f"{PAGE}#not-stored", is_loss=False)
    if refused := _refused(row):
        sentence = f"SNS refused {counted(refused, 'alert')} as invalid; they are in outbox/refused/ of the archive"
        yield Finding("refused", sentence, f"{PAGE}#refused", is_loss=False)
    if repeated := row.queue.repeated + row.outbox.repeated:
        sentence = f"{counted(repeated, 'alert')} went out more often than they came in"
        yield Finding("repeated", sentence, f"{PAGE}#repeats", is_loss=False)


def as_json(rows: "Sequence[Row]", waiting: "Waiting") -> dict[str, object]:
    """The ledger for scripts."""
    return {
        "balances": all(row.balances for row in rows if row.settled),
        "waiting": {"queue": waiting.queue, "outbox": sum(waiting.outbox.values())},
        "rows": [_row_as_json(row) for row in rows],
    }


def as_text(rows: "Sequence[Row]", waiting: "Waiting") -> str:
    """The ledger for people."""
    from auditwire.ledger import total

    if not rows:
        return "nothing was counted in these hours"
    sums = total(rows)
    lines = [_cells(row) for row in rows]
    if len(rows) > 1:
        last = sum(row.outbox.waiting + row.queue.waiting for row in rows)
        lines.append(("total", "", *_numbers(sums.__getitem__), f"{last:,}", ""))
    said = [
        f"{printable(row.cluster)} {_hour(row)}: {finding.sentence}{_caution(row, finding)}; see {finding.read}"
        for row in rows
        for finding in findings(row)
    ]
    now = f"waiting now: {waiting.queue:,} in the alerts queue, {sum(waiting.outbox.values()):,} in the outbox"
    return "\n".join([table(_HEADS, lines, right=_HEADS[2:-1]), now, *said, _verdict(rows)])


def _verdict(rows: "Sequence[Row]") -> str:
    settled = [row for row in rows if row.settled]
    wrong = sum(not row.balances for row in settled)
    later = f"{len(rows) - len(settled):,} may still change" if len(settled) < len(rows) else ""
    if not settled:
        return f"no hour is settled yet; {later}"
    judged = counted(len(settled), "settled hour")
    if wrong:
        return f"{wrong:,} of {judged} {'does' if wrong == 1 else 'do'} not balance"
    return f"{judged} {'balances' if len(settled) == 1 else 'balance'}" + (f"; {later}" if later else "")


def _cells(row: "Row") -> tuple[str, ...]:
    state = "yes" if row.balances else ("NO" if row.settled else "not yet")
    waits = f"{row.outbox.waiting + row.queue.waiting:,}"
    return (row.cluster, _hour(row), *_numbers(row.count), waits, state)


def _numbers(count: Callable[[str], int]) -> tuple[str, ...]:
    names = (
        ("EventsReceived",), ("EventsIgnored",), ("EventsArchived",), ("EventsQuarantined",), ("EventsNotStored",),
        ("ItemsSkipped",),
        ("AlertsOutboxed",), _PUBLISHED, ("AlertsDelivered",), _DEAD,
    )  # fmt: skip
    return tuple(f"{sum(count(name) for name in some):,}" for some in names)


def _published(row: "Row") -> int:
    return sum(row.count(name) for name in _PUBLISHED)


def _refused(row: "Row") -> int:
    return row.count("AlertsRefused") + row.count("OutboxRefused")


def _hour(row: "Row") -> str:
    return row.hour.strftime("%Y-%m-%d %H:%M")


def _caution(row: "Row", finding: Finding) -> str:
    return "" if row.settled or not finding.is_loss else " (counts of this hour may still come)"


def _row_as_json(row: "Row") -> dict[str, object]:
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
        "dead_lettered": sum(row.count(name) for name in _DEAD),
        "waiting": row.outbox.waiting + row.queue.waiting,
        "missing_events": row.unaccounted,
        "missing_alerts": row.outbox.missing + row.queue.missing,
        "repeated": row.outbox.repeated + row.queue.repeated,
        "findings": [
            {"code": one.code, "sentence": one.sentence, "read": one.read, "loss": one.is_loss} for one in findings(row)
        ],
    }
