"""Keys of the archive. A repeated batch gets the same keys, and no sender can forge one."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.clusters.cluster import is_cluster_name
from auditwire.events.model import Flag
from auditwire.events.timestamps import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditwire.events import Event
    from auditwire.pipeline import Passed

MAX_OBJECTS_A_BATCH: Final = 24
EVENTS: Final = "events/"
"""The start of the keys of all objects with events."""

_OBJECT_KEY: Final = re.compile(
    r"events/cluster=([a-z0-9-]{1,63})/date=([0-9-]{10})/hour=([0-9]{2})/([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)-[0-9a-f]{64}\.jsonl\.gz"
)

_HOUR = len("2026-11-21T22")
_WITHOUT_TIME = frozenset((Flag.STAGE_TIME_MISSING, Flag.STAGE_TIME_UNREADABLE, Flag.TIME_IMPLAUSIBLE))


@dataclass(frozen=True, slots=True)
class HourGroup:
    """The events of one body that are stored as one object.

    ``hour`` is ``2026-11-21T22``. ``t`` is the smallest stageTimestamp of that hour, as ``20261121T220500.000000Z``.
    ``members`` are positions in the list that was given to partition, in its order. ``strays`` are the members from
    other hours for which there was no object of their own.
    """

    hour: str
    t: str
    members: tuple[int, ...]
    strays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """What the key of an object with events says: the cluster, and the hour and ``t`` of their HourGroup."""

    cluster: str
    hour: str
    t: str


def partition(events: "Sequence[Event | Passed]", received: datetime) -> list[HourGroup]:
    """Groups all decoded, settled events of a body by the hour of their stageTimestamp, earliest hour first; at most 24
    groups.

    Pass every event of the body, not only those that the rules archive. The keys must not change when a rule changes,
    or a repeated batch would be stored twice. Events without a time that can be right are one group, at the start of
    the hour in which the body was received: nobody looks for them under the time of a neighbour. If the body comes
    again in another hour, they are stored once more. Of the others, hours that are too many join the last group.
    """
    hours: dict[str, list[int]] = {}
    undated: list[int] = []
    for position, event in enumerate(events):
        if _WITHOUT_TIME.isdisjoint(event.flags):
            hours.setdefault(_hour(event), []).append(position)
        else:
            undated.append(position)
    groups = [
        HourGroup(hour, _basic(min(events[at].stageTimestamp or "" for at in members)), tuple(members))
        for hour, members in sorted(hours.items())
    ]
    room = MAX_OBJECTS_A_BATCH - bool(undated)
    kept, late = groups[:room], groups[room:]
    if late:
        last, strays = kept[-1], frozenset(at for group in late for at in group.members)
        kept[-1] = HourGroup(last.hour, last.t, tuple(sorted({*last.members, *strays})), strays)
    return _with_undated(kept, undated, received)


def _with_undated(groups: list[HourGroup], undated: list[int], received: datetime) -> list[HourGroup]:
    if not undated:
        return groups
    hour = as_text(received)[:_HOUR]
    t = _basic(f"{hour}:00:00.000000Z")
    # An event may have happened at the very start of that hour. Two groups of one ``t`` would have the same key.
    same = [group for group in groups if group.t == t]
    others = [group for group in groups if group.t != t]
    members = sorted([*undated, *(at for group in same for at in group.members)])
    strays = frozenset(at for group in same for at in group.strays)
    return sorted([*others, HourGroup(hour, t, tuple(members), strays)], key=lambda group: group.t)


def kept_at(stage_timestamp: str, flags: "Iterable[str]", t: str) -> str:
    """The time under which an event is kept, as ``2026-11-21T22:05:00.100000Z``.

    That is its ``stage_timestamp``. If that is in another hour, is only the time of receipt, or cannot be right, it is
    the time ``t`` of its group. ``flags`` are the flags of the event.
    """
    start = extended(t)
    is_of_this_hour = stage_timestamp[:_HOUR] == start[:_HOUR] and _WITHOUT_TIME.isdisjoint(flags)
    return stage_timestamp if is_of_this_hour else start


def batch_digest(cluster: str, body: bytes) -> str:
    """The SHA-256, in hex, of a cluster's name and the body it sent (inflated). The same body from two clusters counts
    as two."""
    # No cluster name contains a NUL byte, so two different pairs never give the same bytes.
    digest = hashlib.sha256(cluster.encode() + b"\0")
    digest.update(body)
    return digest.hexdigest()


def object_key(cluster: str, hour: str, t: str, digest: str) -> str:
    """``events/cluster=C/date=YYYY-MM-DD/hour=HH/<t>-<digest>.jsonl.gz``, from a HourGroup's hour and t.

    Raises ValueError if ``cluster`` is not a cluster name.
    """
    date, _, number = hour.partition("T")
    return f"{events_of(cluster)}date={date}/hour={number}/{t}-{digest}.jsonl.gz"


def events_of(cluster: str) -> str:
    """The start of the keys of a cluster's objects. Raises ValueError if ``cluster`` is not a cluster name."""
    return f"{EVENTS}cluster={checked_cluster(cluster)}/"


def parse_object_key(key: str) -> ObjectPlace | None:
    """Reads an object_key; None for any other key."""
    found = _OBJECT_KEY.fullmatch(key)
    return ObjectPlace(found[1], f"{found[2]}T{found[3]}", found[4]) if found else None


def quarantine_key(cluster: str, digest: str) -> str:
    """``quarantine/cluster=C/<digest>.gz``, where digest is the batch_digest of the quarantined bytes.

    Raises ValueError if ``cluster`` is not a cluster name.
    """
    return f"quarantine/cluster={checked_cluster(cluster)}/{digest}.gz"


def _hour(event: "Event | Passed") -> str:
    # Every settled event has a stageTimestamp of the form YYYY-MM-DDTHH:MM:SS.ffffffZ, which sorts in order of time.
    return (event.stageTimestamp or "")[:_HOUR]


def _basic(timestamp: str) -> str:
    return timestamp.replace("-", "").replace(":", "")


def extended(t: str) -> str:
    """Turns ``20261121T220500.100000Z`` into ``2026-11-21T22:05:00.100000Z``."""
    return f"{t[:4]}-{t[4:6]}-{t[6:11]}:{t[11:13]}:{t[13:]}"


def checked_cluster(cluster: str) -> str:
    """Returns the name. Raises ValueError if it is not a cluster name."""
    if not is_cluster_name(cluster):
        message = f"{cluster[:80]!r} is not a cluster name and cannot be part of a key"
        raise ValueError(message)
    return cluster
