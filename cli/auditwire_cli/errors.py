"""What can go wrong for somebody at the command line.

CommandError        one sentence and what to do about it; exit 1
└── CallError       the command was called in a way that cannot work; exit 2
"""

from typing import ClassVar


class CommandError(Exception):
    """Ends a command with one sentence for its user, a hint what to do, and exit code 1."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_text(self) -> str:
        """The message and, on a line of its own, the hint."""
        return f"auditwire: {self.message}" + (f"\n  hint: {self.hint}" if self.hint else "")


class CallError(CommandError):
    """An argument or option that cannot be right; exit code 2."""

    exit_code: ClassVar[int] = 2
