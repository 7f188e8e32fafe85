"""The ledger for people: its rows, and a sentence for each that does not balance."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted
from auditwire_cli.terminal.table import table

if TYPE_CHECKING:
    from auditwire.ledger import Row, Waiting
    from auditwire.ledger.report import Finding

_HEADS = (
    "cluster", "hour (UTC)", "received", "ignored", "archived", "quarantined", "not stored", "skipped",
    "outboxed", "published", "delivered", "dead", "waiting", "balances",
)  # fmt: skip


def as_text(rows: "Sequence[Row]", waiting: "Waiting") -> str:
    """The ledger for people."""
    from auditwire.ledger import total
    from auditwire.ledger.report import findings

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
    from auditwire.ledger.report import DEAD, PUBLISHED

    names = (
        ("EventsReceived",), ("EventsIgnored",), ("EventsArchived",), ("EventsQuarantined",), ("EventsNotStored",),
        ("ItemsSkipped",),
        ("AlertsOutboxed",), PUBLISHED, ("AlertsDelivered",), DEAD,
    )  # fmt: skip
    return tuple(f"{sum(count(name) for name in some):,}" for some in names)


def _hour(row: "Row") -> str:
    return row.hour.strftime("%Y-%m-%d %H:%M")


def _caution(row: "Row", finding: "Finding") -> str:
    return "" if row.settled or not finding.is_loss else " (counts of this hour may still come)"
