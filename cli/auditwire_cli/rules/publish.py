"""``auditwire rules publish``: check the documents of a folder, send them as one change, and wait for the verdict."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_file
from auditwire_cli.rules.documents import document_files, read_tests
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import confirm, counted, show, tell

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.documents.source import Source
    from auditwire_cli.rules.upload import Documents, Upload

Timeout = Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the verdict.")]


@on_stack
def rules_publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that has all the documents.")],
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep documents in the bucket that are not in DIR.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings prevent publishing too.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check, show what would change, and send nothing.")
    ] = False,
    replay: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="First replay the archive from this time on, such as 24h, and ask."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout: Timeout = 120,
    where: Stack,
) -> None:
    """Bring the documents of a folder into force.

    First they are checked here, as `auditwire rules check` does; if there are errors, nothing is sent. Then the command
    shows which documents and which rules change, sends the documents so that they come into force as one change, and
    waits for the verdict on exactly these documents. Documents in the bucket that are not in the folder are deleted,
    unless --keep is given; on a terminal you are asked first.

    With --replay the rules in force and the new ones decide about what was archived since that time, as `auditwire
    rules replay` does. You see which alerts would be gained and lost, and are asked before anything is sent.

    Ctrl-C while sending restores the documents as they were. Ctrl-C while waiting only ends the waiting.

    \b
    Exit codes: 0 in force, 1 refused (here, by the stack, or by AWS), 2 wrong usage, 3 no verdict in time,
    130 interrupted. With --dry-run: 0 these documents would be sent, 1 they have errors.

    \b
    Examples:
      auditwire rules publish rules --dry-run
      auditwire rules publish rules --replay 24h --profile prod --region eu-west-1
      auditwire rules publish rules --state .auditwire/dev.json
    """
    from auditwire_cli.rules.check import check_and_show
    from auditwire_cli.rules.publishing import bring_into_force, show_changes
    from auditwire_cli.rules.upload import Upload, documents_in, sources_of

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of rule documents", "give the folder that has all of them")
    documents = _documents(folder)
    if not keep:
        check_and_show([*_sources(folder, documents, {}), *read_tests([folder])], strict=strict)
    bucket = where.rules_bucket()
    there = documents_in(bucket)
    kept = {path: data for path, data in there.items() if keep and path not in documents}
    if keep:
        check_and_show([*_sources(folder, documents, kept), *read_tests([folder])], strict=strict)
    upload = Upload(there, {**kept, **documents})
    for path in kept:
        show(f"  kept     {path}")
    show_changes(bucket, upload)
    if dry_run and not upload:
        show("no document would change")
    if replay is not None and upload:
        _replay(bucket, where, sources_of(upload.after), replay)
        if not dry_run:
            confirm("bring these rules into force?", yes=yes)
    elif upload.deleted and not dry_run:
        _ask_about_deleted(upload, folder, yes=yes)
    if not dry_run:
        bring_into_force(bucket, upload, where, seconds=timeout, folder=folder)


def _ask_about_deleted(upload: "Upload", folder: Path, *, yes: bool) -> None:
    """Ask before documents go, such as the default ones when somebody publishes a folder with one of their own. A
    script that publishes a folder means the whole folder: it is told."""
    what = f"{counted(len(upload.deleted), 'document')} that {folder} does not have"
    if sys.stdin.isatty():
        confirm(f"delete {what}? --keep keeps them", yes=yes)
    elif not yes:
        tell(f"deleting {what}; --keep keeps them")


def _replay(bucket: "RulesBucket", where: Stack, sources: "list[Source]", since: str) -> None:
    """Show what the new rules would have decided about what is archived."""
    from auditwire_cli.replay.command import replay_archive
    from auditwire_cli.replay.sides import ACTIVE, side_of, side_of_sources
    from auditwire_cli.replay.source import NothingToReplayError
    from auditwire_cli.replay.text import as_text

    before, after = side_of(ACTIVE, lambda: bucket), side_of_sources(sources, "the new rules")
    try:
        show(as_text(replay_archive(where, before, after, since)))
    except NothingToReplayError as error:
        show(error.message)


def _documents(folder: Path) -> dict[str, bytes]:
    """The documents of a folder by their paths in it. Raises UsageError for a folder without any, and for what cannot
    be sent."""
    documents = {}
    for file in document_files([folder]):
        path = file.relative_to(folder).as_posix()
        if not path.isprintable():
            raise UsageError(f"a document in the bucket cannot be called {path!r}", "rename it")
        documents[path] = read_file(file)
    return documents


def _sources(folder: Path, documents: "Documents", kept: "Documents") -> "list[Source]":
    """What will be in the bucket, each document named by where it comes from."""
    from auditwire.documents.source import Source

    here = [(str(folder / path), data) for path, data in documents.items()]
    there = [(f"(in the bucket) {path}", data) for path, data in kept.items()]
    return [Source(name, data.decode(errors="replace")) for name, data in [*here, *there]]
