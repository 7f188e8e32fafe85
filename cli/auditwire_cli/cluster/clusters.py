"""The clusters of a stack, for people and for scripts."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from auditwire_cli.errors import CommandError
from auditwire_cli.terminal.output import terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import ago, to_the_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.clusters import ClustersTable, Registration
    from auditwire_cli.stack import Deployment, Stack


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


def as_table(registrations: "Sequence[Registration]", now: datetime) -> str:
    """Rows for people."""
    heads = (
        "cluster", "sender", "credential", "state", "expires", "last seen", "silent after", "events", "version",
        "labels",
    )  # fmt: skip
    return table(heads, [_cells(one, now) for one in registrations], cut=("version", "labels"), width=terminal_width())


def _cells(registration: "Registration", now: datetime) -> tuple[str, ...]:
    from auditwire.clusters.listed import short_id, state_of
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
