"""Evidence in a folder: a copy of the archive bucket, as ``aws s3 sync`` makes it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from auditwire.evidence.errors import EvidenceError, NotThereError
from auditwire.evidence.store import Folders, Listed

_CHUNK: Final = 1 << 20


class FolderReader:
    """A Reader of one folder, whose files are named as the objects were. When they arrived it does not know: the time
    of a file is anybody's to set."""

    bucket = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listing(self, prefix: str) -> Iterator[Listed]:
        """See Reader.listing."""
        parent, _, start = prefix.rpartition("/")
        yield from self._below(str(self._folder / parent), f"{parent}/" if parent else "", start)

    def folders(self, prefix: str) -> Folders:
        """See Reader.folders."""
        found = Folders([], [])
        for entry, is_folder in self._entries(str(self._folder / prefix)):
            if is_folder:
                found.prefixes.append(f"{prefix}{entry.name}/")
            else:
                found.objects.append(self._listed(entry, f"{prefix}{entry.name}"))
        return found

    def read(self, key: str) -> Iterator[bytes]:
        """See Reader.read."""
        with self._opened(key) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """See Reader.read_range."""
        with self._opened(key) as file:
            file.seek(start)
            return file.read(end - start)

    @contextmanager
    def _opened(self, key: str) -> Iterator[IO[bytes]]:
        if not {"", ".", ".."}.isdisjoint(key.split("/")):
            raise NotThereError(f"{key}: is no name of a file below {self._folder}")
        try:
            with (self._folder / key).open("rb") as file:
                yield file
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError):
            raise NotThereError(f"{self._folder / key}: is not there") from None
        except OSError as error:
            raise self._failure(self._folder / key, error) from error

    def name(self, key: str) -> str:
        """See Reader.name."""
        return str(self._folder / key)

    def checksum(self, key: str) -> str | None:
        """See Reader.checksum: a folder has none."""
        del key
        return None

    def _below(self, folder: str, prefix: str, start: str = "") -> Iterator[Listed]:
        for entry, is_folder in self._entries(folder):
            if not entry.name.startswith(start):
                continue
            if is_folder:
                yield from self._below(entry.path, f"{prefix}{entry.name}/")
            else:
                yield self._listed(entry, f"{prefix}{entry.name}")

    def _entries(self, folder: str) -> list[tuple[os.DirEntry[str], bool]]:
        """What is in a folder, in the order of keys: a folder's name ends in a slash there."""
        try:
            with os.scandir(folder) as entries:
                found = [(entry, entry.is_dir()) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._failure(folder, error) from error
        return sorted(found, key=lambda one: f"{one[0].name}/" if one[1] else one[0].name)

    def _listed(self, entry: os.DirEntry[str], key: str) -> Listed:
        try:
            return Listed(key, entry.stat().st_size, None)
        except OSError as error:
            raise self._failure(entry.path, error) from error

    def _failure(self, path: Path | str, error: OSError) -> EvidenceError:
        return EvidenceError(f"{path}: could not be read: {error.strerror}")
