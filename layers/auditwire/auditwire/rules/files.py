"""Rule documents as files: which files of a folder count, and where the default documents are."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from auditwire.documents.source import Source

_SUFFIXES: Final = (".yaml", ".yml")


def read_sources(paths: Iterable[Path]) -> list[Source]:
    """The sources of files and folders. Bytes that are not UTF-8 become U+FFFD, which is reported when loading."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += rule_files(path)
        else:
            files.append(path)
    return [Source(str(file), file.read_bytes().decode(errors="replace")) for file in files]


def rule_files(folder: Path) -> list[Path]:
    """All ``*.yaml`` and ``*.yml`` files below a folder, by path. Hidden files and folders are left out."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix in _SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def default_rules() -> list[Source]:
    """The default documents: those packed into the layer, or else those of the repository."""
    packed = Path(__file__).parent.parent / "default_rules"
    folder = packed if packed.is_dir() else Path(__file__).parents[4] / "rules"
    return [Source(Path(source.path).name, source.text) for source in read_sources([folder])]
