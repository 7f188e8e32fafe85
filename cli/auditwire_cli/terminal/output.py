"""What a command prints: results on standard output, everything else on standard error."""

import json
import shutil
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from auditwire_cli.errors import UsageError
from auditwire_cli.terminal.escaping import printable, printable_block, printable_json


class Output(StrEnum):
    """Text for people, or JSON for scripts."""

    TEXT = "text"
    JSON = "json"


Format = Annotated[Output, typer.Option("--format", help="Text for people, or JSON for scripts.")]


def show(text: str) -> None:
    """Print a result for people. What is not safe to print is escaped; line breaks and tabs stay."""
    sys.stdout.write(printable_block(text) + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Print a remark beside the result, on standard error, made safe in the same way."""
    sys.stderr.write(printable_block(text) + "\n")
    sys.stderr.flush()


def show_json(value: Any, *, indent: int | None = None) -> None:
    """Print a result for scripts: one JSON value, on one line unless ``indent`` is given."""
    _write_json(json.dumps(value, ensure_ascii=not _is_unicode(), indent=indent))


def show_json_line(line: bytes) -> None:
    """Print a line that is JSON already: byte for byte, but on a terminal with escapes for what is not safe there."""
    if sys.stdout.isatty():
        text = line.decode(errors="backslashreplace")
        _write_json(text if _is_unicode() else json.dumps(json.loads(text)))
    else:
        sys.stdout.buffer.write(line + b"\n")


def _write_json(text: str) -> None:
    sys.stdout.write((printable_json(text) if sys.stdout.isatty() else text) + "\n")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost; ``yes`` answers beforehand.

    Ends the command for any other answer. Raises UsageError where nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody can answer: {question}", "give --yes")
    typer.confirm(printable(question), abort=True, err=True)


def terminal_width() -> int | None:
    """How many columns the terminal has, None where standard output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def counted(count: int, one: str, many: str = "") -> str:
    """``1 rule``, ``2,000 rules``; ``many`` is for plurals that do not end in s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
