"""``auditwire quarantine list``: what could not be read, why, who sent it and when it came."""

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.quarantine.entries import SHOWN_DIGITS, Reason, matches, open_quarantine
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell, terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import Since, iso, read_time

if TYPE_CHECKING:
    from auditwire.archive.quarantine import Quarantined


@on_stack
def quarantine_list(
    *,
    cluster: OnlyCluster = None,
    reason: Reason = None,
    since: Since = None,
    salvaged: Annotated[
        bool, typer.Option("--salvaged", help="Also the texts of events that were cut off and archived.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The newest N at most.")] = 100,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """List what could not be read and was quarantined, the newest first.

    JSON is an array of objects with the members key, digest, cluster, kind (body or item), reason, received,
    stored_bytes (gzipped), and salvaged (the digest of the event that was made of it, or empty).

    \b
    Exit codes: 0 listed, 1 the quarantine cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire quarantine list --since 24h --profile prod
      auditwire quarantine list --cluster demo --reason truncated --state .auditwire/dev.json
    """
    check_cluster_name(cluster)
    start = read_time("--since", since, datetime.now(UTC))
    matching = matches(open_quarantine(where.find()), cluster, reason, start, salvaged=salvaged)
    rows = list(islice(matching, limit))
    more = next(matching, None) is not None
    if output is Output.JSON:
        show_json([as_json(row) for row in rows])
    else:
        show(_as_text(rows))
    if more:
        tell(f"there are more than these {limit:,}; --limit shows more")


def as_json(found: "Quarantined") -> dict[str, object]:
    """One object of the quarantine, for scripts."""
    return {
        "key": found.entry.key,
        "digest": found.entry.digest,
        "cluster": found.note.cluster,
        "kind": found.note.kind,
        "reason": found.note.reason,
        "received": iso(found.note.received),
        "stored_bytes": found.entry.size,
        "salvaged": found.note.salvaged,
    }


def _as_text(found: "list[Quarantined]") -> str:
    if not found:
        return "nothing in quarantine"
    heads = ("received", "cluster", "kind", "reason", "gzipped", "digest")
    rows = [
        (
            iso(each.note.received),
            each.note.cluster,
            each.note.kind,
            each.note.reason,
            f"{each.entry.size:,}",
            each.entry.digest[:SHOWN_DIGITS],
        )
        for each in found
    ]
    return f"{table(heads, rows, right=('gzipped',), width=terminal_width())}\n{counted(len(rows), 'object')}"
