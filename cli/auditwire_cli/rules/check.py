"""``auditwire rules check``: everything that is wrong with rule documents, where, and what to do about it."""

import json
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.documents.diagnostics import Diagnostic, Severity, has_errors
from auditwire_cli.errors import CallError
from auditwire_cli.output import Output, counted

if TYPE_CHECKING:
    from auditwire.rules import Loaded, Source

_KINDS = (("rule", "rules"), ("macro", "macros"), ("list", "lists"), ("alias", "aliases"))


class Dialect(StrEnum):
    """For whom the documents are to be right: this product, or KubeSphere as well."""

    AUDITWIRE = "auditwire"
    KUBESPHERE = "kubesphere"


def rules_check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Rule documents, or folders of *.yaml and *.yml."),
    ] = None,
    *,
    dialect: Annotated[
        Dialect, typer.Option(help="kubesphere also refuses what only auditwire understands.")
    ] = Dialect.AUDITWIRE,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail the check too.")] = False,
    output: Annotated[Output, typer.Option("--format", help="For people, or a JSON array for scripts.")] = Output.TEXT,
    explain_dialect: Annotated[
        bool, typer.Option("--explain-dialect", help="Say where conditions mean something else in KubeSphere.")
    ] = False,
) -> None:
    """Say what is wrong with rule documents.

    Syntax, fields, names, selectors, and conditions that do not mean what they seem: all findings at once, each
    with its place and what to do about it. JSON has the members code, severity, path, line, column,
    rule, message and hint.

    \b
    Exit codes: 0 clean, 1 errors were found (with --strict warnings too), 2 the call was wrong.

    \b
    Examples:
      auditwire rules check rules
      auditwire rules check rules/alerting.yaml --strict --format json
      auditwire rules check --explain-dialect
    """
    if explain_dialect:
        print(_differences(output))
        return
    if not paths:
        raise CallError("nothing to check", "name a rule document, or a folder of them")
    check_and_print(sources_of(paths), dialect=dialect, strict=strict, output=output)


def check_and_print(
    sources: list["Source"],
    *,
    dialect: Dialect = Dialect.AUDITWIRE,
    strict: bool = False,
    output: Output = Output.TEXT,
) -> None:
    """Print what is wrong with these documents. Raises typer.Exit(1) for errors, with ``strict`` for warnings too."""
    from auditwire.rules import load_sources

    loaded = load_sources(sources, dialect=dialect.value)
    if output is Output.JSON:
        print(json.dumps([found.as_json() for found in loaded.diagnostics], ensure_ascii=False))
    else:
        for found in loaded.diagnostics:
            print(found.as_text())
        print(_summary(sources, loaded))
    if has_errors(loaded.diagnostics) or (strict and _of(loaded.diagnostics, Severity.WARNING)):
        raise typer.Exit(1)


def sources_of(paths: Iterable[Path]) -> list["Source"]:
    """The documents at these paths. Raises CallError for what is missing, unreadable, or a folder without any."""
    from auditwire.rules import read_sources

    sources = []
    for path in paths:
        try:
            found = read_sources([path])
        except OSError as error:
            raise CallError(f"cannot read {path}: {error.strerror}") from None
        if not found:
            raise CallError(f"no rule documents in {path}", "they are called *.yaml or *.yml")
        sources += found
    return sources


def _of(diagnostics: Iterable[Diagnostic], severity: Severity) -> int:
    return sum(1 for found in diagnostics if found.severity is severity)


def _summary(sources: list["Source"], loaded: "Loaded") -> str:
    """What was read and what was found, in one line."""
    entries = [entry for document in loaded.documents for entry in document.entries]
    counts = Counter[str](entry.type for entry in entries)
    read = [counted(len(sources), "file", "files")]
    read += [counted(counts[one], one, many) for one, many in _KINDS]
    disabled = sum(1 for entry in entries if entry.type == "rule" and not entry.enable)
    off = f" ({disabled} not enabled)" if disabled else ""
    read[1] += off
    errors, warnings = _of(loaded.diagnostics, Severity.ERROR), _of(loaded.diagnostics, Severity.WARNING)
    found = [counted(errors, "error", "errors"), counted(warnings, "warning", "warnings")]
    return f"{', '.join(read)}: {' and '.join(found) if errors or warnings else 'no findings'}"


def _differences(output: Output) -> str:
    """Every behaviour in which KubeSphere's engine and this one might differ, and whether they do."""
    from dataclasses import asdict

    from auditwire.condition.dialect import BEHAVIOURS

    if output is Output.JSON:
        return json.dumps([asdict(behaviour) for behaviour in BEHAVIOURS], ensure_ascii=False)
    blocks = [
        f"{behaviour.name} ({behaviour.status})\n  KubeSphere: {behaviour.kubesphere}\n  here:       {behaviour.here}"
        for behaviour in BEHAVIOURS
    ]
    return "\n\n".join(blocks)
