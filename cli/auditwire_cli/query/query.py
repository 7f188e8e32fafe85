"""``auditwire query``: look for events in the archive, in whichever store it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.query.engines import DEFAULT_MAX_COST, Choice, EngineName, MaxCost, Yes, engine_of
from auditwire_cli.query.export import check_export, export
from auditwire_cli.query.report import Counted, show_events, show_summary, tell_coverage
from auditwire_cli.query.store import Store
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Output, counted, tell
from auditwire_cli.terminal.progress import reading_hours
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditwire.archive.search import Search
    from auditwire.search import Coverage, Wanted


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
    texts: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="TEXT", help="A text anywhere in the event, bodies too; several times, all."),
    ] = None,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The first N at most.")] = 1000,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="The earliest event first.")] = False,
    every_copy: Annotated[
        bool, typer.Option("--all", help="Every copy of an event that came several times in different batches.")
    ] = False,
    stats: Annotated[
        str | None,
        typer.Option(metavar="FIELD,…", help="Count events by fields, such as user,verb."),
    ] = None,
    histogram: Annotated[
        str | None, typer.Option(metavar="INTERVAL", help="Count events by time, such as 10m, 1h or 1d.")
    ] = None,
    export_to: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all of them to a new file: .jsonl, .csv or .parquet."),
    ] = None,
    output: Annotated[
        Output, typer.Option("--format", help="Text for people, or JSON: the lines as they are archived.")
    ] = Output.TEXT,
    engine: Annotated[
        EngineName,
        typer.Option(help="How to search a bucket: scan reads all lines, duckdb and athena use the index."),
    ] = EngineName.AUTO,
    max_cost: MaxCost = DEFAULT_MAX_COST,
    yes: Yes = False,
    store: Annotated[Store | None, typer.Option(help="Where to look.  [default: where the stack archives now]")] = None,
    where: Stack,
) -> None:
    """Look for events in the archive, the newest first. An event must match every option that is given.

    An object is RESOURCE[.GROUP][/NAMESPACE][/NAME][/SUBRESOURCE], such as pods/shop/web-1, deployment/shop/web,
    nodes/worker-1 or pods/shop/web-1/exec. Singulars and short names will do, and the namespace may be left out, or
    given by --namespace. What removes an object without its name is shown too: deletecollection, and the delete of its
    namespace. secrets/shop stands for requests about all Secrets of a namespace. Times are those of the events.

    In DynamoDB, --audit-id, --object and --user are looked up over all times and clusters; without them, --cluster is
    needed and read hour by hour. In S3 the index is searched, and what is not in it is read, of one cluster or of all.
    Where hours are read, these are the last 24, unless --from is given.

    What an event lacks stands behind it: bodies_skipped where the sender left a body out, cut_off where the event was
    cut off on its way, unfinished where only the arrival of the request is known.

    JSON is the lines as they are archived, one for each event; with --stats or --histogram one document. Fields of
    --stats are the columns of the index, and object; docs/search.md lists them.

    \b
    Exit codes: 0 done, 1 the archive cannot be read or is damaged, 2 wrong usage.

    \b
    Examples:
      auditwire query --object secrets/shop/db --from 7d --profile prod
      auditwire query --namespace shop --verb delete --verb deletecollection --from yesterday
      auditwire query --rule CreateHostnetworkPod --source 192.0.2.0/24 --code 2xx
      auditwire query --cluster demo --user mallory --format json --state .auditwire/dev.json
      auditwire query --from 7d --code 403 --stats user,verb
      auditwire query --from 30d --text 10.0.0.7 --export found.jsonl
    """
    given = {"--audit-id": [audit_id], "--user": [user], "--object": [object_name], "--namespace": [namespace],
             "--verb": verbs, "--rule": rules, "--code": codes, "--source": sources, "--text": texts}  # fmt: skip
    _refuse_empty(given)
    check_cluster_name(cluster)
    now = datetime.now(UTC)
    from auditwire.archive.filters import FilterError
    from auditwire.archive.search import Search

    wanted = _wanted(stats, histogram, limit)
    if export_to is not None:
        check_export(export_to, counts=wanted is not None)
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
        )
    except FilterError as error:
        raise UsageError(str(error), error.hint) from None
    if search.start and search.end and search.start >= search.end:
        raise UsageError("--to is not later than --from", "swap them")
    answering, search = engine_of(where.find(), Choice(store, engine, max_cost, yes), search, now, tuple(texts or ()))
    from auditwire.search import Coverage, Page, Query

    asked = Query.of(search, tuple(texts or ()))
    coverage = Coverage(reading=reading_hours())
    if wanted:
        show_summary(answering.summarise(asked, wanted, coverage), wanted, coverage, output)
    else:
        page = Page(None if export_to else limit, newest=not oldest_first, once=not every_copy)
        hits = Counted(answering.rows(asked, page, coverage))
        _show(hits, output, export_to)
        if coverage.cut_off:
            tell(f"there are more than these {limit:,}; --limit shows more")
        if not hits.events:
            _tell_what_was_meant(search)
    if output is Output.TEXT:
        tell_coverage(coverage)
    _end(coverage)


def _refuse_empty(given: "Mapping[str, Sequence[str | None] | None]") -> None:
    for option, values in given.items():
        if "" in (values or ()):
            raise UsageError(f"{option} is empty", "leave it out, or say what to look for")


def _show(hits: Counted, output: Output, export_to: Path | None) -> None:
    if export_to:
        export(hits, export_to)
    else:
        show_events(hits, output)
    if output is Output.TEXT or export_to:
        tell(hits.as_text())


def _wanted(stats: str | None, histogram: str | None, limit: int) -> "Wanted | None":
    """What is to be counted, None if events are to be shown."""
    from auditwire.search import Groups, Histogram, Interval, Wanted

    try:
        groups = None if stats is None else Groups(tuple(stats.replace(" ", "").split(",")), limit)
        by_time = None if histogram is None else Histogram(Interval.parse(histogram))
    except ValueError as error:
        option = "--stats" if histogram is None else "--histogram"
        raise UsageError(f"{option}: {error}") from None
    return Wanted(groups, by_time) if groups or by_time else None


def _tell_what_was_meant(search: "Search") -> None:
    if search.object_filter:
        without = search.object_filter.meant.count("/") == 1 and search.namespace is None
        hint = "; if that is in a namespace, add --namespace" if without else ""
        tell(f"looked for {search.object_filter.meant}{hint}")


def _end(coverage: "Coverage") -> None:
    for place in coverage.unreadable:
        tell(place)
    if coverage.unreadable:
        tell(f"{counted(len(coverage.unreadable), 'object')} could not be read whole: what is missing may be there")
        raise typer.Exit(ExitCode.FINDINGS)
