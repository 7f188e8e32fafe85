"""Where things lie in the archive: keys that a repeated batch finds again and no sender can forge."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditwire.clusters.cluster import is_cluster_name
from auditwire.events.model import Flag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditwire.events import Event
    from auditwire.pipeline import Passed

MAX_OBJECTS_A_BATCH: Final = 24

_HOUR = len("2026-11-21T22")
_RECEIVE_TIME_ONLY = frozenset((Flag.STAGE_TIME_MISSING, Flag.STAGE_TIME_UNREADABLE))


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


def partition(events: "Sequence[Event | Passed]") -> list[HourGroup]:
    """All decoded, settled events of a body by hour of stageTimestamp, earliest hour first; at most 24 groups.

    Give it every event of the body, not only those the rules archive: the keys must not change when a rule does, or
    a repeated batch would be stored twice. Later hours than the 24th join it. So do, in the last group, events whose
    only time is when they were received, which is another one each time they are sent; a body of nothing but those
    goes by the start of the hour it came in.
    """
    hours: dict[str, list[int]] = {}
    undated: list[int] = []
    for position, event in enumerate(events):
        if _RECEIVE_TIME_ONLY.isdisjoint(event.flags):
            hours.setdefault(_hour(event), []).append(position)
        else:
            undated.append(position)
    if not hours:
        hour = _hour(events[undated[0]]) if undated else ""
        return [HourGroup(hour, _basic(f"{hour}:00:00.000000Z"), tuple(undated))] if undated else []
    groups = [
        HourGroup(hour, _basic(min(events[at].stageTimestamp or "" for at in members)), tuple(members))
        for hour, members in sorted(hours.items())
    ]
    kept, late = groups[:MAX_OBJECTS_A_BATCH], groups[MAX_OBJECTS_A_BATCH:]
    joining = [at for group in late for at in group.members] + undated
    if joining:
        last = kept[-1]
        strays = frozenset(at for at in joining if _hour(events[at]) != last.hour)
        kept[-1] = HourGroup(last.hour, last.t, tuple(sorted({*last.members, *joining})), strays)
    return kept


def kept_at(own: str, flags: "Iterable[str]", t: str) -> str:
    """The time at which an event is kept, as ``2026-11-21T22:05:00.100000Z``: its stageTimestamp ``own``, or the time
    of its group, ``t``, where its own is another hour's or only the time of receipt.

    ``flags`` are the event's. A repeated batch gives the same times.
    """
    start = extended(t)
    return own if own[:_HOUR] == start[:_HOUR] and _RECEIVE_TIME_ONLY.isdisjoint(flags) else start


def batch_digest(cluster: str, body: bytes) -> str:
    """SHA-256 in hex of a cluster's name and bytes it sent (inflated): one body from two clusters is two
    bodies."""
    # No cluster name holds a NUL byte, so two different pairs never hash the same bytes.
    digest = hashlib.sha256(cluster.encode() + b"\0")
    digest.update(body)
    return digest.hexdigest()


def object_key(cluster: str, hour: str, t: str, digest: str) -> str:
    """``events/cluster=C/date=YYYY-MM-DD/hour=HH/<t>-<digest>.jsonl.gz``, from a HourGroup's hour and t.

    Raises ValueError for a name that is no cluster name.
    """
    date, _, number = hour.partition("T")
    return f"events/cluster={checked_cluster(cluster)}/date={date}/hour={number}/{t}-{digest}.jsonl.gz"


def quarantine_key(cluster: str, digest: str) -> str:
    """``quarantine/cluster=C/<digest>.gz``; digest is batch_digest of the bytes put aside.

    Raises ValueError for a name that is no cluster name.
    """
    return f"quarantine/cluster={checked_cluster(cluster)}/{digest}.gz"


def _hour(event: "Event | Passed") -> str:
    # Settling leaves no event without a stageTimestamp: YYYY-MM-DDTHH:MM:SS.ffffffZ, which sorts as time does.
    return (event.stageTimestamp or "")[:_HOUR]


def _basic(timestamp: str) -> str:
    return timestamp.replace("-", "").replace(":", "")


def extended(t: str) -> str:
    """``2026-11-21T22:05:00.100000Z`` of ``20261121T220500.100000Z``."""
    return f"{t[:4]}-{t[4:6]}-{t[6:11]}:{t[11:13]}:{t[13:]}"


def checked_cluster(cluster: str) -> str:
    """The name as it was given. Raises ValueError for one that is no cluster name."""
    if not is_cluster_name(cluster):
        message = f"{cluster[:80]!r} is no cluster name and cannot stand in a key"
        raise ValueError(message)
    return cluster
