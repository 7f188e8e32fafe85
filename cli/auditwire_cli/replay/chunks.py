"""Events in pieces that workers read: each piece is small to send, and is read by the process that judges it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auditwire.archive.errors import UnreadableError
from auditwire.archive.stored_lines import inflated_blocks
from auditwire_cli.errors import CommandError

MAX_LINE_BYTES: Final = 256 << 20

Unreadable = Callable[[str], None]
"""Called with a sentence about each stored object that cannot be read, whole or in part."""


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a file that begin within ``start`` and ``end``, in bytes."""

    path: Path
    start: int
    end: int

    def items(self, unreadable: Unreadable) -> Iterator[bytes]:
        """The lines with their ends. Raises CommandError for a file that cannot be read."""
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

    def items(self, unreadable: Unreadable) -> Iterator[bytes]:
        """The texts as they are."""
        return iter(self.texts)


@dataclass(frozen=True, slots=True)
class Packed:
    """Objects of the archive: where each is from, and its gzipped lines."""

    objects: list[tuple[str, bytes]]

    def items(self, unreadable: Unreadable) -> Iterator[bytes]:
        """The lines of all objects, of a damaged one as many as can be read."""
        for place, packed in self.objects:
            try:
                for block in inflated_blocks([packed], place):
                    yield from block.split(b"\n")
            except UnreadableError as error:
                unreadable(str(error))


@dataclass(frozen=True, slots=True)
class PackedFiles:
    """Objects of a copy of the archive in a folder."""

    paths: list[Path]

    def items(self, unreadable: Unreadable) -> Iterator[bytes]:
        """The lines of all files, of a damaged one as many as can be read."""
        for path in self.paths:
            try:
                content = path.read_bytes()
            except OSError as error:
                unreadable(f"{path}: could not be read: {error.strerror}")
                continue
            yield from Packed([(str(path), content)]).items(unreadable)


Chunk = Part | Items | Packed | PackedFiles


@dataclass(frozen=True, slots=True)
class Sized:
    """A chunk, and how much of the whole it is, in the unit of the progress."""

    chunk: Chunk
    size: int
    text: str = ""
