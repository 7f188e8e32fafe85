"""How commands end: their exit codes, and the errors that a user sees.

CommandError        one sentence, and what to do about it; exit code 1
└── UsageError      an argument or option that cannot work; exit code 2
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FINDINGS = 1
    """The command found something, or could not do all that it was asked to do."""
    USAGE = 2
    INCOMPLETE = 3
    """Nothing is wrong so far, but the answer is not complete."""
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends a command with one sentence for its user, a hint about what to do, and an exit code."""

    exit_code: ClassVar[ExitCode] = ExitCode.FINDINGS

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_text(self) -> str:
        """The message and, on its own line, the hint."""
        return f"auditwire: {self.message}" + (f"\n  hint: {self.hint}" if self.hint else "")


class UsageError(CommandError):
    """The command was called in a way that cannot work."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
