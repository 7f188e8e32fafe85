"""What goes wrong with conditions.

    Exception
    ├── ConditionError      the text cannot be a condition: raised when compiling, carries every finding
    └── EvaluationError     the condition met a value it cannot judge: raised when evaluating one event
        └── UnexpectedTypeError     generated code leaves a value to the reference evaluator: stays inside the library

A rule whose evaluation raises does not match that event; the batch goes on.
"""

from dataclasses import dataclass

from auditwire.documents.diagnostics import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding inside one text. ``offset`` counts characters from 0; whoever knows the file makes a place of it."""

    code: str
    message: str
    hint: str = ""
    offset: int = 0
    severity: Severity = Severity.ERROR

    def in_text(self, text: str) -> Diagnostic:
        """The finding as a diagnostic of a text that stands alone, without a file around it."""
        before = text[: self.offset]
        line = before.count("\n") + 1
        column = self.offset - (before.rfind("\n") + 1) + 1
        source = text.split("\n")[line - 1]
        return Diagnostic(
            code=self.code, severity=self.severity, message=self.message, hint=self.hint,
            line=line, column=column, source=source,
        )  # fmt: skip


class ConditionError(Exception):
    """A condition that cannot be compiled. ``diagnostics`` holds every finding, errors and warnings."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("\n".join(found.as_text() for found in diagnostics))
        self.diagnostics = diagnostics

    def __reduce__(self) -> tuple[type["ConditionError"], tuple[list[Diagnostic]]]:
        return type(self), (self.diagnostics,)


class EvaluationError(Exception):
    """A value a condition cannot judge: a text compared with a number, an index on something that is no array."""


class UnexpectedTypeError(EvaluationError):
    """Generated code met a value of a type its field never has; the reference evaluator can still judge it."""
