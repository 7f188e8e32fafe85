"""Where archived objects lie, as far as searching them is concerned: a bucket, a copy of one in a folder, or memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol


class Listed(Protocol):
    """An object as a listing names it. ``modified`` is when it arrived; None where nobody knows."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modified(self) -> datetime | None: ...


class Folders(Protocol):
    """The prefixes one level below a prefix."""

    @property
    def prefixes(self) -> Sequence[str]: ...


class Objects(Protocol):
    """Reading objects. A store of evidence is one."""

    def listing(self, prefix: str) -> Iterator[Listed]:
        """The objects whose keys begin so, in order of their keys."""

    def folders(self, prefix: str) -> Folders:
        """What stands one level below a prefix that ends in a slash."""

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of an object, piece by piece."""

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """The bytes of an object from one position on and before another."""

    def name(self, key: str) -> str:
        """What messages call an object."""
