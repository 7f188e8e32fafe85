"""``auditwire import``: audit logs that are somewhere already, brought into the archive."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import check_cluster_name
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.import_logs.done import Done
from auditwire_cli.import_logs.found import Found, everything_at
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.stack.ingest import ingest_of
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell
from auditwire_cli.terminal.progress import progress

if TYPE_CHECKING:
    from auditwire.clusters import Cluster
    from auditwire.ingest.account import Account
    from auditwire.ingest.ingest import Ingest

DEFAULT_PROGRESS = Path("auditwire-import.json")


@on_stack
def import_logs(
    places: Annotated[list[str], typer.Argument(metavar="PLACE", help="Files, folders, and s3://BUCKET/PREFIX.")],
    *,
    cluster: Annotated[str, typer.Option(metavar="NAME", help="The registered cluster whose events these are.")],
    alert: Annotated[bool, typer.Option("--alert", help="Also alert about events older than BackfillHours.")] = False,
    progress_file: Annotated[
        Path, typer.Option("--progress", metavar="FILE", help="Where to keep how far it is, to go on after an end.")
    ] = DEFAULT_PROGRESS,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Import audit logs that are somewhere already.

    Files, folders and objects in S3 are read in every layout that senders and exports have, compressed with gzip or
    not, and of any size. They take the road of all events, here and with your permissions: the rules in force decide,
    and a repeat stores nothing twice. Events older than the stack's BackfillHours (24) are flagged backfill and raise
    no alert. An import that ended early goes on where it was; when it is complete, the file that says so can be
    removed.

    JSON is an object with the members objects, received, ignored, archived, alerted, quarantined, skipped and damaged.

    \b
    Exit codes: 0 everything is imported, 1 something is damaged or could not be stored, 2 wrong usage.

    \b
    Examples:
      auditwire import audit.log.gz --cluster prod
      auditwire import s3://old-logs/prod/ --cluster prod --progress prod.json --profile prod
    """
    from auditwire.clusters import Cluster

    check_cluster_name(cluster)
    deployment = where.find()
    _check_registered(deployment, cluster)
    done = Done(progress_file, cluster)
    found = [one for place in places for one in everything_at(place, lambda: deployment.client("s3"))]
    ingest = ingest_of(deployment)
    hours = int(deployment.parameters.get("BackfillHours", 24))
    quiet_before = None if alert else datetime.now(UTC) - timedelta(hours=hours)
    counts: Counter[str] = Counter()
    damaged: list[str] = []
    with progress(sum(one.size for one in found), is_bytes=True) as advance:
        bytes_done = 0
        for one in found:
            skip = done.of(one)
            if skip is not None:
                try:
                    _take(ingest, one, Cluster(cluster), done, skip, quiet_before, counts)
                except _DamagedError as error:
                    damaged.append(f"{one.name}: {error}")
            bytes_done += one.size
            advance(bytes_done, f"{counts['received']:,} events")
    counts["objects"], counts["damaged"] = len(found), len(damaged)
    if output is Output.JSON:
        names = ("objects", "received", "ignored", "archived", "alerted", "quarantined", "skipped", "damaged")
        show_json({name: counts[name] for name in names})
    else:
        said = ("ignored", "archived", "alerted", "quarantined", "skipped")
        what = ", ".join(f"{name} {counts[name]:,}" for name in said)
        show(f"{counted(counts['objects'], 'object')}, {counted(counts['received'], 'event')}: {what}")
    for one_damaged in damaged:
        tell(f"auditwire: {one_damaged}")
    if damaged:
        raise CommandError(
            f"{counted(len(damaged), 'object is', 'objects are')} damaged", "what stands before the damage is imported"
        )


class _DamagedError(Exception):
    """A file or an object ends too early or is not what it begins as."""


def _take(
    ingest: "Ingest",
    found: Found,
    cluster: "Cluster",
    done: Done,
    skip: int,
    quiet_before: datetime | None,
    counts: "Counter[str]",
) -> None:
    """Takes one file or object and notes each piece. Raises _DamagedError, and CommandError for what is not stored."""
    from auditwire.events import BodyError
    from auditwire.ingest.ingest import NotStoredError
    from auditwire.ingest.objects import Taking, take_object

    pieces = skip

    def told(account: "Account") -> None:
        nonlocal pieces
        pieces += 1
        counts.update(received=account.received, archived=account.archived, alerted=account.alerted)
        counts.update(
            ignored=account.ignored.total(),
            quarantined=account.quarantined.total(),
            skipped=account.skipped.total(),
        )
        if not account.not_stored:
            done.note(found, pieces, is_whole=False)

    try:
        taken = take_object(ingest, found.chunks(), Taking(cluster, found.stored, quiet_before), skip=skip, told=told)
    except BodyError as error:
        raise _DamagedError(str(error)) from error
    except NotStoredError as error:
        raise CommandError(
            f"{found.name} could not be stored: {error}", "run the command again; it goes on where it was"
        ) from None
    done.note(found, taken.pieces, is_whole=True)


def _check_registered(deployment: Deployment, name: str) -> None:
    from auditwire.clusters import ClustersTable

    table = ClustersTable(deployment.client("dynamodb"), deployment.output("ClustersTable"))
    if not table.list().of(name):
        raise UsageError(f"there is no cluster {name}", f"`auditwire cluster add {name}` adds it")
