"""``auditwire policy check``: what kube-apiserver does with a policy file, and what its author hardly meant."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.documents.diagnostics import Diagnostic, Severity, has_errors
from auditwire_cli.errors import CallError
from auditwire_cli.output import Output

if TYPE_CHECKING:
    from auditwire.documents.source import Source
    from auditwire.policy import LoadedPolicy

_OUTCOMES = {
    "ok": "kube-apiserver takes it",
    "warning": "kube-apiserver takes it and ignores what it does not know",
    "error": "kube-apiserver would not start",
}


def policy_check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Policies of audit.k8s.io/v1.")],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail the check too.")] = False,
    output: Annotated[Output, typer.Option("--format", help="For people, or a JSON array for scripts.")] = Output.TEXT,
) -> None:
    """Say what is wrong with audit policies.

    What keeps kube-apiserver from starting, keys it silently ignores and what the rule therefore matches, rules that
    are never reached or change nothing, names that match nothing, and Secrets recorded with their values. JSON has
    the members code, severity, path, line, column, rule, message and hint.

    \b
    Exit codes: 0 clean, 1 errors were found (with --strict warnings too), 2 the call was wrong.

    \b
    Examples:
      auditwire policy check rules/policy.yaml
      auditwire policy check --strict --format json audit-policy.yaml
    """
    from auditwire.policy import check_policy

    checked = [(source, check_policy(source)) for source in map(source_of, files)]
    found = [diagnostic for _, loaded in checked for diagnostic in loaded.diagnostics]
    if output is Output.JSON:
        print(json.dumps([diagnostic.as_json() for diagnostic in found], ensure_ascii=False))
    else:
        for source, loaded in checked:
            _print(source, loaded)
    if has_errors(found) or (strict and _of(found, Severity.WARNING)):
        raise typer.Exit(1)


def source_of(file: Path) -> "Source":
    """A policy file. Raises CallError when it cannot be read."""
    from auditwire.documents.source import Source

    try:
        return Source(str(file), file.read_bytes().decode(errors="replace"))
    except OSError as error:
        raise CallError(f"cannot read {file}: {error.strerror}") from None


def _print(source: "Source", loaded: "LoadedPolicy") -> None:
    for diagnostic in loaded.diagnostics:
        print(diagnostic.as_text())
    errors, warnings = _of(loaded.diagnostics, Severity.ERROR), _of(loaded.diagnostics, Severity.WARNING)
    found = f"{_counted(errors, 'error')} and {_counted(warnings, 'warning')}" if errors or warnings else "no findings"
    rules = _counted(len(loaded.policy.rules), "rule") + ": " if loaded.policy else ""
    print(f"{source.path}: {rules}{found}; {_OUTCOMES[loaded.load]}")


def _of(diagnostics: Iterable[Diagnostic], severity: Severity) -> int:
    return sum(1 for found in diagnostics if found.severity is severity)


def _counted(count: int, what: str) -> str:
    return f"{count} {what if count == 1 else what + 's'}"
