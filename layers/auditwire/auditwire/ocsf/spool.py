"""Objects held on disk, as they were stored, until they are exported."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple


class _Spooled(NamedTuple):
    offset: int
    length: int


class Spool:
    """The stored bytes of objects, one behind the other in a file of ``folder``, of at most ``most`` bytes."""

    def __init__(self, folder: Path, most: int) -> None:
        self._file: IO[bytes] = (folder / "spool").open("w+b")
        self._most = most
        self._objects: dict[str, _Spooled] = {}
        self._end = 0

    def close(self) -> None:
        """Forgets everything."""
        self._file.close()

    def add(self, key: str, stored: bytes) -> bool:
        """Takes an object; False if there is no room for it."""
        if self._end + len(stored) > self._most:
            return False
        self._file.seek(self._end)
        self._file.write(stored)
        self._objects[key] = _Spooled(self._end, len(stored))
        self._end += len(stored)
        return True

    def get(self, key: str) -> bytes | None:
        """The stored bytes of an object; None if it was not taken, or is forgotten."""
        spooled = self._objects.get(key)
        if spooled is None:
            return None
        self._file.seek(spooled.offset)
        return self._file.read(spooled.length)

    def keep(self, keys: Iterable[str]) -> None:
        """Forgets all objects but these."""
        kept = set(keys)
        self._objects = {key: one for key, one in self._objects.items() if key in kept}
        self._end = max((one.offset + one.length for one in self._objects.values()), default=0)
        self._file.truncate(self._end)
