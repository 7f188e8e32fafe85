"""``auditwire query``: look into the archive, in whichever store it is."""

import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError
from auditwire_cli.output import Output, counted, printable
from auditwire_cli.progress import reading_progress
from auditwire_cli.quarantine.list import checked_cluster
from auditwire_cli.since import parse_since
from auditwire_cli.stack import (
    DEFAULT_STACK,
    Deployment,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)

if TYPE_CHECKING:
    from auditwire.archive.search import ArchiveReader, Found, Search

# How far back is looked where every hour has to be read.
_HOURS = 24


class Store(StrEnum):
    """Where archived events are kept."""

    S3 = "s3"
    DYNAMODB = "dynamodb"


def query(
    *,
    audit_id: Annotated[str | None, typer.Option("--audit-id", metavar="ID", help="Events of this request.")] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="What this user did.")] = None,
    object_name: Annotated[
        str | None,
        typer.Option("--object", metavar="OBJECT", help="What was done to it: pods/shop/web-1, nodes/worker-1, …"),
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Only in this cluster.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then on: 24h, 7d, 2026-11-21, …T22:05:00Z.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Before then.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many, the earliest.")] = 1000,
    output: Annotated[Output, typer.Option("--format", help="For people, or the archived lines.")] = Output.TEXT,
    store: Annotated[
        Store | None, typer.Option(help="Where to look.  [default: where the stack keeps events now]")
    ] = None,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Look for events in the archive, the earliest first. Everything that is given must hold.

    An object is RESOURCE[.GROUP][/NAMESPACE][/NAME]: pods/shop/web-1, deployments.apps/shop/web, nodes/worker-1.
    secrets/shop are requests about all secrets of a namespace. Times are those of the events.

    In DynamoDB --audit-id, --object and --user are looked up over all times and clusters; without them a --cluster is
    read hour by hour. In S3 the objects of all hours are read, of one --cluster or of all. Where hours are read it is
    the last 24 unless --from says more.

    JSON is the archived lines, one event each.

    \b
    Exit codes: 0 looked, 1 the archive cannot be read, 2 the call was wrong.

    \b
    Examples:
      auditwire query --object secrets/shop/db --from 7d --profile prod
      auditwire query --cluster demo --user mallory --format json --state .auditwire/dev.json
    """
    for option, given in (("--audit-id", audit_id), ("--user", user), ("--object", object_name)):
        if given == "":
            raise CallError(f"{option} is empty", "leave it out, or say what to look for")
    checked_cluster(cluster)
    now = datetime.now(UTC)
    from auditwire.archive.search import Search

    search = Search(
        cluster=cluster,
        audit_id=audit_id,
        user=user,
        object=object_name,
        start=parse_since(start, now) if start else None,
        end=parse_since(end, now) if end else None,
    )
    if search.start and search.end and search.start >= search.end:
        raise CallError("--to is not later than --from", "then nothing can be found")
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where), reading_progress() as reading:
        reader, search = _reader(where.find(), store, search, now)
        found = reader.find(search, reading)
        shown = 0
        for each in islice(found, limit):
            shown += 1
            if output is Output.JSON:
                sys.stdout.buffer.write(each.line + b"\n")
            else:
                print(_as_text(each))
        more = next(found, None) is not None
    sys.stdout.flush()
    if output is Output.TEXT:
        sys.stderr.write(counted(shown, "event", "events") + "\n")
    if more:
        sys.stderr.write(f"there are more than these {limit:,}; --limit shows more\n")


def _reader(found: Deployment, store: Store | None, search: "Search", now: datetime) -> "tuple[ArchiveReader, Search]":
    """Where to look, and for what: with a start where every hour has to be read."""
    from auditwire.archive.search_bucket import BucketReader
    from auditwire.archive.search_table import TableReader

    table, bucket, s3 = found.outputs.get("ArchiveTable", ""), found.output("ArchiveBucket"), found.client("s3")
    reader: ArchiveReader
    if store is Store.S3 or (store is None and not table):
        reader = BucketReader(s3, bucket)
    else:
        reader = TableReader(found.client("dynamodb"), found.output("ArchiveTable"), s3, bucket)
        if TableReader.is_indexed(search):
            return reader, search
        if search.cluster is None:
            raise CallError("say what to look for", "give --audit-id, --object, --user or --cluster")
    return reader, _since_yesterday(search, now)


def _since_yesterday(search: "Search", now: datetime) -> "Search":
    from dataclasses import replace

    if search.start is not None:
        return search
    latest = min(now, search.end or now)
    sys.stderr.write(f"looking at {_HOURS} hours; --from looks further back\n")
    return replace(search, start=latest - timedelta(hours=_HOURS))


def _as_text(found: "Found") -> str:
    thing = f"{found.object}/{found.subresource}" if found.subresource else found.object
    cells = (
        f"{found.at:27}",
        f"{found.cluster:12}",
        f"{found.user or '-':24}",
        f"{found.verb:7}",
        f"{found.code or '-':>3}",
        f"{thing or '-':32}",
        found.audit_id,
    )
    return printable("  ".join(cells))
