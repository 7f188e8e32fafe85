"""The clusters of a stack, for people and for scripts."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CommandError
from auditwire_cli.terminal.output import terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import ago, iso, to_the_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

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
                f"there is no cluster {name}",
                f"`auditwire cluster list` shows all, `auditwire cluster add {name}` adds it",
            )
        return found


def open_clusters(where: "Stack") -> Clusters:
    """The clusters table of a stack. Raises as Stack.find does."""
    from auditwire.clusters import ClustersTable

    deployment = where.find()
    return Clusters(ClustersTable(deployment.client("dynamodb"), deployment.output("ClustersTable")), deployment)


def short_id(registration: "Registration") -> str:
    """How a credential is called: by the first digits of its SHA-256, from which nobody can make the credential. What a
    cloud names is called by that name."""
    if registration.kind.is_name:
        return registration.credential
    prefix = registration.kind.prefix
    return prefix + registration.credential.removeprefix(prefix)[:_ID_LENGTH]


def state_of(registration: "Registration", now: datetime) -> str:
    """``ok``, or why the credential is not valid."""
    if not registration.enabled:
        return "disabled"
    if registration.expires is not None and registration.expires <= now:
        return "expired"
    if registration.not_before is not None and now < registration.not_before:
        return "not yet valid"
    return "ok"


def as_json(registration: "Registration", now: datetime) -> dict[str, Any]:
    """A row for scripts; times are in ISO 8601, null where there is none."""
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


def as_table(registrations: "Sequence[Registration]", now: datetime) -> str:
    """Rows for people."""
    heads = (
        "cluster", "sender", "credential", "state", "expires", "last seen", "silent after", "events", "version",
        "labels",
    )  # fmt: skip
    return table(heads, [_cells(one, now) for one in registrations], cut=("version", "labels"), width=terminal_width())


def _cells(registration: "Registration", now: datetime) -> tuple[str, ...]:
    from auditwire.clusters.silence import duration

    use, silence = registration.use, registration.silence_seconds
    return (
        registration.cluster.name,
        registration.cluster.sender,
        short_id(registration),
        state_of(registration, now),
        to_the_minute(registration.expires) if registration.expires else "never",
        ago(use.seen, now) if use else "never",
        duration(silence) if silence else "",
        f"{use.events if use else 0:,}",
        (use.version or use.user_agent) if use else "",
        ",".join(f"{name}={value}" for name, value in registration.cluster.labels.items()),
    )


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None
