"""Where things lie in the archive: keys that a repeated batch finds again and no sender can forge."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditwire.clusters.cluster import is_cluster_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.events import Event

MOST_OBJECTS_A_BATCH: Final = 24

_HOUR = len("2026-11-21T22")


@dataclass(frozen=True, slots=True)
class HourGroup:
    """The events of one body that go into one object.

    ``hour`` is ``2026-11-21T22``, ``t`` the smallest stageTimestamp of that hour as
    ``20261121T220500.000000Z``; ``members`` are positions in the list given to partition, in its order;
    ``strays`` are those of them whose own hour is another one and found no room for an object of its own.
    """

    hour: str
    t: str
    members: tuple[int, ...]
    strays: frozenset[int] = frozenset()


def partition(events: "Sequence[Event]") -> list[HourGroup]:
    """All decoded, settled events of a body by hour of stageTimestamp, earliest hour first; at most 24
    groups.

    Give it every event of the body, not only those the rules archive: the keys must not change when a rule
    does, or a repeated batch would be stored twice. Later hours than the 24th join it as strays.
    """
    hours: dict[str, list[int]] = {}
    for position, event in enumerate(events):
        hours.setdefault(_stage_time(event)[:_HOUR], []).append(position)
    groups = [
        HourGroup(hour, _basic(min(_stage_time(events[at]) for at in hours[hour])), tuple(hours[hour]))
        for hour in sorted(hours)
    ]
    kept, late = groups[:MOST_OBJECTS_A_BATCH], groups[MOST_OBJECTS_A_BATCH:]
    if late:
        strays = frozenset(at for group in late for at in group.members)
        last = kept[-1]
        kept[-1] = HourGroup(last.hour, last.t, tuple(sorted({*last.members, *strays})), strays)
    return kept


def batch_digest(cluster: str, body: bytes) -> str:
    """SHA-256 in hex of a cluster's name and bytes it sent (inflated): one body from two clusters is two
    bodies."""
    # No cluster name holds a NUL byte, so two different pairs never hash the same bytes.
    return hashlib.sha256(cluster.encode() + b"\0" + body).hexdigest()


def object_key(cluster: str, hour: str, t: str, digest: str) -> str:
    """``events/cluster=C/date=YYYY-MM-DD/hour=HH/<t>-<digest>.jsonl.gz``, from a HourGroup's hour and t.

    Raises ValueError for a name that is no cluster name.
    """
    date, _, number = hour.partition("T")
    return f"events/cluster={_checked(cluster)}/date={date}/hour={number}/{t}-{digest}.jsonl.gz"


def quarantine_key(cluster: str, digest: str) -> str:
    """``quarantine/cluster=C/<digest>.gz``; digest is batch_digest of the bytes put aside.

    Raises ValueError for a name that is no cluster name.
    """
    return f"quarantine/cluster={_checked(cluster)}/{digest}.gz"


def _stage_time(event: "Event") -> str:
    # Settling leaves no event without one: YYYY-MM-DDTHH:MM:SS.ffffffZ, which sorts as time does.
    return event.stageTimestamp or ""


def _basic(timestamp: str) -> str:
    return timestamp.replace("-", "").replace(":", "")


def _checked(cluster: str) -> str:
    if not is_cluster_name(cluster):
        message = f"{cluster[:80]!r} is no cluster name and cannot stand in a key"
        raise ValueError(message)
    return cluster
