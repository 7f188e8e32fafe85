"""``auditwire rules fix``: put the missing parentheses into ambiguous conditions, and change nothing else."""

import difflib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.files import read_file
from auditwire_cli.rules.documents import document_files
from auditwire_cli.terminal.output import counted, show, tell

if TYPE_CHECKING:
    from auditwire.documents.diagnostics import Diagnostic
    from auditwire.rules.fix import Fixed


class Reading(StrEnum):
    """Whose reading of an ambiguous condition is meant: KubeSphere's, or that of everybody else."""

    KUBESPHERE = "kubesphere"
    STANDARD = "standard"


def rules_fix(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Rule documents, or folders of *.yaml and *.yml files.")
    ],
    *,
    precedence: Annotated[
        Reading | None,
        typer.Option(help="How an ambiguous condition is meant, where the document itself does not say so."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if something would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would change.")] = False,
) -> None:
    """Put parentheses into ambiguous conditions (AW103).

    In KubeSphere `and` and `or` have the same precedence, and `not` has the lowest. Everywhere else `not` binds more
    tightly than `and`, and `and` more tightly than `or`. Where this makes a difference, parentheses are added, and
    then everybody reads the condition as --precedence says: as KubeSphere did, or as the standard does. A document
    with the annotation auditwire.io/precedence says so itself, and --precedence does not count there.

    Only parentheses are added; comments, quotes and layout stay. A file in which this is not possible is not changed,
    and is named.

    \b
    Exit codes: 0 done or nothing to do, 1 something would change (with --check) or could not be changed,
    2 wrong usage, or nobody has said how a condition is meant.

    \b
    Examples:
      auditwire rules fix rules --precedence kubesphere --diff
      auditwire rules fix rules --precedence kubesphere
      auditwire rules fix rules --check
    """
    from auditwire.condition.precedence import Precedence
    from auditwire.documents.source import Source
    from auditwire.rules.fix import fix_source

    chosen = None if precedence is None else Precedence(precedence)
    texts = {path: _text(path) for path in document_files(paths)}
    fixes = {path: fix_source(Source(str(path), text), chosen) for path, text in texts.items()}
    undecided = [found for fixed in fixes.values() for found in fixed.undecided]
    if undecided:
        _tell(undecided)
        conditions = counted(len(undecided), "ambiguous condition")
        raise UsageError(
            f"there is no telling how {conditions} {'is' if len(undecided) == 1 else 'are'} meant; nothing was changed",
            "--precedence kubesphere keeps the meaning in KubeSphere, --precedence standard the usual meaning",
        )
    changed = {path: fixed for path, fixed in fixes.items() if fixed.mended}
    for path, fixed in changed.items():
        if diff:
            show(_diff(path, texts[path], fixed).removesuffix("\n"))
        elif not check:
            _write(path, fixed.source.text)
    if not diff:
        _report(changed, check=check)
    failed = [found for fixed in fixes.values() for found in fixed.failed]
    _tell(failed)
    if failed or (check and changed):
        raise typer.Exit(ExitCode.FINDINGS)


def _tell(findings: "list[Diagnostic]") -> None:
    for found in findings:
        tell(found.as_text())


def _text(path: Path) -> str:
    # Not as when loading: what is not UTF-8 could not be written back as it was.
    try:
        return read_file(path).decode()
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8, so it cannot be edited", "save it as UTF-8 first") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None


def _diff(path: Path, before: str, fixed: "Fixed") -> str:
    old, new = before.splitlines(keepends=True), fixed.source.text.splitlines(keepends=True)
    changes = difflib.unified_diff(old, new, fromfile=str(path), tofile=f"{path} (fixed)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in changes)


def _report(changed: "dict[Path, Fixed]", *, check: bool) -> None:
    """Show what was changed, or would be: a line for each condition, and how many there are."""
    would = "would get" if check else "got"
    for path, fixed in changed.items():
        for mended in fixed.mended:
            show(
                f"{path}:{mended.line}:{mended.column}: {mended.rule} {would} parentheses, read as {mended.precedence}"
            )
    count = sum(len(fixed.mended) for fixed in changed.values())
    conditions, files = counted(count, "condition"), counted(len(changed), "file")
    show(f"{conditions} in {files} {would} parentheses" if count else "no condition needs parentheses")
