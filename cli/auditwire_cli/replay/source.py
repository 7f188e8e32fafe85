"""Where events of the past come from, as the options say: files, the archive of a stack, or a copy of one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import check_cluster_name
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.stack import Stack
from auditwire_cli.stack.aws_errors import in_one_sentence
from auditwire_cli.terminal.output import tell
from auditwire_cli.terminal.progress import progress
from auditwire_cli.times import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire_cli.replay.archive import Window
    from auditwire_cli.replay.chunks import Sized
    from auditwire_cli.replay.report import Side
    from auditwire_cli.replay.workers import Result, Task

_DAY = "24h"

MoreFiles = Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="More files of events.")]
Events = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Events in any body shape, also gzipped; - for standard input."),
]
Archive = Annotated[bool, typer.Option("--archive", help="Read the archive of the stack.")]
Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Read a copy of the archive bucket in this folder.")
]
JudgingRules = Annotated[
    str | None,
    typer.Option(
        metavar="X",
        help="The rules: a folder, a document, the digest of a bundle, or active."
        "  [default: what is in force; with --events and no stack the shipped rules]",
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="How many processes work.  [default: one a processor]")
]


class NothingToReplayError(CommandError):
    """There is no event in what was to be replayed."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """What the options say. Raises UsageError for options that exclude each other."""

    names: tuple[str, ...] = ()
    archive: bool = False
    folder: Path | None = None
    since: str | None = None
    to: str | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        if (bool(self.names), self.archive, self.folder is not None).count(True) != 1:
            raise UsageError("it is not clear what to read", "give one of --events FILE, --archive and --folder DIR")
        if self.names and (self.since, self.to, self.cluster) != (None, None, None):
            raise UsageError("--since, --to and --cluster are for the archive", "with --events all events are read")
        check_cluster_name(self.cluster)
        if self.folder is not None and not (self.folder / "events").is_dir():
            raise UsageError(f"{self.folder} is not a copy of an archive bucket", "one has events/cluster=…")

    def count(self, task: "Task[Result]", where: Stack, jobs: int | None) -> "Result":
        """What a task counts of all events, with progress. Raises NothingToReplayError where there are none."""
        from auditwire_cli.replay.files import total_size
        from auditwire_cli.replay.workers import count_all

        unread: list[str] = []
        total = total_size(self.names) if self.names else None
        with progress(total, is_bytes=total is not None) as advance:
            tally = count_all(task, self._chunks(where, unread), advance, jobs=jobs)
        for sentence in unread:
            tally.note_unreadable(sentence)
        if not tally.events:
            raise NothingToReplayError("there are no events to replay", "is the time or the cluster right?")
        return tally

    def _chunks(self, where: Stack, unread: list[str]) -> "Iterator[Sized]":
        """The events. ``unread`` gets a sentence for each object that cannot be fetched while the chunks are taken."""
        from auditwire_cli.replay.archive import chunks_of_archive
        from auditwire_cli.replay.files import chunks_of_files, chunks_of_folder

        if self.names:
            return chunks_of_files(self.names)
        window = self._window()
        if self.folder is not None:
            return chunks_of_folder(self.folder, window.first, window.last, window.cluster)
        return chunks_of_archive(where.find(), window, unread.append)

    def _window(self) -> "Window":
        from auditwire_cli.replay.archive import Window

        now = datetime.now(UTC)
        start, end = read_time("--since", self.since or _DAY, now), read_time("--to", self.to, now)
        if start is None or (end is not None and start >= end):
            raise UsageError("--to is not later than --since", "swap them")
        return Window(start, end, self.cluster)


class Bundles:
    """Finds the rules that a word means. The stack is only asked where a word is not a path."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def find(self, word: str) -> "tuple[Side, bytes]":
        """The rules that a word means. Raises UsageError where there are none."""
        from auditwire_cli.replay.sides import side_of

        try:
            with in_one_sentence(self._stack):
                return side_of(word, self._stack.rules_bucket)
        except CommandError as error:
            raise UsageError(error.message, error.hint) from None

    def default(self, *, needs_stack: bool, option: str) -> "tuple[Side, bytes]":
        """What is in force. Without any stack named or running here, the shipped rules; ``option`` names others."""
        from auditwire_cli.replay.sides import ACTIVE, shipped_side

        if needs_stack or self._stack != Stack() or self._stack.state_file is not None:
            return self.find(ACTIVE)
        tell(f"using the shipped rules; {option} names other ones")
        return shipped_side()
