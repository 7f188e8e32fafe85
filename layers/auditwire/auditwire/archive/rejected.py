"""Putting aside what of a batch could not be read."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.archive.keys import batch_digest, quarantine_key
from auditwire.archive.store import QuarantineNote
from auditwire.events import Reject

if TYPE_CHECKING:
    from auditwire.archive.store import Archive

MAX_OBJECTS: Final = 20
"""So many bad items of a batch are an object each. Every object takes some of the time that a request has: with
hundreds nothing of the batch would ever be answered."""

MANY_ITEMS: Final = "many_items"


def put_aside(
    archive: "Archive", rejects: Sequence[Reject], *, cluster: str, received: datetime
) -> list[tuple[Reject, str]]:
    """Put rejects into quarantine; what was put there, and under which keys. Raises ArchiveError.

    More than ``MAX_OBJECTS`` different ones go together, an item a line, as one body of the reason ``many_items``.
    """
    different = {reject.raw: reject for reject in rejects}
    if len(different) > MAX_OBJECTS:
        items = b"\n".join(different)
        different = {items: Reject("body", MANY_ITEMS, f"{len(different)} items of one body", items)}
    put = []
    for reject in different.values():
        key = quarantine_key(cluster, batch_digest(cluster, reject.raw))
        archive.put_quarantine(key, reject.raw, QuarantineNote(reject.reason, reject.kind, cluster, received))
        put.append((reject, key))
    return put
