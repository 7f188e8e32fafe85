"""``auditwire query``: look for events in the archive, in whichever store it is."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.terminal.output import Output, counted, show, show_json_line, tell, terminal_width
from auditwire_cli.terminal.progress import reading_hours
from auditwire_cli.terminal.table import table_lines
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.errors import UnreadableError
    from auditwire.archive.found import Found
    from auditwire.archive.search import ArchiveReader, Search

_HEADS = ("time", "cluster", "user", "verb", "code", "object", "audit id", "")
# The flags of an event that is not the whole truth. They stand at the end of its line.
_SHOWN_FLAGS = ("bodies_skipped", "cut_off", "time_implausible", "unfinished")
# How far back to look where every hour has to be read.
_HOURS = 24


class Store(StrEnum):
    """Where archived events are kept."""

    S3 = "s3"
    DYNAMODB = "dynamodb"


@on_stack
def query(
    *,
    audit_id: Annotated[
        str | None, typer.Option("--audit-id", metavar="ID", help="The events of this request.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="What this user did.")] = None,
    object_name: Annotated[
        str | None,
        typer.Option("--object", metavar="OBJECT", help="What was done to this object, such as pods/shop/web-1."),
    ] = None,
    verbs: Annotated[
        list[str] | None,
        typer.Option("--verb", metavar="VERB", help="Events with this verb; several times, any."),
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(metavar="NAME", help="What was done to this namespace, or in it.")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE", help="Events that this rule matched; several times, any."),
    ] = None,
    codes: Annotated[
        list[str] | None, typer.Option("--code", metavar="CODE", help="The status, 403 or 4xx; several times, any.")
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="ADDRESS", help="A source address or network; several times, any."),
    ] = None,
    unfinished: Annotated[
        bool,
        typer.Option("--unfinished", help="Requests that came in and of which no later stage came with them."),
    ] = False,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The first N at most.")] = 1000,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="The earliest event first.")] = False,
    every_copy: Annotated[
        bool, typer.Option("--all", help="Every copy of an event that came several times in different batches.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--format", help="Text for people, or JSON: the lines as they are archived.")
    ] = Output.TEXT,
    store: Annotated[Store | None, typer.Option(help="Where to look.  [default: where the stack archives now]")] = None,
    where: Stack,
) -> None:
    """Look for events in the archive, the newest first. An event must match every option that is given.

    An object is RESOURCE[.GROUP][/NAMESPACE][/NAME][/SUBRESOURCE], such as pods/shop/web-1, deployment/shop/web,
    nodes/worker-1 or pods/shop/web-1/exec. Singulars and short names will do, and the namespace may be left out, or
    given by --namespace. What removes an object without its name is shown too: deletecollection, and the delete of its
    namespace. secrets/shop stands for requests about all Secrets of a namespace. Times are those of the events.

    In DynamoDB, --audit-id, --object and --user are looked up over all times and clusters; without them, --cluster is
    needed and read hour by hour. In S3 the objects of all hours are read, of one cluster or of all. Where hours are
    read, these are the last 24, unless --from is given.

    What an event lacks stands behind it: bodies_skipped where the sender left a body out, cut_off where the event was
    cut off on its way, unfinished where only the arrival of the request is known. JSON is the lines as they are
    archived, one for each event.

    \b
    Exit codes: 0 done, 1 the archive cannot be read or is damaged, 2 wrong usage.

    \b
    Examples:
      auditwire query --object secrets/shop/db --from 7d --profile prod
      auditwire query --namespace shop --verb delete --verb deletecollection --from yesterday
      auditwire query --rule CreateHostnetworkPod --source 192.0.2.0/24 --code 2xx
      auditwire query --cluster demo --user mallory --format json --state .auditwire/dev.json
    """
    given = {"--audit-id": [audit_id], "--user": [user], "--object": [object_name], "--namespace": [namespace],
             "--verb": verbs, "--rule": rules, "--code": codes, "--source": sources}  # fmt: skip
    for option, values in given.items():
        if "" in (values or ()):
            raise UsageError(f"{option} is empty", "leave it out, or say what to look for")
    check_cluster_name(cluster)
    now = datetime.now(UTC)
    from auditwire.archive.filters import FilterError
    from auditwire.archive.search import Search

    try:
        search = Search(
            cluster=cluster,
            audit_id=audit_id,
            user=user,
            object=object_name,
            namespace=namespace,
            verbs=tuple(verb.lower() for verb in verbs or ()),
            rules=tuple(rules or ()),
            codes=tuple(codes or ()),
            sources=tuple(sources or ()),
            start=read_time("--from", start, now),
            end=read_time("--to", end, now),
            flag="unfinished" if unfinished else None,
            is_newest_first=not oldest_first,
            is_each_once=not every_copy,
            limit=limit + 1,
        )
    except FilterError as error:
        raise UsageError(str(error), error.hint) from None
    if search.start and search.end and search.start >= search.end:
        raise UsageError("--to is not later than --from", "swap them")
    reader, search = reader_of(where.find(), store, search, now)
    damaged: list[UnreadableError] = []
    found = reader.find(search, reading_hours(), partial(_name, damaged))
    shown, repeats = _show(islice(found, limit), output)
    more = next(found, None) is not None
    if output is Output.TEXT:
        tell(
            counted(shown, "event")
            + (f", {counted(repeats, 'repeat')} not shown (--all shows them)" if repeats else "")
        )
    if more:
        tell(f"there are more than these {limit:,}; --limit shows more")
    if not shown and search.object_filter:
        without = search.object_filter.meant.count("/") == 1 and namespace is None
        hint = "; if that is in a namespace, add --namespace" if without else ""
        tell(f"looked for {search.object_filter.meant}{hint}")
    if damaged:
        tell(f"{counted(len(damaged), 'object')} could not be read whole: what is missing may be there")
        raise typer.Exit(ExitCode.FINDINGS)


def _name(damaged: "list[UnreadableError]", error: "UnreadableError") -> None:
    damaged.append(error)
    tell(str(error))


def _show(found: "Iterator[Found]", output: Output) -> tuple[int, int]:
    """Show what is found as it comes, and say how many it was, and how many repeats of it there are."""
    shown = repeats = 0

    def count(each: "Found") -> "Found":
        nonlocal shown, repeats
        shown += 1
        repeats += each.repeats
        return each

    if output is Output.JSON:
        for each in map(count, found):
            show_json_line(each.line)
        return shown, repeats
    rows = (_cells(count(each)) for each in found)
    for line in table_lines(_HEADS, rows, right=("code",), cut=("user", "object"), width=terminal_width()):
        if shown:
            show(line)
    return shown, repeats


def reader_of(
    found: Deployment, store: Store | None, search: "Search", now: datetime
) -> "tuple[ArchiveReader, Search]":
    """Where to look, and for what; it has a start where every hour has to be read."""
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
            raise UsageError("it is not clear what to look for", "give --audit-id, --object, --user or --cluster")
    return reader, _since_yesterday(search, now)


def _since_yesterday(search: "Search", now: datetime) -> "Search":
    from dataclasses import replace

    if search.start is not None:
        return search
    latest = min(now, search.end or now)
    tell(f"looking at the last {_HOURS} hours; --from looks further back")
    return replace(search, start=latest - timedelta(hours=_HOURS))


def _cells(found: "Found") -> tuple[str, ...]:
    thing = f"{found.object}/{found.ref.subresource}" if found.ref.subresource else found.object
    flags = ", ".join(_flag_text(flag, found) for flag in found.flags if flag in _SHOWN_FLAGS)
    return (found.at, found.cluster, found.user, found.verb, str(found.code or ""), thing, found.audit_id, flags)


def _flag_text(flag: str, found: "Found") -> str:
    """A flag for people. An event that is kept under the time of its receipt says which time it gives itself."""
    if flag != "time_implausible":
        return flag
    import json

    return f"{flag} {json.loads(found.line).get('stageTimestamp')}"
