"""``auditwire ledger``: what every step counted, per cluster and hour, and where it does not balance."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.ledger.text import as_text
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, show, show_json
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from auditwire.ledger.reading import Counters

_HOUR = timedelta(hours=1)
_USUAL_HOURS = 24


@on_stack
def ledger(
    *,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    hours: Annotated[
        int | None,
        typer.Option(min=1, max=10_920, metavar="N", help="The last N hours, with the current one.  [default: 24]"),
    ] = None,
    judge_all: Annotated[
        bool, typer.Option("--judge-all", help="Judge the current hour too, for a system at rest.")
    ] = False,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show what every step counted, and where it does not balance.

    There is a row for each cluster and hour. Received events must be ignored, archived, quarantined, or answered as not
    stored; alerts that come in must go out. An hour is judged 15 minutes after its end, because its counts may come
    until then. docs/ledger.md says what each count means. The cluster _system stands for alerts about auditwire itself,
    and _unknown for messages that name no cluster.

    \b
    Exit codes: 0 every settled hour balances, 1 one does not, or the counts cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire ledger --hours 48 --profile prod
      auditwire ledger --cluster demo --state .auditwire/dev.json --judge-all --format json
    """
    from auditwire.ledger.reading import read_ledger
    from auditwire.ledger.report import as_json
    from auditwire.measured import CountsWithheldError

    now = datetime.now(UTC)
    shown = _shown(start, end, hours, now)
    _check(cluster)
    try:
        rows, waiting = read_ledger(counters_of(where.find()), cluster, shown, now, judge_all=judge_all)
    except CountsWithheldError as error:
        raise CommandError(f"CloudWatch withholds counts ({error})", "try again in a minute") from None
    if output is Output.JSON:
        show_json(as_json(rows, waiting))
    else:
        show(as_text(rows, waiting))
    if any(row.settled and not row.balances for row in rows):
        raise typer.Exit(ExitCode.FINDINGS)


def counters_of(found: Deployment) -> "Counters":
    """Where a stack counts, and where its alerts wait."""
    from auditwire.ledger.reading import Counters

    return Counters(
        cloudwatch=found.client("cloudwatch"),
        s3=found.client("s3"),
        sqs=found.client("sqs"),
        namespace=found.output("MetricsNamespace"),
        bucket=found.output("ArchiveBucket"),
        alerts_queue=found.outputs.get("AlertsQueueUrl", ""),
        dead_letters=found.outputs.get("DeadLetterQueueUrl", ""),
    )


def _shown(start: str | None, end: str | None, hours: int | None, now: datetime) -> tuple[datetime, datetime]:
    """The first hour to show, and the end of the last. Raises UsageError."""
    if start and hours:
        raise UsageError("--from and --hours exclude each other", "give one of them")
    last = read_time("--to", end, now) or now
    behind = _on_the_hour(last) if end and last == _on_the_hour(last) else _on_the_hour(last) + _HOUR
    begin = read_time("--from", start, now)
    first = _on_the_hour(begin) if begin else behind - (hours or _USUAL_HOURS) * _HOUR
    if first >= min(behind, now):
        raise UsageError("there is no hour to show", "--from must be before --to, and both in the past")
    return first, behind


def _on_the_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _check(cluster: str | None) -> None:
    from auditwire.alerts.counting import SYSTEM, UNKNOWN

    if cluster not in (SYSTEM, UNKNOWN):
        check_cluster_name(cluster)
