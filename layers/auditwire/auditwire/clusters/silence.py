"""Which clusters are silent: rows of the clusters table and a time in, silences out. Pure.

A cluster is silent if none of its credentials was used for as long as its rows allow (``silence_seconds``).

- Revoked credentials have no row, so a revoked cluster is not silent. Nor is a cluster whose credentials are all
  disabled: somebody has ended it on purpose.
- An expired credential still counts. Nobody meant the events to end, so this silence has to be reported.
- A credential that was never used counts from when it became valid. If a row made by hand does not say when that
  was, the cluster counts as silent at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auditwire.clusters.registration import LastUse, Registration

MIN_SILENCE_SECONDS: Final = 300
"""A shorter silence cannot be told from traffic. Each environment records last use once a minute, repeats a failed
write a minute later, and the watch runs every five minutes. Shorter values count as this one."""

# Ingest does not write times further ahead. Such a time would hide a silence until it has come.
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A cluster from which nothing came for ``seconds`` or longer.

    ``since`` is its last use. If ``use`` is None because there was none, it is when its first credential became valid;
    None if no row says. ``expired`` is when the last credential expired, None while one is valid.
    """

    cluster: str
    seconds: int
    since: datetime | None
    use: LastUse | None = None
    expired: datetime | None = None


def silences(registrations: Iterable[Registration], now: datetime) -> list[Silence]:
    """The clusters that are silent at ``now``, by name."""
    of_cluster: dict[str, list[Registration]] = {}
    for one in registrations:
        of_cluster.setdefault(one.cluster.name, []).append(one)
    found = (_silence(name, of_cluster[name], now) for name in sorted(of_cluster))
    return [silence for silence in found if silence is not None]


def duration(seconds: int) -> str:
    """A length of time for people, exactly: ``30 min``, ``2 h``, ``90 s``."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _silence(cluster: str, rows: Sequence[Registration], now: datetime) -> Silence | None:
    enabled = [row for row in rows if row.enabled]
    # The rows of a cluster agree unless somebody has edited one. Then the one that reports soonest counts.
    allowed = min((row.silence_seconds for row in enabled if row.silence_seconds), default=None)
    if allowed is None:
        return None
    seconds = max(allowed, MIN_SILENCE_SECONDS)
    uses = (row.use for row in rows if row.use is not None and row.use.seen <= now + _CLOCKS_DIFFER)
    use = max(uses, key=lambda use: use.seen, default=None)
    since = use.seen if use else _beginning(enabled)
    if since is not None and (now - since).total_seconds() < seconds:
        return None
    return Silence(cluster=cluster, seconds=seconds, since=since, use=use, expired=_end(enabled, now))


def _beginning(rows: Iterable[Registration]) -> datetime | None:
    """When the first of these credentials became valid; None if one does not say."""
    begun = [max((time for time in (row.created, row.not_before) if time), default=None) for row in rows]
    known = [time for time in begun if time is not None]
    return min(known) if len(known) == len(begun) else None


def _end(rows: Sequence[Registration], now: datetime) -> datetime | None:
    """When the last of these credentials expired; None while one is valid or will become so."""
    ends = [row.expires for row in rows if row.expires is not None and row.expires <= now]
    return max(ends) if ends and len(ends) == len(rows) else None
