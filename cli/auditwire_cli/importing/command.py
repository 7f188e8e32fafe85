"""``auditwire rules import``: rules of Sigma, Falco and KubeSphere as documents of ours."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.groups import group
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire_cli.importing.imported import Outcome

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files or folders of *.yaml and *.yml files.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the documents: a new or empty folder.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")]


def import_falco(files: Files, *, out: Out, force: Force = False, output: Format = Output.TEXT) -> None:
    """Import rules of Falco.

    These are the rules for Kubernetes audit events, of the source k8s_audit.

    The files are loaded in the order given, as Falco does: a site's file behind the shipped one replaces rules, macros
    and lists, appends to them or switches rules off, and the result of both is imported.

    An imported rule means the same on every event. A partial one matches less, and the reason says what. Of a refused
    one nothing is written, and the reason says which word. JSON is a list with an object for each rule of the source,
    in order: source, rule, status, reason, rules and notes.

    \b
    Exit codes: 0 all imported, 1 some partial or refused (the others are written), 2 wrong usage.

    \b
    Examples:
      auditwire rules import falco k8s_audit_rules.yaml --out rules.falco
      auditwire rules import falco k8s_audit_rules.yaml site.yaml --out rules.falco --format json
    """
    from auditwire_cli.importing.documents import prepared_folder, source_files
    from auditwire_cli.importing.falco import import_falco as imported

    folder = prepared_folder(out, force=force)
    _finish(imported(source_files(files)), folder, "falco", output)


def import_sigma(files: Files, *, out: Out, force: Force = False, output: Format = Output.TEXT) -> None:
    """Import rules of Sigma.

    These are the rules for the audit log of Kubernetes: product kubernetes, service audit.

    Filters apply to the rules that they name. Author, title, id, references and licence stay with each rule. Reading
    Sigma needs pySigma: pip install "auditwire[sigma]".

    An imported rule means the same on every event. A partial one matches less, and the reason says what. Of a refused
    one nothing is written, and the reason says which word. JSON is a list with an object for each rule of the source,
    in order: source, rule, status, reason, rules and notes.

    \b
    Exit codes: 0 all imported, 1 some partial or refused (the others are written), 2 wrong usage.

    \b
    Examples:
      auditwire rules import sigma kubernetes_audit_exec.yml --out rules.sigma
      auditwire rules import sigma kubernetes-audit --out rules.sigma --format json
    """
    from auditwire_cli.importing.documents import prepared_folder, source_files

    folder = prepared_folder(out, force=force)
    try:
        from auditwire_cli.importing.sigma import import_sigma as imported
    except ImportError as error:
        if not (error.name or "").startswith("sigma"):
            raise
        raise UsageError("reading Sigma needs pySigma", 'pip install "auditwire[sigma]"') from None
    _finish(imported(source_files(files)), folder, "sigma", output)


def _finish(outcomes: "Sequence[Outcome]", folder: Path, origin: str, output: Output) -> None:
    from auditwire_cli.importing.documents import documents_of, write_documents

    sources = documents_of(outcomes, origin)
    write_documents(folder, sources)
    if output is Output.JSON:
        show_json([outcome.as_json() for outcome in outcomes])
    else:
        for outcome in outcomes:
            show(_as_text(outcome))
        counts = Counter(outcome.status for outcome in outcomes)
        found = ", ".join(f"{counts[status]:,} {status}" for status in ("imported", "partial", "refused"))
        show(f"{counted(len(outcomes), 'rule')}: {found}; {counted(len(sources), 'document')} in {folder}")
    if any(outcome.status != "imported" for outcome in outcomes):
        raise typer.Exit(ExitCode.FINDINGS)


def _as_text(outcome: "Outcome") -> str:
    lines = [f"{outcome.status:<9} {outcome.name}"]
    lines += [f"          {text}" for text in (outcome.reason, *outcome.notes) if text]
    return "\n".join(lines)


rules_import = group("Import rules of other systems.", sigma=import_sigma, falco=import_falco)
