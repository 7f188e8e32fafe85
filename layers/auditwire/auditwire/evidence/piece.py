"""Reading the objects that one seal names."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.evidence.errors import DeniedError, EvidenceError, NotThereError
from auditwire.evidence.reading import MAX_PACKED_BYTES, ReadObject, read_object
from auditwire.evidence.seal import Entry
from auditwire.evidence.times import as_second
from auditwire.evidence.windows import whole_seconds

if TYPE_CHECKING:
    from datetime import datetime

    from auditwire.evidence.store import Listed, Reader

GONE: Final = "gone"
DENIED: Final = "denied"


def read_piece(
    store: "Reader", members: "Sequence[Listed]", may_go_on: Callable[[], bool], take: Callable[[ReadObject], None]
) -> list[Entry]:
    """The entries of the members, which are in order of arrival, of all or, as soon as time runs out, of the first
    whole seconds.

    An object that was listed and cannot be read is named too, with the fault ``gone`` or ``denied``; where nothing can
    be read, that is no object's fault, and DeniedError is raised. Raises EvidenceError for what may be over soon: an
    object that does not come as a whole.
    """
    entries: list[Entry] = []
    denied: DeniedError | None = None
    readable = False
    with ThreadPoolExecutor(MAX_AHEAD) as pool:
        for member, chunks in read_ahead(pool, members, lambda one: _fetched(store, one), lambda one: one.size):
            if isinstance(chunks, DeniedError):
                denied = chunks
                entries.append(_unread(member, DENIED))
            elif isinstance(chunks, NotThereError):
                entries.append(_unread(member, GONE))
            else:
                readable = True
                read = read_object(member.key, store.read(member.key) if chunks is None else chunks, _arrival(member))
                if read.entry.size != member.size:
                    raise EvidenceError(f"{member.key} has {read.entry.size} bytes and was listed with {member.size}")
                take(read)
                entries.append(read.entry)
            if not may_go_on():
                break
    if denied is not None and not readable:
        raise denied
    return entries[: whole_seconds(members, len(entries))]


def _fetched(store: "Reader", member: "Listed") -> "list[bytes] | NotThereError | DeniedError | None":
    """The bytes of an object; None for one that is too large to be held."""
    if member.size > MAX_PACKED_BYTES:
        return None
    try:
        return list(store.read(member.key))
    except (NotThereError, DeniedError) as error:
        return error


def _unread(member: "Listed", fault: str) -> Entry:
    return Entry(
        key=member.key,
        size=member.size,
        sha256="",
        modified=as_second(_arrival(member)),
        events=None,
        first=None,
        last=None,
        root=None,
        fault=fault,
    )


def _arrival(member: "Listed") -> "datetime":
    if member.modified is None:
        raise ValueError(f"nobody knows when {member.key} arrived")
    return member.modified
