"""``auditwire rules fix``: the parentheses that ambiguous conditions lack, put into the files as they are."""

import difflib
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.output import counted

if TYPE_CHECKING:
    from auditwire.documents.diagnostics import Diagnostic
    from auditwire.rules.fix import Fixed


class Reading(StrEnum):
    """Who reads an ambiguous condition right: KubeSphere, or everybody else."""

    KUBESPHERE = "kubesphere"
    STANDARD = "standard"


def rules_fix(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Rule documents, or folders of *.yaml and *.yml.")
    ],
    *,
    precedence: Annotated[
        Reading | None, typer.Option(help="What an ambiguous condition means; documents with the annotation know.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if something would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; print what would change.")] = False,
) -> None:
    """Put parentheses into ambiguous conditions (AW103).

    KubeSphere gives `and` and `or` equal rank and `not` the lowest; everybody else reads `not` before `and` before
    `or`. Where that makes a difference, parentheses are added so that the condition means to all what --precedence
    says: what KubeSphere made of it, or what it looks like. A document with the annotation auditwire.io/precedence
    says itself what it means, whatever --precedence is.

    Nothing but parentheses is put in: comments, quotes and layout stay. A file in which that is not possible is left
    as it is, and named.

    \b
    Exit codes: 0 done or nothing to do, 1 something would change (with --check) or could not be changed,
    2 the call was wrong, or somebody must say what a condition means.

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
    texts = {path: _text(path) for path in _files(paths)}
    fixes = {path: fix_source(Source(str(path), text), chosen) for path, text in texts.items()}
    undecided = [found for fixed in fixes.values() for found in fixed.undecided]
    if undecided:
        _show(undecided)
        means = counted(len(undecided), "condition means", "conditions mean")
        raise CallError(
            f"somebody must say what {means}, so no file was changed",
            "--precedence kubesphere keeps what KubeSphere makes of them, --precedence standard what others do",
        )
    changed = {path: fixed for path, fixed in fixes.items() if fixed.mended}
    for path, fixed in changed.items():
        if diff:
            sys.stdout.write(_diff(path, texts[path], fixed))
        elif not check:
            _write(path, fixed.source.text)
    if not diff:
        _report(changed, check=check)
    failed = [found for fixed in fixes.values() for found in fixed.failed]
    _show(failed)
    if failed or (check and changed):
        raise typer.Exit(1)


def _show(findings: "list[Diagnostic]") -> None:
    for found in findings:
        sys.stderr.write(found.as_text() + "\n")


def _files(paths: list[Path]) -> list[Path]:
    """The rule documents at these paths, each once. Raises CallError for what is missing or a folder without any."""
    from auditwire.rules import rule_files

    files: dict[Path, None] = {}
    for path in paths:
        found = rule_files(path) if path.is_dir() else [path]
        if not found:
            raise CallError(f"no rule documents in {path}", "they are called *.yaml or *.yml")
        files |= dict.fromkeys(found)
    return list(files)


def _text(path: Path) -> str:
    # Not as when loading: what is not UTF-8 could not be written back as it was.
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8, so it cannot be edited") from None
    except OSError as error:
        raise CallError(f"cannot read {path}: {error.strerror}") from None


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
    """What was, or would be, changed: a line for each condition, and how many there were."""
    would = "would get" if check else "got"
    for path, fixed in changed.items():
        for mended in fixed.mended:
            print(
                f"{path}:{mended.line}:{mended.column}: {mended.rule} {would} parentheses, read as {mended.precedence}"
            )
    count = sum(len(fixed.mended) for fixed in changed.values())
    conditions, files = counted(count, "condition", "conditions"), counted(len(changed), "file", "files")
    print(f"{conditions} in {files} {would} parentheses" if count else "no condition needs parentheses")
