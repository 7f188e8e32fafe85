"""How commands are grouped, and how every one of them ends."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.terminal.output import tell

# Files that a command writes are named where that fails, so without a name it is what was printed.
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


class Application(TyperGroup):
    """Ends every command with one sentence on standard error, never with a traceback, for what its user can mend.

    That is a CommandError, Ctrl-C, and whatever the operating system refuses, such as writing to a full disk.
    """

    def main(self, *arguments: Any, **more: Any) -> Any:
        _make_streams_safe()
        try:
            try:
                return super().main(*arguments, **more)
            finally:
                # Here, where a full disk can still be reported; the interpreter could only print a traceback.
                sys.stdout.flush()
        except OSError as error:
            _end(error)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            tell(error.as_text())
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            tell("auditwire: interrupted")
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def group(text: str, /, **commands: Callable[..., None]) -> typer.Typer:
    """A group of commands by their names; ``text`` is its help."""
    made = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
    for name, command in commands.items():
        made.command(name)(command)
    return made


def _make_streams_safe() -> None:
    """A closed stream is like /dev/null; what a terminal cannot show, and bytes of file names that are not UTF-8, are
    escaped."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end(error: OSError) -> NoReturn:
    """Exit with the sentence of an error of the operating system."""
    where = error.filename or ("standard output" if error.errno in _OF_WRITING else "")
    with suppress(OSError):
        if error.errno != errno.EPIPE:  # nobody reads on, which is not a fault
            tell(f"auditwire: {where + ': ' if where else ''}{error.strerror or error}")
    for stream in (sys.stdout, sys.stderr):
        if not _is_writable(stream):
            # What is left in its buffer can never be written, and the interpreter would try once more at its end.
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
    sys.exit(ExitCode.FINDINGS)


def _is_writable(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        return False
    return True
