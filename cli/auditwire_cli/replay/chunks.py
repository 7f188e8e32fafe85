"""Events in pieces that workers read: each piece is small to send, and is read by the process that judges it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auditwire.archive.errors import ArchiveError
from auditwire.archive.search import inflated
from auditwire_cli.errors import CommandError

MAX_LINE_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a file that begin within ``start`` and ``end``, in bytes."""

    path: Path
    start: int
    end: int

    def items(self) -> Iterator[bytes]:
        """The lines, without their ends."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.start - 1))
                if self.start:
                    # The line of the byte before this part belongs to the part before it, whole.
                    file.readline()
                while file.tell() < self.end and (line := file.readline(MAX_LINE_BYTES + 1)):
                    if len(line) > MAX_LINE_BYTES:
                        raise CommandError(f"{self.path}: a line is longer than {MAX_LINE_BYTES >> 20} MiB")
                    yield line
        except OSError as error:
            raise CommandError(f"cannot read {self.path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Items:
    """Events, or whole documents of them, one by one."""

    texts: list[bytes]

    def items(self) -> Iterator[bytes]:
        """The texts as they are."""
        return iter(self.texts)


@dataclass(frozen=True, slots=True)
class Packed:
    """Objects of the archive: where each is from, and its gzipped lines."""

    objects: list[tuple[str, bytes]]

    def items(self) -> Iterator[bytes]:
        """The lines of all objects. Raises CommandError for a damaged one."""
        for place, packed in self.objects:
            try:
                yield from inflated(packed, place).split(b"\n")
            except ArchiveError as error:
                raise CommandError(str(error)) from None


@dataclass(frozen=True, slots=True)
class PackedFiles:
    """Objects of a copy of the archive in a folder."""

    paths: list[Path]

    def items(self) -> Iterator[bytes]:
        """The lines of all files. Raises CommandError for one that is damaged or cannot be read."""
        for path in self.paths:
            try:
                content = path.read_bytes()
            except OSError as error:
                raise CommandError(f"cannot read {path}: {error.strerror}") from None
            yield from Packed([(str(path), content)]).items()


Chunk = Part | Items | Packed | PackedFiles


@dataclass(frozen=True, slots=True)
class Sized:
    """A chunk, and how much of the whole it is, in the unit of the progress."""

    chunk: Chunk
    size: int
    text: str = ""
