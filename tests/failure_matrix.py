"""The failure matrix: every step of the road in every kind of trouble. docs/failures.md says what comes of each.

A cell is data: which calls meet which fault, what the sender hears meanwhile, and how many faults that is at least.
tests/integration/test_failures.py runs them.
"""

from dataclasses import dataclass
from typing import Final

from faults import (
    Calls,
    Fault,
    Trouble,
    cut,
    denied,
    half_of_the_content,
    half_of_the_items,
    half_of_the_messages,
    internal_error,
    killed_after,
    killed_before,
    throttled,
    timeout,
)

KINDS: Final = ("timeout", "throttle", "500", "cut", "partial", "denied", "killed")

_FAULTS: Final[dict[str, Fault]] = {
    "timeout": timeout,
    "throttle": throttled,
    "500": internal_error,
    "cut": cut,
    "denied": denied,
    "killed": killed_after,
}
_REPEATED: Final = frozenset(("timeout", "throttle", "500", "cut"))
"""What a client of botocore tries again by itself: once while a request waits, twice where there is time."""


TOPIC_DOWN: Final = Trouble(Calls("ingest", "sns.PublishBatch"), internal_error)


@dataclass(frozen=True)
class Cell:
    """One step in one kind of trouble."""

    step: str
    kind: str
    answer: int
    """The HTTP status that the sender hears while the trouble lasts."""
    troubles: tuple[Trouble, ...] = ()
    faults: int = 1
    """At least so many faults are injected."""

    @property
    def name(self) -> str:
        """Its id; also the name of the cluster that sends."""
        return f"{self.step}-{self.kind}"


def _requests() -> list[Cell]:
    """The steps of a request: what one function meets while it holds a batch."""
    cells = []
    for kind, fault in _FAULTS.items():
        stopped, went_on = (500, 500) if kind == "killed" else (503, 200)
        met = 2 if kind in _REPEATED else 1
        into_outbox = Trouble(Calls("ingest", "s3.PutObject", "/outbox/"), fault)

        def cell(step: str, answer: int, faults: int, calls: Calls, *, kind: str = kind, fault: Fault = fault) -> Cell:
            return Cell(step, kind, answer, (Trouble(calls, fault),), faults)

        cells += [
            cell("identify", stopped, met, Calls("ingest", "dynamodb.GetItem")),
            # These repeat by themselves, while there is time.
            cell("rules", went_on, 1, Calls("ingest", "s3.GetObject", "active.json")),
            cell("cold-rules", went_on, 1, Calls("ingest", "s3.GetObject", "active.json")),
            cell("archive", stopped, met, Calls("ingest", "s3.PutObject", "/events/")),
            cell("archive-table", stopped, 1, Calls("ingest", "dynamodb.BatchWriteItem")),
            cell("quarantine", stopped, met, Calls("ingest", "s3.PutObject", "/quarantine/")),
            cell("publish", went_on, 1, Calls("ingest", "sns.PublishBatch")),
            cell("count", went_on, 1, Calls("ingest", "dynamodb.UpdateItem")),
            Cell("outbox", kind, stopped, (TOPIC_DOWN, into_outbox), faults=1 + met),
        ]
    bundle = Trouble(Calls("ingest", "s3.GetObject", "/bundles/"), half_of_the_content)
    cells += [
        Cell("rules", "partial", 200, (bundle,)),
        Cell("cold-rules", "partial", 200, (bundle,)),
        Cell("archive", "partial", 503, (Trouble(Calls("ingest", "s3.PutObject", "/events/"), timeout, spare=1),)),
        Cell(
            "archive-table", "partial", 503, (Trouble(Calls("ingest", "dynamodb.BatchWriteItem"), half_of_the_items),)
        ),
        Cell(
            "quarantine", "partial", 503, (Trouble(Calls("ingest", "s3.PutObject", "/quarantine/"), timeout, spare=1),)
        ),
        Cell("publish", "partial", 200, (Trouble(Calls("ingest", "sns.PublishBatch"), half_of_the_messages),)),
    ]
    return cells


def _behind() -> list[Cell]:
    """The steps behind the answer: the sender heard 200, and what is at stake are its alerts."""
    cells = []
    for kind, fault in _FAULTS.items():
        on_s3 = 2 if kind in _REPEATED else 1
        operations = ("s3.ListObjectsV2", "s3.GetObject", "sns.PublishBatch", "s3.DeleteObject")
        each = tuple(Trouble(Calls("publish_outbox", operation), fault) for operation in operations)
        quarantine_rejects = Trouble(Calls("relay", "sqs.SendMessage"), fault)
        cells += [
            # The topic is down before, so that there is something in the outbox.
            Cell("publish-outbox", kind, 200, each, faults=1 + 3 * on_s3 + 1),
            Cell("dead-letters", kind, 200, (quarantine_rejects,), faults=3 if kind in _REPEATED else 1),
        ]
    for kind, fault in _FAULTS.items():
        calls = (
            Calls("seal", "s3.ListObjectsV2"),
            Calls("seal", "s3.GetObject", "/events/"),
            Calls("seal", "kms.Sign"),
            Calls("seal", "s3.PutObject", "/seals/"),
        )
        troubles = tuple(Trouble(one, fault) for one in calls)
        cells.append(Cell("seal", kind, 200, troubles, faults=12 if kind in _REPEATED else 4))
    for kind, fault in _FAULTS.items():
        written = Trouble(Calls("seal", "s3.PutObject", "/index/"), fault)
        cells.append(Cell("index", kind, 200, (written,), faults=3 if kind in _REPEATED else 1))
    for kind, fault in _FAULTS.items():
        storing = (
            Calls("subscribe_eks", "dynamodb.GetItem"),
            Calls("subscribe_eks", "dynamodb.BatchWriteItem"),
            Calls("subscribe_eks", "s3.PutObject", "/quarantine/"),
        )
        cells.append(Cell("subscribe", kind, 200, tuple(Trouble(one, fault) for one in storing), faults=3))
        reading = (
            Calls("import_objects", "dynamodb.GetItem"),
            Calls("import_objects", "s3.GetObject", "/prod/"),
            Calls("import_objects", "s3.PutObject", "/quarantine/"),
        )
        cells.append(Cell("import", kind, 200, tuple(Trouble(one, fault) for one in reading), faults=3))
    half_of_it = Trouble(Calls("import_objects", "s3.GetObject", "/prod/"), half_of_the_content)
    cells.append(Cell("import", "partial", 200, (half_of_it,)))
    half_stored = Trouble(Calls("subscribe_eks", "dynamodb.BatchWriteItem"), half_of_the_items)
    cells.append(Cell("subscribe", "partial", 200, (half_stored,)))
    half_read = Trouble(Calls("seal", "s3.GetObject", "/events/"), half_of_the_content)
    cells.append(Cell("seal", "partial", 200, (half_read,)))
    half = Trouble(Calls("publish_outbox", "sns.PublishBatch"), half_of_the_messages)
    not_replaced = Trouble(Calls("publish_outbox", "s3.PutObject"), timeout)
    cells += [
        Cell("publish-outbox", "partial", 200, (half, not_replaced), faults=4),
        *(Cell("relay", kind, 200) for kind in KINDS if kind != "killed"),
        Cell("relay", "killed", 200, (Trouble(Calls("relay", "sqs.SendMessage"), killed_before, most=1),), faults=2),
    ]
    return cells


CELLS: Final = {cell.name: cell for cell in [*_requests(), *_behind()]}
