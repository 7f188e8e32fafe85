"""What a user is told about a document: a code, a place, one sentence, one hint.

Findings are values that are collected, never raised one by one, so that one check reports everything at once.
Codes are stable: AW1xx language, AW2xx documents, AW3xx policy, AW4xx bundle.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error refuses the document, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. Lines and columns count from 1; 0 means the finding has no place of its own."""

    code: str
    severity: Severity
    message: str
    hint: str = ""
    path: str = ""
    line: int = 0
    column: int = 0
    rule: str = ""
    source: str = ""
    """The source line the finding points at, without its line end; shown under the message with a caret."""

    @property
    def is_error(self) -> bool:
        """Whether this finding alone refuses the document."""
        return self.severity is Severity.ERROR

    def as_json(self) -> dict[str, str | int]:
        """The finding as the command line prints it with ``--format json``."""
        fields = asdict(self)
        del fields["source"]
        return {**fields, "severity": str(self.severity)}

    def as_text(self) -> str:
        """The finding for people: ``path:line:column: severity CODE: message``, the source line, the hint."""
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        lines = [f"{place + ': ' if place else ''}{self.severity} {self.code}: {self.message}"]
        if self.source and self.column:
            # Tabs stay tabs in the padding, so that the caret stands under its character.
            before = self.source[: self.column - 1]
            padding = "".join("\t" if character == "\t" else " " for character in before)
            lines += [f"    {self.source}", f"    {padding}^"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of these findings refuses the document."""
    return any(diagnostic.is_error for diagnostic in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings as a reader meets them: by path, line, column, code."""
    return sorted(diagnostics, key=lambda found: (found.path, found.line, found.column, found.code))
