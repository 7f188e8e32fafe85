"""``auditwire quarantine list``: what could not be read, why, whose it is and when it came."""

import json
import sys
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError
from auditwire_cli.output import Output, counted, printable
from auditwire_cli.since import parse_since
from auditwire_cli.stack import (
    DEFAULT_STACK,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)
from auditwire_cli.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.quarantine import Quarantine, Quarantined

SHOWN_DIGITS = 12
"""Of a digest: enough to name an object by, short enough for a line."""


def quarantine_list(
    *,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this cluster sent.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="WORD", help="Only this reason, as invalid_json.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what came since: 24h, 7d, 2026-11-21, …T22:05:00Z.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many, the newest.")] = 100,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """List what could not be read and was put aside, the newest first.

    JSON is an array of objects with the members key, digest, cluster, kind (body or item), reason, received, and
    stored_bytes (gzipped).

    \b
    Exit codes: 0 listed, 1 it cannot be listed, 2 the call was wrong.

    \b
    Examples:
      auditwire quarantine list --since 24h --profile prod
      auditwire quarantine list --cluster demo --reason truncated --state .auditwire/dev.json
    """
    from auditwire.archive.quarantine import Quarantine

    checked_cluster(cluster)
    start = parse_since(since, datetime.now(UTC)) if since else None
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        found = where.find()
        quarantine = Quarantine(found.client("s3"), found.output("ArchiveBucket"))
        matching = matches(quarantine, cluster, reason, start)
        rows = list(islice(matching, limit))
        more = next(matching, None) is not None
    if output is Output.JSON:
        print(json.dumps([as_json(row) for row in rows], ensure_ascii=False))
    else:
        print(_as_text(rows))
    if more:
        sys.stderr.write(f"there are more than these {limit}; --limit shows more\n")


def matches(
    quarantine: "Quarantine", cluster: str | None, reason: str | None, start: datetime | None
) -> "Iterator[Quarantined]":
    """An iterator over what matches, newest first; the notes are read as it goes."""
    # Nothing is stored before it was received, so what was stored earlier came earlier.
    entries = [entry for entry in quarantine.entries(cluster) if start is None or entry.stored >= start]
    return (
        found
        for found in quarantine.describe(entries)
        if reason in (None, found.note.reason) and (start is None or found.note.received >= start)
    )


def checked_cluster(name: str | None) -> None:
    """Raises CallError for what cannot be a cluster's name."""
    from auditwire.clusters.cluster import is_cluster_name

    if name is not None and not is_cluster_name(name):
        raise CallError(f"{printable(name)} is not a cluster name", "it is 1 to 63 of a-z, 0-9 and '-'")


def as_json(found: "Quarantined") -> dict[str, object]:
    """One object of the quarantine for scripts."""
    return {
        "key": found.entry.key,
        "digest": found.entry.digest,
        "cluster": found.note.cluster,
        "kind": found.note.kind,
        "reason": found.note.reason,
        "received": moment(found.note.received),
        "stored_bytes": found.entry.size,
    }


def moment(when: datetime) -> str:
    """A time in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_text(rows: "list[Quarantined]") -> str:
    if not rows:
        return "nothing in quarantine"
    heads = ("received", "cluster", "kind", "reason", "gzipped", "digest")
    lines = [
        (
            moment(row.note.received),
            row.note.cluster,
            row.note.kind,
            printable(row.note.reason),
            f"{row.entry.size:,}",
            row.entry.digest[:SHOWN_DIGITS],
        )
        for row in rows
    ]
    return f"{table(heads, lines, right=('gzipped',))}\n{counted(len(rows), 'object', 'objects')}"
