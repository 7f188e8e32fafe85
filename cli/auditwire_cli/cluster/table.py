"""What the cluster commands share: the table of a stack, and how a row of it is told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CallError, CommandError

if TYPE_CHECKING:
    from auditwire.clusters import ClustersTable, Registration
    from auditwire_cli.stack import Deployment, Stack

_ID_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Clusters:
    """The clusters table of a stack that was found."""

    table: "ClustersTable"
    deployment: "Deployment"

    def of(self, name: str) -> "list[Registration]":
        """The rows of a cluster, the oldest first. Raises CommandError where it has none."""
        found = self.table.list().of(name)
        if not found:
            raise CommandError(
                f"there is no cluster {name}", f"`auditwire cluster list` names them, `cluster add {name}` adds it"
            )
        return found


def open_clusters(where: "Stack") -> Clusters:
    """The clusters table of a stack. Raises as Stack.find does."""
    from auditwire.clusters import ClustersTable

    deployment = where.find()
    return Clusters(ClustersTable(deployment.client("dynamodb"), deployment.output("ClustersTable")), deployment)


def checked_name(name: str) -> str:
    """The name of a cluster. Raises CallError for one that may not stand in archive keys."""
    from auditwire.clusters import is_cluster_name

    if not is_cluster_name(name):
        raise CallError(f"{name[:80]!r} is not a cluster name", "1 to 63 of a-z, 0-9 and '-', such as prod-eu-1")
    return name


def short_id(registration: "Registration") -> str:
    """How a row is named to people: the start of its digest, of which nobody can make a credential."""
    prefix = registration.kind.prefix
    return prefix + registration.credential.removeprefix(prefix)[:_ID_LENGTH]


def state_of(registration: "Registration", now: datetime) -> str:
    """``ok``, or why the credential does not hold."""
    if not registration.enabled:
        return "disabled"
    if registration.expires is not None and registration.expires <= now:
        return "expired"
    if registration.not_before is not None and now < registration.not_before:
        return "not yet valid"
    return "ok"


def as_json(registration: "Registration", now: datetime) -> dict[str, Any]:
    """A row for scripts; times in ISO 8601, null for none."""
    use = registration.use
    return {
        "cluster": registration.cluster.name,
        "sender": registration.cluster.sender,
        "credential": short_id(registration),
        "kind": registration.kind,
        "state": state_of(registration, now),
        "enabled": registration.enabled,
        "labels": dict(registration.cluster.labels),
        "created": _iso(registration.created),
        "not_before": _iso(registration.not_before),
        "expires": _iso(registration.expires),
        "silence_seconds": registration.silence_seconds,
        "last_seen": _iso(use.seen if use else None),
        "events": use.events if use else 0,
        "batches": use.batches if use else 0,
        "user_agent": use.user_agent if use else "",
        "version": use.version if use else "",
    }


def as_table(registrations: "list[Registration]", now: datetime) -> str:
    """Rows for people, in columns."""
    from auditwire.clusters.silence import duration
    from auditwire_cli.output import printable

    lines = [
        (
            "CLUSTER",
            "SENDER",
            "CREDENTIAL",
            "STATE",
            "EXPIRES",
            "LAST SEEN",
            "SILENT AFTER",
            "EVENTS",
            "VERSION",
            "LABELS",
        )
    ]
    for one in registrations:
        use = one.use
        lines.append(
            (
                one.cluster.name,
                one.cluster.sender,
                short_id(one),
                state_of(one, now),
                _day(one.expires),
                _ago(use.seen, now) if use else "never",
                duration(one.silence_seconds) if one.silence_seconds else "-",
                f"{use.events:,}" if use else "0",
                printable(use.version or use.user_agent) or "-" if use else "-",
                printable(",".join(f"{name}={value}" for name, value in one.cluster.labels.items())) or "-",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(row.rstrip() for row in rows)


def now_in_seconds() -> datetime:
    """The time, in UTC and whole seconds, as rows hold it."""
    return datetime.now(UTC).replace(microsecond=0)


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(time: datetime | None) -> str:
    return "never" if time is None else time.strftime("%Y-%m-%d %H:%M")


def _ago(time: datetime, now: datetime) -> str:
    seconds = max(0, int((now - time).total_seconds()))
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
