"""``auditwire policy check``: what kube-apiserver makes of a policy file, and what its author hardly meant."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.files import read_file
from auditwire_cli.findings import Strict, exit_by, findings_text
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json

if TYPE_CHECKING:
    from auditwire.documents.source import Source
    from auditwire.policy import LoadedPolicy

_OUTCOMES = {
    "ok": "kube-apiserver accepts it",
    "warning": "kube-apiserver accepts it and ignores what it does not know",
    "error": "kube-apiserver would not start",
}


def policy_check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Policies of audit.k8s.io/v1.")],
    *,
    strict: Strict = False,
    output: Format = Output.TEXT,
) -> None:
    """Check audit policies.

    The findings are: what keeps kube-apiserver from starting, keys that it silently ignores and what the rule
    therefore matches, rules that are never reached or change nothing, names that match nothing, and Secrets recorded
    with their values. JSON is an array of objects with the members code, severity, path, line, column, rule, message
    and hint.

    \b
    Exit codes: 0 no errors, 1 errors (with --strict also warnings), 2 wrong usage.

    \b
    Examples:
      auditwire policy check rules/policy.yaml
      auditwire policy check --strict --format json audit-policy.yaml
    """
    from auditwire.policy import check_policy

    checked = [(source, check_policy(source)) for source in map(source_of, files)]
    findings = [found for _, loaded in checked for found in loaded.diagnostics]
    if output is Output.JSON:
        show_json([found.as_json() for found in findings])
    else:
        for source, loaded in checked:
            _show(source, loaded)
    exit_by(findings, strict=strict)


def source_of(file: Path) -> "Source":
    """A policy file. Raises UsageError when it cannot be read."""
    from auditwire.documents.source import Source

    return Source(str(file), read_file(file).decode(errors="replace"))


def _show(source: "Source", loaded: "LoadedPolicy") -> None:
    for found in loaded.diagnostics:
        show(found.as_text())
    rules = counted(len(loaded.policy.rules), "rule") + ": " if loaded.policy else ""
    show(f"{source.path}: {rules}{findings_text(loaded.diagnostics)}; {_OUTCOMES[loaded.load]}")
