"""What is found, and from what: counts, and how much of the archive an answer rests on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from auditwire.search.histogram import Interval


@dataclass(frozen=True, slots=True)
class Group:
    """How many events have these values, in the order of the fields; None for a number that an event does not have."""

    values: tuple[str | int | None, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many events have this value."""

    value: str | int | None
    count: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many events there are from ``start`` on, for one interval. Buckets without events are left out."""

    start: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known about the events that are found: what was wanted, nothing else."""

    events: int
    groups: tuple[Group, ...] = ()
    histogram: tuple[Bucket, ...] = ()
    facets: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    distinct: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Coverage:
    """What an answer rests on. An engine fills it in while it works, so it is complete when the answer is.

    ``reading`` is called with the hour that is read next, such as ``2026-11-21T22``. When ``may_go_on`` says no, the
    engine ends with what it has and says so in ``cut_off``: ``time``. It is ``limit`` where there are more events than
    a page holds, else empty. What could not be read is named in ``unreadable``, by a sentence each; then the answer may
    lack events.

    ``search`` names a search that is asked for again until it is done. Where an engine has others work for it, these go
    on when there is no time for more, and it raises StillRunningError.
    """

    reading: Callable[[str], None] = lambda hour: None
    may_go_on: Callable[[], bool] = lambda: True
    search: str = ""
    engine: str = ""
    indexed: int = 0
    """Objects whose events came from the index."""
    scanned: int = 0
    """Objects whose lines were searched."""
    bytes: int = 0
    """Stored bytes that were read, of objects and of the index, as far as the engine knows."""
    first_hour: str = ""
    last_hour: str = ""
    """The earliest and the latest hour with events that the answer covers, such as ``2026-11-21T22``."""
    cut_off: str = ""
    unreadable: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Sentences about anything else that whoever asks should know, such as an index that is not believed."""

    def covers(self, hour: str) -> None:
        """Notes that the answer covers an hour."""
        self.first_hour = min(self.first_hour or hour, hour)
        self.last_hour = max(self.last_hour, hour)


def filled(buckets: tuple[Bucket, ...], interval: Interval, limit: int = 10_000) -> tuple[Bucket, ...]:
    """The buckets, and those without events between the first and the last. Raises ValueError for more than
    ``limit``."""
    counts = {bucket.start: bucket.count for bucket in buckets}
    made: list[Bucket] = []
    at: datetime | None = min(counts, default=None)
    while at is not None and at <= max(counts):
        if len(made) == limit:
            raise ValueError(
                f"a histogram by {interval} would have more than {limit:,} buckets; take a longer interval"
            )
        made.append(Bucket(at, counts.get(at, 0)))
        at = interval.after(at)
    return tuple(made)
