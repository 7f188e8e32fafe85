"""What a file of the index says of itself: which objects its rows are of.

An object is in the index if a file names it as it is listed now. Any other is scanned: one that came later, one that
was replaced, one that nobody could read.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from auditwire.search.objects import Archived

INDEX: Final = "index/"
"""The start of the keys of all files of the index."""

NOTE: Final = "auditwire"
"""The key of the note in a file's metadata."""

_VERSION: Final = 1
_KEY: Final = re.compile(r"index/(cluster=[a-z0-9-]{1,63}/date=[0-9-]{10}/hour=[0-9]{2}/)[0-9a-f]{64}\.parquet")


class Indexed(msgspec.Struct, frozen=True, array_like=True):
    """An object in the index: the end of its key, its size, when it arrived (seconds since 1970; 0 if nobody knows),
    and how many rows it has."""

    name: str
    size: int
    modified: int
    events: int


class Note(msgspec.Struct, frozen=True):
    """What a file says of itself. ``place`` is where its objects lie: ``cluster=C/date=D/hour=H/``."""

    place: str
    objects: tuple[Indexed, ...]
    version: int = _VERSION


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file of the index: its key, its size, and the keys of the objects that it names as they are listed now."""

    key: str
    size: int
    objects: frozenset[str]
    is_whole: bool
    """Whether these are all objects that it has rows of."""


def place_of(key: str) -> str:
    """Where an object of events or a file of the index lies, without the first part of its key and its name."""
    return key.partition("/")[2].rpartition("/")[0] + "/"


def indexed(key: str, size: int, modified: datetime | None, events: int) -> Indexed:
    """What a note says of an object."""
    return Indexed(key.rpartition("/")[2], size, _seconds(modified), events)


def encode_note(place: str, objects: Iterable[Indexed]) -> str:
    """The note of a file, as text."""
    return msgspec.json.encode(Note(place, tuple(sorted(objects, key=lambda one: one.name)))).decode()


def index_key(place: str, note: str) -> str:
    """The key of a file: the same for the same objects, so that building it again replaces it."""
    return f"{INDEX}{place}{hashlib.sha256(note.encode()).hexdigest()}.parquet"


def is_index_key(key: str) -> bool:
    """Whether a key is that of a file of the index."""
    return _KEY.fullmatch(key) is not None


def read_note(key: str, text: bytes) -> Note | None:
    """The note of the file with this key; None for one that is of another version, or of another place."""
    try:
        note = msgspec.json.decode(text, type=Note)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return note if note.version == _VERSION and key == index_key(note.place, text.decode()) else None


def is_current(noted: Indexed, listed: "Archived") -> bool:
    """Whether an object is still the one that was indexed, as far as a listing shows. A copy in a folder has no times
    of its own."""
    return noted.size == listed.size and (listed.modified is None or noted.modified == _seconds(listed.modified))


def _seconds(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.astimezone(UTC).timestamp())
