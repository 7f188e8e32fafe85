"""``auditwire subject``: what the archive has of a person."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.query.engines import DEFAULT_MAX_COST, Choice, MaxCost, Yes, engine_of
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell
from auditwire_cli.terminal.progress import reading_hours
from auditwire_cli.terminal.table import table
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.found import Found
    from auditwire.search import Coverage, Hit

_EXAMPLES = 5
_EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)


class _Data:
    """What events say of a person, and where they lie."""

    def __init__(self) -> None:
        self.events = 0
        self.first = self.last = ""
        self.values: dict[str, Counter[str]] = {
            name: Counter() for name in ("name", "uid", "group", "extra", "source address", "user agent", "acting as")
        }
        self.months: dict[tuple[str, str], Counter[str]] = {}

    def add(self, hit: "Hit", name: str) -> None:
        found = hit.found
        self.events += 1
        self.first = min(self.first or found.at, found.at)
        self.last = max(self.last, found.at)
        self.months.setdefault((found.cluster, found.at[:7]), Counter())[hit.key] += 1
        for what, values in _said(found, name):
            self.values[what].update(values)


@on_stack
def subject(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user, as events name it.")],
    *,
    mentioned: Annotated[
        bool, typer.Option("--mentioned", help="Also events that name the user anywhere, such as in a body. Reads all.")
    ] = False,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    max_cost: MaxCost = DEFAULT_MAX_COST,
    yes: Yes = False,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """List what the archive has of a user.

    That is: which personal data, in which months, and when it is removed.

    Events count that the user caused, also in another's name. The whole archive is looked at, unless --from is given.
    Nothing is erased: see docs/search.md, Personal data of a user.

    \b
    Exit codes: 0 done, 1 the archive cannot be read or is damaged, 2 wrong usage.

    \b
    Examples:
      auditwire subject jane@example.com --profile prod
      auditwire subject jane@example.com --mentioned --from 90d --format json
    """
    if not user:
        raise UsageError("USER is empty", "say whose data you look for")
    check_cluster_name(cluster)
    now = datetime.now(UTC)
    from auditwire.archive.search import Search
    from auditwire.search import AnyOf, Coverage, Page, Query, Test

    found = where.find()
    begin = read_time("--from", start, now) or _EVERYTHING
    search = Search(cluster=cluster, start=begin, end=read_time("--to", end, now), is_newest_first=False)
    if found.outputs.get("ArchiveTable"):
        raise UsageError(
            "this stack archives events in DynamoDB", f"`auditwire query --user {user} --from 100d` finds them there"
        )
    texts = (user,) if mentioned else ()
    engine, search = engine_of(found, Choice(max_cost=max_cost, yes=yes), search, now, texts)
    clusters = None if cluster is None else frozenset({cluster})
    who = AnyOf((Test("user", (user,)), Test("impersonated", (user,))))
    query = Query(start=search.start, end=search.end, clusters=clusters, texts=texts)
    if not mentioned:
        query = Query(who, search.start, search.end, clusters=clusters)
    coverage = Coverage(reading=reading_hours())
    data = _Data()
    for hit in engine.rows(query, Page(), coverage):
        data.add(hit, user)
    _show(data, user, _removals(found, data), found, output)
    _end(coverage)


def _said(found: "Found", name: str) -> "Iterator[tuple[str, list[str]]]":
    """The personal data in an event of this user."""
    import json

    event = json.loads(found.line)
    own = [each for each in (event.get("user"), event.get("impersonatedUser")) if each and each.get("username") == name]
    for user in own:
        yield "name", [name]
        yield "uid", [user["uid"]] if user.get("uid") else []
        yield "group", user.get("groups") or []
        yield "extra", [f"{key}={value}" for key, values in (user.get("extra") or {}).items() for value in values or ()]
    if own:
        yield "source address", list(found.sources)
        yield "user agent", [found.agent] if found.agent else []
    if found.user == name and found.impersonated:
        yield "acting as", [found.impersonated]


def _removals(found: Deployment, data: _Data) -> dict[str, datetime]:
    """When each object expires, by its key."""
    from auditwire.search.bucket import BucketObjects

    days = timedelta(days=int(found.parameters.get("ArchiveRetentionDays", "365")))
    place = BucketObjects(found.client("s3"), found.output("ArchiveBucket"))
    keys = {key for month in data.months.values() for key in month}
    ends = {}
    for prefix in sorted({key.rpartition("/")[0] + "/" for key in keys}):
        for listed in place.listing(prefix):
            if listed.key in keys and listed.modified:
                # S3 rounds up to the next midnight in UTC.
                ends[listed.key] = listed.modified + days + timedelta(days=1)
    return ends


def _show(data: _Data, user: str, ends: dict[str, datetime], found: Deployment, output: Output) -> None:
    lock = found.parameters.get("EvidenceLock", "none")
    months = []
    for (cluster, month), keys in sorted(data.months.items()):
        dates = sorted(f"{ends[key]:%Y-%m-%d}" for key in keys if key in ends)
        months.append(
            (cluster, month, sum(keys.values()), len(keys), dates[0] if dates else "", dates[-1] if dates else "")
        )
    if output is Output.JSON:
        document: dict[str, Any] = {"user": user, "events": data.events, "first": data.first, "last": data.last}
        document["data"] = {what: dict(values.most_common()) for what, values in data.values.items() if values}
        names = ("cluster", "month", "events", "objects", "removed_from", "removed_until")
        document["where"] = [dict(zip(names, month, strict=True)) for month in months]
        show_json({**document, "lock": lock})
        return
    if data.events:
        kinds = [
            (what, f"{len(values):,}", ", ".join(value for value, _ in values.most_common(_EXAMPLES)))
            for what, values in data.values.items()
            if values
        ]
        show(table(("what", "values", "the most frequent"), kinds, right=("values",)))
        rows = [(*month[:2], *map(str, month[2:4]), *month[4:]) for month in months]
        heads = ("cluster", "month", "events", "objects", "removed from", "until")
        show(table(heads, rows, right=("events", "objects")))
    tell(counted(data.events, "event"))
    if lock != "none":
        tell(f"objects are locked ({lock}): nothing can be erased before it expires")


def _end(coverage: "Coverage") -> None:
    for place in coverage.unreadable:
        tell(place)
    if coverage.unreadable:
        raise typer.Exit(ExitCode.FINDINGS)
