"""``auditwire rules check``: everything that is wrong with rule documents, where, and what to do about it."""

from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.documents.source import is_test_file
from auditwire_cli.errors import UsageError
from auditwire_cli.findings import Strict, exit_by, findings_text
from auditwire_cli.rules.documents import read_documents
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.rules import Loaded, Source

_KINDS = (("rule", "rules"), ("macro", "macros"), ("list", "lists"), ("alias", "aliases"))


class Dialect(StrEnum):
    """Whose engine must understand the documents: auditwire's, or KubeSphere's too."""

    AUDITWIRE = "auditwire"
    KUBESPHERE = "kubesphere"


class Sender(StrEnum):
    """The managed cloud that the events come from."""

    EKS = "eks"
    GKE = "gke"
    AKS = "aks"


def rules_check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Rule documents, or folders of *.yaml and *.yml files."),
    ] = None,
    *,
    dialect: Annotated[
        Dialect, typer.Option(help="kubesphere also refuses what only auditwire understands.")
    ] = Dialect.AUDITWIRE,
    sender: Annotated[
        Sender | None, typer.Option(help="Also name fields that the events of this cloud never have.")
    ] = None,
    strict: Strict = False,
    output: Format = Output.TEXT,
    explain_dialect: Annotated[
        bool, typer.Option("--explain-dialect", help="List where a condition has another meaning in KubeSphere.")
    ] = False,
) -> None:
    """Check rule documents.

    The findings are about syntax, fields, names, selectors, and conditions that do not mean what they seem to mean. All
    of them are shown at once, each with its place and what to do about it. JSON is an array of objects with the
    members code, severity, path, line, column, rule, message and hint.

    \b
    Exit codes: 0 no errors, 1 errors (with --strict also warnings), 2 wrong usage.

    \b
    Examples:
      auditwire rules check rules
      auditwire rules check rules/alerting-rule.yaml --strict --format json
      auditwire rules check rules --sender gke
      auditwire rules check --explain-dialect
    """
    if explain_dialect:
        _explain_dialect(output)
        return
    if not paths:
        raise UsageError("there is nothing to check", "give a rule document, or a folder of them")
    check_and_show(read_documents(paths), dialect=dialect, sender=sender, strict=strict, output=output)


def check_and_show(
    sources: "Sequence[Source]",
    *,
    dialect: Dialect = Dialect.AUDITWIRE,
    sender: Sender | None = None,
    strict: bool = False,
    output: Output = Output.TEXT,
) -> None:
    """Show what is wrong with these documents. Raises typer.Exit(1) for errors, with ``strict`` for warnings too."""
    from auditwire.rules import load_sources
    from auditwire.rules.never_sent import Cloud

    cloud = Cloud(sender) if sender is not None else None
    loaded = load_sources(sources, dialect=dialect.value, today=datetime.now(UTC).date(), cloud=cloud)
    if output is Output.JSON:
        show_json([found.as_json() for found in loaded.diagnostics])
    else:
        for found in loaded.diagnostics:
            show(found.as_text())
        show(_summary(sources, loaded))
    exit_by(loaded.diagnostics, strict=strict)


def _summary(sources: "Sequence[Source]", loaded: "Loaded") -> str:
    """What was read and what was found, in one line."""
    entries = [entry for document in loaded.documents for entry in document.entries]
    counts = Counter[str](entry.type for entry in entries)
    read = [counted(sum(not is_test_file(source.path) for source in sources), "file")]
    read += [counted(counts[one], one, many) for one, many in _KINDS]
    disabled = sum(1 for entry in entries if entry.type == "rule" and not entry.enable)
    read[1] += f" ({disabled:,} not enabled)" if disabled else ""
    read += [counted(len(loaded.exceptions), "exception")] if loaded.exceptions else []
    return f"{', '.join(read)}: {findings_text(loaded.diagnostics)}"


def _explain_dialect(output: Output) -> None:
    """Show every behaviour in which KubeSphere's engine and this one could differ, and whether they do."""
    from dataclasses import asdict

    from auditwire.condition.dialect import BEHAVIOURS

    if output is Output.JSON:
        show_json([asdict(behaviour) for behaviour in BEHAVIOURS])
        return
    blocks = [
        f"{behaviour.name} ({behaviour.status})\n  KubeSphere: {behaviour.kubesphere}\n  here:       {behaviour.here}"
        for behaviour in BEHAVIOURS
    ]
    show("\n\n".join(blocks))
