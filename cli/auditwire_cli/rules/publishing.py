"""What `rules publish` and `rules rollback` share: show what changes, send it, wait for the verdict."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from auditwire.rules import load_sources
from auditwire.rules.difference import Snapshot, difference
from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.rules.bundles import active_snapshot, read_active
from auditwire_cli.rules.difference_text import difference_text
from auditwire_cli.rules.documents import short
from auditwire_cli.rules.upload import Upload, send, sources_of
from auditwire_cli.rules.verdict import await_verdict, findings_of, read_status
from auditwire_cli.stack import Stack
from auditwire_cli.terminal.output import counted, show, tell

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.bundles.rules_state import Status


def show_changes(bucket: "RulesBucket", upload: Upload) -> None:
    """Show which documents change, and what the rules will decide differently."""
    for path in upload.written:
        show(f"{'~ changed' if path in upload.before else '+ new    '}  {path}")
    for path in upload.deleted:
        show(f"- deleted  {path}")
    if not upload:
        return
    loaded = load_sources(sources_of(upload.after))
    try:
        before = active_snapshot(bucket, read_active(bucket))
    except CommandError as error:
        show(f"what the rules will decide differently cannot be said: {error.message}")
        return
    if loaded.rule_set is not None:
        show(difference_text(difference(before, Snapshot(loaded.rule_set, loaded.documents))))


def bring_into_force(
    bucket: "RulesBucket", upload: Upload, where: Stack, *, seconds: float, folder: Path | None = None
) -> None:
    """Send the documents, and wait for the verdict on exactly these.

    Returns when they are in force. Raises typer.Exit(1) after showing why they are refused, NoVerdictError (exit
    code 3), and on Ctrl-C typer.Exit(130) after saying what became of the documents. ``folder`` is where they come
    from.
    """
    before = read_status(bucket)
    active = read_active(bucket)
    if not upload and active is not None and active.digest == upload.digest:
        show(f"nothing to do: these documents are already in force, as {short(upload.digest)}")
        return
    if upload:
        _send(bucket, upload)
    began = time.monotonic()
    tell(f"waiting for the verdict on {short(upload.digest)}")
    try:
        status = await_verdict(bucket, upload, before, seconds=seconds)
    except KeyboardInterrupt:
        tell(
            where.completed("interrupted: the documents are sent; `auditwire rules status` shows what becomes of them")
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    _conclude(status, upload, folder, time.monotonic() - began)


def _send(bucket: "RulesBucket", upload: Upload) -> None:
    tell(f"sending {counted(len(upload.written) + len(upload.deleted), 'change')}")
    try:
        send(bucket, upload)
    except KeyboardInterrupt:
        tell("interrupted: the documents are as they were before")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _conclude(status: "Status", upload: Upload, folder: Path | None, seconds: float) -> None:
    if status.verdict == "refused":
        for found in findings_of(status, upload.after, folder):
            show(found.as_text())
        show(f"refused: {counted(status.errors, 'error')}; {_in_force(status)} in force")
        raise typer.Exit(ExitCode.FINDINGS)
    show(
        f"in force: {short(upload.digest)}, {seconds:.1f} s after they were sent; every function uses them within 30 s"
    )


def _in_force(status: "Status") -> str:
    return f"{short(status.active)} stays" if status.active else "the shipped rules stay"
