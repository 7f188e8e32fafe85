"""Objects as files that DuckDB reads piece by piece, with the permissions, retries and counts of whoever reads them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

ReadRange = Callable[[str, int, int], bytes]
"""Reads the bytes of an object from one position on and before another."""

_BLOCK = 1 << 16
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class RangeFiles(AbstractFileSystem):  # type: ignore[misc]
    """Files of known sizes, by the keys of objects."""

    protocol: ClassVar[str] = "auditwire"
    cachable = False

    def __init__(self, sizes: Mapping[str, int], read: ReadRange) -> None:
        super().__init__()
        self._sizes = sizes
        self._read = read

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What is known of a file. Raises FileNotFoundError."""
        key = str(self._strip_protocol(path))
        if key not in self._sizes:
            raise FileNotFoundError(key)
        return {"name": key, "size": self._sizes[key], "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """The file of this name: keys are no patterns."""
        key = str(self._strip_protocol(path))
        return [key] if key in self._sizes else []

    def modified(self, path: str) -> datetime:
        """Always the same: no file is read by more than one question."""
        del path
        return _NEVER

    def _open(self, path: str, mode: str = "rb", **_: Any) -> "_RangeFile":
        return _RangeFile(self, path, mode=mode, block_size=_BLOCK, cache_type="none", size=self._sizes[path])

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """See ReadRange."""
        return self._read(path, start, end)


class _RangeFile(AbstractBufferedFile):  # type: ignore[misc]
    fs: RangeFiles

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self.fs.read_range(self.path, start, end)
