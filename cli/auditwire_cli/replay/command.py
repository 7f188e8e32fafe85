"""``auditwire rules replay``: what other rules would have decided about events of the past."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.rules.eval import Sender
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.stack.aws_errors import in_one_sentence
from auditwire_cli.terminal.output import show, show_json, tell
from auditwire_cli.terminal.progress import progress
from auditwire_cli.times import Since, To, read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire_cli.replay.archive import Window
    from auditwire_cli.replay.chunks import Sized
    from auditwire_cli.replay.report import Report, Side

_DAY = "24h"


class NothingToReplayError(CommandError):
    """There is no event in what was to be replayed."""


class ReplayOutput(StrEnum):
    """Text for people, Markdown for a pull request, or JSON for scripts."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@on_stack
def rules_replay(
    more: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="More files of events.")] = None,
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
    events: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Events in any body shape, also gzipped; - for standard input."),
    ] = None,
    archive: Annotated[bool, typer.Option("--archive", help="Replay the archive of the stack.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Replay a copy of the archive bucket in this folder.")
    ] = None,
    since: Since = None,
    to: To = None,
    cluster: OnlyCluster = None,
    sender: Annotated[
        Sender | None,
        typer.Option(help="Apply the settings of the Webhook document for this sender.  [default: apply none]"),
    ] = None,
    max_new_alerts: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Exit with 1 if more than N alerts are gained.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many processes work.  [default: one a processor]")
    ] = None,
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
    names = [*(events or ()), *(more or ())]
    if (bool(names), archive, folder is not None).count(True) != 1:
        raise UsageError("it is not clear what to replay", "give one of --events FILE, --archive and --folder DIR")
    if names and (since, to, cluster) != (None, None, None):
        raise UsageError("--since, --to and --cluster are for the archive", "with --events all events are replayed")
    check_cluster_name(cluster)
    if folder is not None and not (folder / "events").is_dir():
        raise UsageError(f"{folder} is not a copy of an archive bucket", "one has events/cluster=…")
    began = time.monotonic()
    sides = _Sides(where)
    after = sides.find(new)
    before = sides.find(old) if old is not None else sides.default(needs_stack=archive)
    window = None if names else _window(since, to, cluster)
    unread: list[str] = []
    report = _replayed(
        _Job(before, after, sender, jobs), _chunks(names, folder, window, where, unread), _total(names), unread,
        budget=max_new_alerts, began=began,
    )  # fmt: skip
    show_report(report, output)
    if report.over_budget:
        raise typer.Exit(ExitCode.FINDINGS)
    if report.tally.unreadable:
        raise typer.Exit(ExitCode.INCOMPLETE)


def replay_archive(where: Stack, before: "tuple[Side, bytes]", after: "tuple[Side, bytes]", since: str) -> "Report":
    """What two sets of rules decide about the archive of a stack from a time on. Raises as the command does."""
    unread: list[str] = []
    chunks = _chunks([], None, _window(since, None, None), where, unread)
    return _replayed(_Job(before, after, None, None), chunks, None, unread, began=time.monotonic())


def show_report(report: "Report", output: ReplayOutput) -> None:
    """Print a report."""
    from auditwire_cli.replay.text import as_markdown, as_text

    if output is ReplayOutput.JSON:
        show_json(report.as_json())
    else:
        show(as_markdown(report) if output is ReplayOutput.MARKDOWN else as_text(report))


class _Job:
    """Two sides, whose settings apply, and how many processes there are."""

    def __init__(
        self, before: "tuple[Side, bytes]", after: "tuple[Side, bytes]", sender: Sender | None, jobs: int | None
    ) -> None:
        self.before, self.after, self.sender, self.jobs = before, after, sender, jobs


def _replayed(
    job: _Job,
    chunks: "Iterator[Sized]",
    total: int | None,
    unread: list[str],
    *,
    budget: int | None = None,
    began: float,
) -> "Report":
    """``unread`` gets a sentence for each object that could not be fetched while the chunks are taken."""
    from auditwire.senders.kind import SenderKind
    from auditwire_cli.replay.report import Report
    from auditwire_cli.replay.workers import Sides, replay_all

    sender = None if job.sender is None else SenderKind(job.sender)
    sides = Sides(job.before[1], job.after[1], sender)
    with progress(total, is_bytes=total is not None) as advance:
        tally = replay_all(sides, chunks, advance, jobs=job.jobs)
    for sentence in unread:
        tally.note_unreadable(sentence)
    if not tally.events:
        raise NothingToReplayError("there are no events to replay", "is the time or the cluster right?")
    return Report(job.before[0], job.after[0], tally, budget, time.monotonic() - began)


def _window(since: str | None, to: str | None, cluster: str | None) -> "Window":
    from auditwire_cli.replay.archive import Window

    now = datetime.now(UTC)
    start, end = read_time("--since", since or _DAY, now), read_time("--to", to, now)
    if start is None or (end is not None and start >= end):
        raise UsageError("--to is not later than --since", "swap them")
    return Window(start, end, cluster)


def _chunks(
    names: list[str], folder: Path | None, window: "Window | None", where: Stack, unread: list[str]
) -> "Iterator[Sized]":
    from auditwire_cli.replay.archive import chunks_of_archive
    from auditwire_cli.replay.files import chunks_of_files, chunks_of_folder

    if window is None:
        return chunks_of_files(names)
    if folder is not None:
        return chunks_of_folder(folder, window.first, window.last, window.cluster)
    return chunks_of_archive(where.find(), window, unread.append)


def _total(names: list[str]) -> int | None:
    from auditwire_cli.replay.files import total_size

    return total_size(names) if names else None


class _Sides:
    """Finds what a word means. The stack is only asked where a word is not a path."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def find(self, word: str) -> "tuple[Side, bytes]":
        from auditwire_cli.replay.sides import side_of

        try:
            with in_one_sentence(self._stack):
                return side_of(word, self._stack.rules_bucket)
        except CommandError as error:
            raise UsageError(error.message, error.hint) from None

    def default(self, *, needs_stack: bool) -> "tuple[Side, bytes]":
        """What is in force. Without any stack named or running here, the shipped rules."""
        from auditwire_cli.replay.sides import ACTIVE, shipped_side

        if needs_stack or self._stack != Stack() or self._stack.state_file is not None:
            return self.find(ACTIVE)
        tell("comparing with the shipped rules; --old names other ones")
        return shipped_side()
