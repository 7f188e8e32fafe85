"""The completeness ledger. ``balance`` puts counts side by side; ``reading`` gets them from AWS; ``report`` says what
they mean."""

from auditwire.ledger.balance import (
    OUTBOX,
    QUEUE,
    SET_ASIDE,
    SOURCES,
    TAKING,
    Balance,
    Counts,
    Hop,
    Row,
    Waiting,
    ledger,
    total,
)

__all__ = [
    "OUTBOX",
    "QUEUE",
    "SET_ASIDE",
    "SOURCES",
    "TAKING",
    "Balance",
    "Counts",
    "Hop",
    "Row",
    "Waiting",
    "ledger",
    "total",
]
