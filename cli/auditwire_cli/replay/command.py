"""``auditwire rules replay``: what other rules would have decided about events of the past."""

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster
from auditwire_cli.errors import ExitCode
from auditwire_cli.replay.source import Archive, Bundles, Events, EventSource, Folder, Jobs, MoreFiles
from auditwire_cli.rules.eval import OfSender, Sender
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import show, show_json
from auditwire_cli.times import Since, To

if TYPE_CHECKING:
    from auditwire_cli.replay.report import Report, Side


class ReplayOutput(StrEnum):
    """Text for people, Markdown for a pull request, or JSON for scripts."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@on_stack
def rules_replay(
    more: MoreFiles = None,
    *,
    new: Annotated[str, typer.Option("--new", metavar="DIR", help="The rules to try: a folder or a document.")],
    old: Annotated[
        str | None,
        typer.Option(
            metavar="X",
            help="The rules to compare with: a folder, a document, the digest of a bundle, or active."
            "  [default: what is in force; with --events and no stack the shipped rules]",
        ),
    ] = None,
    events: Events = None,
    archive: Archive = False,
    folder: Folder = None,
    since: Since = None,
    to: To = None,
    cluster: OnlyCluster = None,
    sender: OfSender = None,
    max_new_alerts: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Exit with 1 if more than N alerts are gained.")
    ] = None,
    jobs: Jobs = None,
    output: Annotated[
        ReplayOutput, typer.Option("--format", help="Text, Markdown for a pull request, or JSON.")
    ] = ReplayOutput.TEXT,
    where: Stack,
) -> None:
    """Show what other rules would have decided about events of the past.

    Both sets of rules, each with its policy and settings, decide about the same events. The report says which alerts
    are gained, lost and changed, with examples; which rules, users and namespaces alert most; and what would no longer
    be archived. Nothing is sent, archived or alerted.

    The archive keeps less than the rules saw when events came in. So a replay of it first says which recorded matches
    the old rules do not give again, and why. If a body was not stored or was redacted, the rule is not comparable:
    nothing of it counts as lost. What was ignored is not in the archive, so new rules cannot match it.

    \b
    Exit codes: 0 done, 1 more alerts are gained than --max-new-alerts, or nothing can be read, 2 wrong usage,
    3 done, but a part of the archive could not be read.

    \b
    Examples:
      auditwire rules replay --events audit.log --old rules --new rules.new
      auditwire rules replay --archive --since 24h --new rules --format markdown
      auditwire rules replay --folder backup --since 2026-11-01 --old rules --new rules.new --max-new-alerts 20
    """
    source = EventSource((*(events or ()), *(more or ())), archive, folder, since, to, cluster)
    began = time.monotonic()
    bundles = Bundles(where)
    after = bundles.find(new)
    before = bundles.find(old) if old is not None else bundles.default(needs_stack=archive, option="--old")
    report = _report(source, where, before, after, began=began, sender=sender, jobs=jobs, budget=max_new_alerts)
    show_report(report, output)
    if report.over_budget:
        raise typer.Exit(ExitCode.FINDINGS)
    if report.tally.unreadable:
        raise typer.Exit(ExitCode.INCOMPLETE)


def replay_archive(where: Stack, before: "tuple[Side, bytes]", after: "tuple[Side, bytes]", since: str) -> "Report":
    """What two sets of rules decide about the archive of a stack from a time on. Raises as the command does."""
    return _report(EventSource(archive=True, since=since), where, before, after, began=time.monotonic())


def show_report(report: "Report", output: ReplayOutput) -> None:
    """Print a report."""
    from auditwire_cli.replay.text import as_markdown, as_text

    if output is ReplayOutput.JSON:
        show_json(report.as_json())
    else:
        show(as_markdown(report) if output is ReplayOutput.MARKDOWN else as_text(report))


def _report(
    source: EventSource,
    where: Stack,
    before: "tuple[Side, bytes]",
    after: "tuple[Side, bytes]",
    *,
    began: float,
    sender: Sender | None = None,
    jobs: int | None = None,
    budget: int | None = None,
) -> "Report":
    from auditwire.senders.kind import SenderKind
    from auditwire_cli.replay.report import Report
    from auditwire_cli.replay.workers import Sides

    sides = Sides(before[1], after[1], None if sender is None else SenderKind(sender))
    tally = source.count(sides, where, jobs)
    return Report(before[0], after[0], tally, budget, time.monotonic() - began)
