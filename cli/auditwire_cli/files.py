"""Files that commands read whole, and files with a credential in them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.terminal.output import tell

MAX_FILE_BYTES = 64 << 20
"""More than any document, policy or credential has; a device such as /dev/zero never ends."""


def read_file(path: Path, what: str = "") -> bytes:
    """The content of a file, a pipe or a device; ``what`` is what messages call it, such as ``the state file``.

    Raises UsageError for what cannot be read, and for more than MAX_FILE_BYTES.
    """
    name = f"{what} {path}".lstrip()
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{name} is too large", f"a file of at most {MAX_FILE_BYTES >> 20} MiB is expected")
    return content


def read_text(path: Path, what: str = "") -> str:
    """The text of a UTF-8 file. Raises UsageError as ``read_file`` does, and for other bytes."""
    try:
        return read_file(path, what).decode()
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {f'{what} {path}'.lstrip()}: it is not UTF-8 text") from None


def lines_of(name: str) -> Iterator[bytes]:
    """The lines of a file, or of standard input for ``-``, each with its end, read as they are needed.

    Raises UsageError for a file that cannot be read, and for a line of more than MAX_FILE_BYTES.
    """
    if name == "-":
        yield from _bounded_lines(sys.stdin.buffer, "standard input")
        return
    try:
        with Path(name).open("rb") as file:
            yield from _bounded_lines(file, name)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None


def _bounded_lines(stream: IO[bytes], name: str) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(MAX_FILE_BYTES + 1):
        number += 1
        if len(line) > MAX_FILE_BYTES:
            raise UsageError(f"{name}:{number}: the line is too long", f"it has more than {MAX_FILE_BYTES >> 20} MiB")
        yield line


def write_private(file: Path, text: str) -> None:
    """Write a new file that only its owner can read, and keep it out of git.

    Raises CommandError where that fails, and then leaves no file. An existing file is never touched.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{file} exists", "give another --output") from None
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise CommandError(f"cannot write {file}: {error.strerror}") from None
    keep_out_of_git(file)


def keep_out_of_git(file: Path) -> None:
    """Where git would take this file, add it to the excludes of that clone, and say so.

    Does nothing outside a clone, for a file that is ignored already, and where there is no git. No tracked file is
    changed: the excludes are in the folder .git.
    """
    folder, name = file.resolve().parent, file.name
    if _git(folder, "check-ignore", "--quiet", "--", f"./{name}") != (1, ""):
        return
    found, answer = _git(folder, "rev-parse", "--show-prefix", "--path-format=absolute", "--git-path", "info/exclude")
    if found != 0 or answer.count("\n") != 2:
        return
    prefix, excludes = answer.split("\n")[:2]
    try:
        path = Path(excludes)
        path.parent.mkdir(exist_ok=True)
        before = path.read_bytes() if path.exists() else b""
        line = f"/{_as_pattern(prefix + name)}\n".encode()
        with path.open("ab") as opened:
            opened.write(line if before.endswith(b"\n") or not before else b"\n" + line)
    except OSError:
        tell(f"auditwire: git does not ignore {file}, and there is a credential in it: do not commit it")
        return
    tell(f"git ignores {file} from now on: it was added to .git/info/exclude")


def _as_pattern(path: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\*?[ " else sign for sign in path)


def _git(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the answer of git, (-1, "") where there is none."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and the name of a file behind --
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            cwd=folder, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return -1, ""
    return done.returncode, done.stdout
