"""Findings of a check, as every checking command shows them and ends with them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from auditwire.documents.diagnostics import Diagnostic, Severity, has_errors
from auditwire_cli.errors import ExitCode
from auditwire_cli.terminal.output import counted

Strict = Annotated[bool, typer.Option("--strict", help="Let warnings fail the check too.")]


def findings_text(findings: Iterable[Diagnostic]) -> str:
    """``2 errors and 1 warning``, or ``no findings`` where there are none; notes are counted only if there are any."""
    counts = Counter(found.severity for found in findings)
    if not counts:
        return "no findings"
    parts = [counted(counts[Severity.ERROR], "error"), counted(counts[Severity.WARNING], "warning")]
    notes = counts[Severity.INFO]
    return " and ".join(parts) if not notes else f"{', '.join(parts)} and {counted(notes, 'note')}"


def exit_by(findings: Sequence[Diagnostic], *, strict: bool = False) -> None:
    """Raises typer.Exit(1) where there are errors, with ``strict`` for warnings too."""
    if has_errors(findings) or (strict and any(found.severity is Severity.WARNING for found in findings)):
        raise typer.Exit(ExitCode.FINDINGS)
