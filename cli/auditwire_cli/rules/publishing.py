"""What ``rules publish`` and ``rules rollback`` have in common: show what changes, send it, wait for the verdict."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from auditwire.rules import load_sources
from auditwire.rules.difference import Snapshot, difference
from auditwire_cli.errors import CommandError
from auditwire_cli.output import counted
from auditwire_cli.rules.bundles import active_snapshot, read_active
from auditwire_cli.rules.difference_text import difference_text
from auditwire_cli.rules.upload import Upload, send, sources_of
from auditwire_cli.rules.verdict import await_verdict, findings_of, read_status, short

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.bundles.rules_state import Status

_INTERRUPTED = 130


def show(bucket: "RulesBucket", upload: Upload) -> None:
    """Print which documents change, and what that makes the rules decide otherwise."""
    for path in upload.written:
        print(f"{'~ changed' if path in upload.before else '+ new    '}  {path}")
    for path in upload.deleted:
        print(f"- deleted  {path}")
    if not upload:
        return
    loaded = load_sources(sources_of(upload.after))
    try:
        before = active_snapshot(bucket, read_active(bucket))
    except CommandError as error:
        print(f"what the rules will decide otherwise cannot be said: {error.message}")
        return
    if loaded.rule_set is not None:
        print(difference_text(difference(before, Snapshot(loaded.rule_set, loaded.documents))))


def bring_into_force(bucket: "RulesBucket", upload: Upload, *, seconds: float, folder: Path | None = None) -> None:
    """Send the documents and wait for the verdict on exactly them.

    Returns when they are in force. Raises typer.Exit(1) after showing why they are refused, NoVerdictError (exit
    code 3), and on Ctrl-C typer.Exit(130) after saying what became of the documents.
    """
    before = read_status(bucket)
    active = read_active(bucket)
    if not upload and active is not None and active.digest == upload.digest:
        print(f"nothing to do: these documents are in force already, as {short(upload.digest)}")
        return
    if upload:
        _send(bucket, upload)
    began = time.monotonic()
    _tell(f"waiting for the verdict on {short(upload.digest)}")
    try:
        status = await_verdict(bucket, upload, before, seconds=seconds)
    except KeyboardInterrupt:
        _tell("interrupted: the documents are there; `auditwire rules status` tells what becomes of them")
        raise typer.Exit(_INTERRUPTED) from None
    _conclude(status, upload, folder, time.monotonic() - began)


def _send(bucket: "RulesBucket", upload: Upload) -> None:
    _tell(f"sending {counted(len(upload.written) + len(upload.deleted), 'change', 'changes')}")
    try:
        send(bucket, upload)
    except KeyboardInterrupt:
        _tell("interrupted: the documents are what they were before")
        raise typer.Exit(_INTERRUPTED) from None


def _conclude(status: "Status", upload: Upload, folder: Path | None, seconds: float) -> None:
    if status.verdict == "refused":
        for found in findings_of(status, upload.after, folder):
            print(found.as_text())
        print(f"refused: {counted(status.errors, 'error', 'errors')}; {_in_force(status)} in force")
        raise typer.Exit(1)
    print(f"in force: {short(upload.digest)}, {seconds:.1f} s after it was sent; every function takes it within 30 s")


def _in_force(status: "Status") -> str:
    return f"{short(status.active)} stays" if status.active else "the shipped rules stay"


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
