"""The viewers table of a stack, and its rows for people and for scripts."""

from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CommandError
from auditwire_cli.terminal.output import terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import iso, to_the_minute
from auditwire_cli.viewer.grants import clusters_of, what_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire_cli.stack import Deployment
    from auditwire_console.granted import Granted
    from auditwire_console.viewers_table import ViewersTable


def viewers_of(found: "Deployment") -> "ViewersTable":
    """The viewers table of a stack. Raises CommandError where it has none."""
    from auditwire_console.viewers_table import ViewersTable

    name = found.outputs.get("ViewersTable")
    if name is None:
        raise CommandError(
            f"the stack {found.name} has no console, so there is nobody to grant anything to",
            "deploy it with Console=on; docs/console.md says how. For `auditwire console` use its option --viewers",
        )
    return ViewersTable(found.client("dynamodb"), name)


def as_json(granted: "Granted") -> dict[str, Any]:
    """A row for scripts. A token is named by its name, never by its digest."""
    grant = granted.grant
    return {
        "kind": granted.kind,
        "name": granted.name,
        "clusters": ["*"] if grant.clusters is None else sorted(grant.clusters),
        "namespaces": sorted(grant.namespaces),
        "workspaces": sorted(grant.workspaces),
        "everything": grant.everything,
        "host_cluster": granted.host_cluster,
        "added": iso(granted.added) if granted.added else None,
    }


def as_table(rows: "Sequence[Granted]") -> str:
    """Rows for people."""
    heads = ("kind", "name", "clusters", "sees", "host cluster", "added")
    return table(heads, [_cells(one) for one in rows], cut=("clusters", "sees"), width=terminal_width())


def _cells(one: "Granted") -> tuple[str, ...]:
    added = to_the_minute(one.added) if one.added else ""
    return (one.kind, one.name, clusters_of(one.grant), what_of(one.grant), one.host_cluster, added)
