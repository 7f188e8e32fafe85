"""The first document of a policy file as YAML nodes. Kubernetes reads no other document."""

from contextlib import suppress
from typing import Any, Final

import orjson
import yaml

from auditwire.documents.diagnostics import Diagnostic, Severity
from auditwire.documents.document_source import MAX_ALIASES, MAX_DOCUMENT, MAX_NESTING, Report

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(Exception):
    """The file cannot be read as YAML or JSON. The report has the reason (AW301, AW313)."""


def compose_first(report: Report) -> yaml.Node | None:
    """The first document; None if it is empty. Raises UnreadableError after reporting why.

    Kubernetes reads a file that begins with a brace as JSON. What only YAML allows is an error in it.
    """
    text = report.source.text
    if len(text) > MAX_DOCUMENT:
        _refuse(report, f"the file has {len(text):,} characters, the limit is {MAX_DOCUMENT:,}")
    if text.lstrip().startswith("{"):
        _check_json(report, text)
        # YAML forbids tabs between the tokens of JSON. Inside strings they are always escaped.
        text = text.replace("\t", " ")
    try:
        _check_limits(report, text)
        loader = _Loader(text)
        try:
            return loader.get_node() if loader.check_node() else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part) or "not YAML"
        _fault(report, problem, *((mark.line + 1, mark.column + 1) if mark else (0, 0)))
    except (yaml.YAMLError, ValueError) as error:
        _fault(report, str(error).splitlines()[0], 0, 0)
    raise UnreadableError


def _check_json(report: Report, text: str) -> None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        _fault(report, f"the file begins with a brace, so it is read as JSON, but it is not JSON: {error.msg}",
               error.lineno, error.colno, "write YAML without the outer braces, or strict JSON")  # fmt: skip
        raise UnreadableError from None


def _check_limits(report: Report, text: str) -> None:
    """Refuses what would cost too much to compose, and notes documents after the first."""
    depth = aliases = 0
    events = yaml.parse(text, _Loader)
    for event in events:
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > MAX_NESTING:
            _refuse(report, f"the file nests deeper than {MAX_NESTING} levels")
        if aliases > MAX_ALIASES:
            _refuse(report, f"the file has more than {MAX_ALIASES} aliases")
    # The rest may be anything: Kubernetes never looks at it.
    with suppress(yaml.YAMLError):
        following = next(events, None)
        if isinstance(following, yaml.DocumentStartEvent) and following.start_mark is not None:
            _found(
                report,
                Severity.WARNING,
                "AW312",
                "only the first document of a policy file is read, so what follows here has no effect",
                "put all rules into the first document",
                (following.start_mark.line + 1, following.start_mark.column + 1),
            )


def _refuse(report: Report, message: str) -> None:
    report.at(None, "AW313", message, "a policy file needs far less; write it out flat")
    raise UnreadableError


def _fault(report: Report, problem: str, line: int, column: int, hint: str = "") -> None:
    _found(report, Severity.ERROR, "AW301", f"the file cannot be read: {problem}", hint, (line, column))


def _found(report: Report, severity: Severity, code: str, message: str, hint: str, place: tuple[int, int]) -> None:
    line, column = place
    source = report.lines[line - 1] if 0 < line <= len(report.lines) else ""
    if "\t" in source[: len(source) - len(source.lstrip())]:
        hint = hint or "indent with spaces: YAML allows no tabs"
    report.diagnostics.append(
        Diagnostic(
            code=code, severity=severity, message=message, hint=hint,
            path=report.source.path, line=line, column=column, source=source,
        )
    )  # fmt: skip
