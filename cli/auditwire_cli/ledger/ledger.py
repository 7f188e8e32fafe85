"""``auditwire ledger``: what every step counted, per cluster and hour, and where it does not balance."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError
from auditwire_cli.ledger.counts import add_set_aside, clusters_measured, counts_measured, waiting_now
from auditwire_cli.ledger.text import as_json, as_text
from auditwire_cli.output import Output, printable
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
    from auditwire.ledger import Row, Waiting

SETTLE = timedelta(minutes=15)
"""How long after an hour its counts may still come: metrics by way of logs may be minutes late."""

LOOK_AHEAD = timedelta(days=4)
"""How long after they went in alerts may come out: no queue keeps them for longer."""

_HOUR = timedelta(hours=1)
_USUAL_HOURS = 24


def ledger(
    *,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Only this cluster.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Since: 24h, 7d, 2026-11-21, …T22:00:00Z.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until; now, if not given.")] = None,
    hours: Annotated[
        int | None, typer.Option(min=1, max=10_920, metavar="N", help="The last N hours, the running one too; 24.")
    ] = None,
    judge_all: Annotated[
        bool, typer.Option("--judge-all", help="Judge the running hour too, for a system at rest.")
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Show what every step counted, per cluster and hour, and where that does not balance.

    Received events must be ignored, archived, quarantined or answered as not stored; alerts that go in must come out.
    An hour is judged 15 minutes after its end: until then its counts may still come. docs/ledger.md says what each
    count means. The clusters _system and _unknown stand for alerts about auditwire itself and for messages that name
    no cluster.

    \b
    Exit codes: 0 every settled hour balances, 1 one does not, or it cannot be told, 2 the call was wrong.

    \b
    Examples:
      auditwire ledger --hours 48 --profile prod
      auditwire ledger --cluster demo --state .auditwire/dev.json --judge-all --format json
    """
    now = datetime.now(UTC)
    shown = _shown(start, end, hours, now)
    where = Stack(stack, profile, region, endpoint_url, state)
    _check(cluster)
    with in_one_sentence(where):
        rows, waiting = _ledger(where.find(), cluster, shown, now, judge_all=judge_all)
    if output is Output.JSON:
        print(json.dumps(as_json(rows, waiting), ensure_ascii=False))
    else:
        print(as_text(rows, waiting))
    if any(row.settled and not row.balances for row in rows):
        raise typer.Exit(1)


def _ledger(
    found: Deployment, cluster: str | None, shown: tuple[datetime, datetime], now: datetime, *, judge_all: bool
) -> "tuple[list[Row], Waiting]":
    """The rows to show, worked out of those of all clusters: what waits in the queue may be anybody's."""
    from auditwire.ledger import ledger as balance

    cloudwatch, namespace = found.client("cloudwatch"), found.output("MetricsNamespace")
    clusters = clusters_measured(cloudwatch, namespace) | ({cluster} if cluster else set())
    start, end = shown
    known_until = _on_the_hour(now) + _HOUR
    counts = counts_measured(cloudwatch, namespace, clusters, start, min(known_until, end + LOOK_AHEAD))
    waiting = waiting_now(found)
    settled_before = known_until if judge_all else now - SETTLE
    rows = balance(counts, waiting, settled_before=settled_before)
    if any(row.queue.missing for row in rows):
        add_set_aside(found, counts)
        rows = balance(counts, waiting, settled_before=settled_before)
    return [row for row in rows if row.hour < end and cluster in (None, row.cluster)], waiting


def _shown(start: str | None, end: str | None, hours: int | None, now: datetime) -> tuple[datetime, datetime]:
    """The hours to show, from the first to behind the last. Raises CallError."""
    if start and hours:
        raise CallError("--from and --hours say the same thing", "give one of them")
    last = parse_since(end, now) if end else now
    behind = _on_the_hour(last) if end and last == _on_the_hour(last) else _on_the_hour(last) + _HOUR
    first = _on_the_hour(parse_since(start, now)) if start else behind - (hours or _USUAL_HOURS) * _HOUR
    if first >= min(behind, now):
        raise CallError("there is no hour to show", "--from must lie before --to, and both before now")
    return first, behind


def _on_the_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _check(cluster: str | None) -> None:
    from auditwire.alerts.counting import SYSTEM, UNKNOWN
    from auditwire.clusters.cluster import is_cluster_name

    if cluster is not None and cluster not in (SYSTEM, UNKNOWN) and not is_cluster_name(cluster):
        raise CallError(
            f"{printable(cluster)} is not a cluster name", f"it is 1 to 63 of a-z, 0-9 and '-', or {SYSTEM}"
        )
