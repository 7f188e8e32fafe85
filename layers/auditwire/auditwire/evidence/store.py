"""Where evidence lies: what sealing and verifying ask of a bucket, or of a copy of it, and one in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from auditwire.evidence.errors import NotThereError


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing names it. ``modified`` is when it arrived; None where nobody knows."""

    key: str
    size: int
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Folders:
    """What stands below a prefix: the prefixes one level down, and the objects that are in none of them."""

    prefixes: list[str]
    objects: list[Listed]


class Reader(Protocol):
    """Reading evidence. Everything raises EvidenceError for what cannot be read."""

    bucket: str
    """The bucket's name; empty where nobody knows."""

    def listing(self, prefix: str) -> Iterator[Listed]:
        """The objects whose keys begin so, in order of their keys."""

    def folders(self, prefix: str) -> Folders:
        """What stands one level below a prefix that ends in a slash."""

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of an object, piece by piece. Raises NotThereError."""

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """The bytes of an object from one position on and before another. Raises NotThereError."""

    def name(self, key: str) -> str:
        """What messages call an object."""

    def checksum(self, key: str) -> str | None:
        """The SHA-256 in hex that the store worked out of an object's bytes when they came; None where it has none.
        Raises NotThereError."""


class Writer(Reader, Protocol):
    """Reading evidence and adding to it."""

    def put_new(self, key: str, content: bytes, retain_until: datetime | None) -> bool:
        """Puts an object where none is; False where there is one, which stays. It cannot be removed before
        ``retain_until``, if that is given. Raises EvidenceError."""

    def put(self, key: str, content: bytes) -> None:
        """Puts an object that is no evidence, whatever is there. Raises EvidenceError."""

    def keys_ever(self, prefix: str) -> Iterator[str]:
        """The keys of all objects that there are or once were, as far as the store remembers."""


def read_whole(reader: Reader, key: str) -> bytes:
    """All bytes of an object. Raises NotThereError and EvidenceError."""
    return b"".join(reader.read(key))


@dataclass(slots=True)
class MemoryStore:
    """Evidence in memory, for tests and for trying things. ``clock`` says when something arrives."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    bucket: str = "memory"
    objects: dict[str, bytes] = field(default_factory=dict)
    modified: dict[str, datetime] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    retained: dict[str, datetime | None] = field(default_factory=dict)

    def listing(self, prefix: str) -> Iterator[Listed]:
        """See Reader.listing."""
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield Listed(key, len(self.objects[key]), self.modified[key])

    def folders(self, prefix: str) -> Folders:
        """See Reader.folders."""
        return folders_of(self.listing(prefix), prefix)

    def read(self, key: str) -> Iterator[bytes]:
        """See Reader.read."""
        if key not in self.objects:
            raise NotThereError(key)
        yield self.objects[key]

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """See Reader.read_range."""
        return read_whole(self, key)[start:end]

    def name(self, key: str) -> str:
        """See Reader.name."""
        return key

    def checksum(self, key: str) -> str | None:
        """See Reader.checksum."""
        return sha256(read_whole(self, key)).hexdigest()

    def put_new(self, key: str, content: bytes, retain_until: datetime | None) -> bool:
        """See Writer.put_new."""
        if key in self.objects:
            return False
        self.put(key, content)
        self.retained[key] = retain_until
        return True

    def keys_ever(self, prefix: str) -> Iterator[str]:
        """See Writer.keys_ever."""
        return (key for key in sorted(self.ever) if key.startswith(prefix))

    def put(self, key: str, content: bytes) -> None:
        """Puts an object, whatever is there."""
        self.objects[key] = content
        self.modified[key] = self.clock().replace(microsecond=0)
        self.ever.add(key)


def folders_of(objects: Iterable[Listed], prefix: str) -> Folders:
    """What stands one level below a prefix, of all objects below it."""
    prefixes: dict[str, None] = {}
    loose = []
    for each in objects:
        head, slash, _ = each.key.removeprefix(prefix).partition("/")
        if slash:
            prefixes[f"{prefix}{head}/"] = None
        else:
            loose.append(each)
    return Folders(list(prefixes), loose)
