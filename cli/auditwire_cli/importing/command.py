"""``auditwire rules import``: rules of Sigma, Falco and KubeSphere as documents of ours."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.groups import group
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.documents.source import Source
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


def import_kubesphere(files: Files, *, out: Out, force: Force = False, output: Format = Output.TEXT) -> None:
    """Import documents of KubeSphere.

    These are Rule and Webhook documents of KubeSphere 3, also in a List as kubectl get -o yaml prints it, and the
    ClusterRuleGroup of KubeSphere 4. What an API server added to them is left out. Each document keeps its name, and
    says that its conditions are read as KubeSphere reads them.

    JSON is a list with an object for each rule, in order: source, rule, status, reason, rules and notes.

    \b
    Exit codes: 0 all imported, 1 some refused (the others are written), 2 wrong usage.

    \b
    Examples:
      kubectl get rules.auditing.kubesphere.io -o yaml > list.yaml
      auditwire rules import kubesphere list.yaml --out rules.kubesphere
    """
    from auditwire_cli.importing.documents import prepared_folder, source_files
    from auditwire_cli.importing.kubesphere import import_kubesphere as imported

    folder = prepared_folder(out, force=force)
    outcomes, sources = imported(source_files(files))
    _show(outcomes, sources, folder, output)


def export_kubesphere(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders of rules, or rule documents.")],
    *,
    out: Out,
    force: Force = False,
    output: Format = Output.TEXT,
) -> None:
    """Write the rules that KubeSphere can say too.

    Macros, lists and aliases are put into the conditions, with every parenthesis, so that KubeSphere reads them as they
    are read here. What only auditwire understands is refused, with the word. JSON is as that of an import.

    \b
    Exit codes: 0 all written, 1 some refused (the others are written), or the rules have errors, 2 wrong usage.

    \b
    Examples:
      auditwire rules export kubesphere rules --out kubesphere
      kubectl apply -f kubesphere
    """
    from auditwire.rules import load_sources
    from auditwire_cli.importing.documents import prepared_folder
    from auditwire_cli.importing.kubesphere import export_kubesphere as exported
    from auditwire_cli.rules.documents import read_documents

    folder = prepared_folder(out, force=force)
    loaded = load_sources(read_documents(paths))
    if loaded.rule_set is None:
        raise CommandError("the rules have errors, so nothing was written", "see `auditwire rules check`")
    outcomes, sources = exported(loaded.rule_set)
    _show(outcomes, sources, folder, output)


def _finish(outcomes: "Sequence[Outcome]", folder: Path, origin: str, output: Output) -> None:
    from auditwire_cli.importing.documents import documents_of

    _show(outcomes, documents_of(outcomes, origin), folder, output)


def _show(outcomes: "Sequence[Outcome]", sources: "Sequence[Source]", folder: Path, output: Output) -> None:
    """Write the documents, and say what became of each rule. Raises typer.Exit(1) if not all were imported."""
    from auditwire_cli.importing.documents import write_documents

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


rules_import = group(
    "Import rules of other systems.", sigma=import_sigma, falco=import_falco, kubesphere=import_kubesphere
)
rules_export = group("Write rules for other systems.", kubesphere=export_kubesphere)
