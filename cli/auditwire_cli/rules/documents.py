"""Rule documents in files, as commands read them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_file

if TYPE_CHECKING:
    from auditwire.rules import Source


def document_files(paths: Iterable[Path]) -> list[Path]:
    """The files at these paths, of folders all documents in them; each file once.

    Raises UsageError for a path that does not exist, and for a folder without documents.
    """
    from auditwire.rules import rule_files

    files: dict[Path, None] = {}
    for path in paths:
        found = rule_files(path) if path.is_dir() else [path]
        if not found:
            raise UsageError(f"there are no rule documents in {path}", "their names end in .yaml or .yml")
        if not path.exists():
            raise UsageError(f"cannot read {path}: No such file or directory")
        files |= dict.fromkeys(found)
    return list(files)


def read_documents(paths: Iterable[Path]) -> "list[Source]":
    """The documents at these paths, and the tests beside them: loading leaves those out, but finds a document that
    hides among them.

    Raises UsageError for what is missing, unreadable, too large, or a folder without any document.
    """
    paths = list(paths)
    return read_files(document_files(paths)) + read_tests(paths)


def read_tests(paths: Iterable[Path]) -> "list[Source]":
    """The tests of rules in the folders among these paths. Raises UsageError for what is unreadable or too large."""
    from auditwire.rules import rule_test_files

    return read_files(file for path in paths if path.is_dir() for file in rule_test_files(path))


def read_files(files: Iterable[Path]) -> "list[Source]":
    """The text of each file. Raises UsageError for what is missing, unreadable or too large."""
    from auditwire.rules import Source

    # Bytes that are not UTF-8 become U+FFFD, and are a finding when the document is loaded.
    return [Source(str(file), read_file(file).decode(errors="replace")) for file in files]


def short(digest: str) -> str:
    """The beginning of a digest, as people see it: long enough to be unique, and accepted wherever a digest is."""
    return digest[:12]
