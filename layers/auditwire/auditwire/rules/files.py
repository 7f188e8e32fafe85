"""Rule documents as files: which files of a folder count, and where the default documents are."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from auditwire.documents.source import Source, is_test_file

_SUFFIXES: Final = (".yaml", ".yml")


def read_sources(paths: Iterable[Path]) -> list[Source]:
    """The sources of files and folders, tests of rules among them. Bytes that are not UTF-8 become U+FFFD, which is
    reported when loading."""
    files: list[Path] = []
    for path in paths:
        files += [*rule_files(path), *rule_test_files(path)] if path.is_dir() else [path]
    return [Source(str(file), file.read_bytes().decode(errors="replace")) for file in files]


def rule_files(folder: Path) -> list[Path]:
    """All ``*.yaml`` and ``*.yml`` files below a folder, by path. Left out are hidden files and folders, and the tests
    of rules (``rule_test_files``)."""
    return [file for file in _yaml_files(folder) if not is_test_file(file.name)]


def rule_test_files(folder: Path) -> list[Path]:
    """All ``*.test.yaml`` and ``*.test.yml`` files below a folder, by path. Hidden files and folders are left out."""
    return [file for file in _yaml_files(folder) if is_test_file(file.name)]


def default_rules() -> list[Source]:
    """The default documents, by their paths in their folder: those packed into the layer, or else those of the
    repository."""
    packed = Path(__file__).parent.parent / "default_rules"
    folder = packed if packed.is_dir() else Path(__file__).parents[4] / "rules"
    return [Source(file.relative_to(folder).as_posix(), file.read_text("utf-8")) for file in rule_files(folder)]


def _yaml_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix in _SUFFIXES and not is_hidden and file.is_file():
            yield file
