"""Quarantining what could not be read in a batch."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.archive.keys import batch_digest, quarantine_key
from auditwire.archive.store import QuarantineNote
from auditwire.events import Reject

if TYPE_CHECKING:
    from auditwire.archive.store import Archive

MAX_OBJECTS: Final = 20
"""Up to this many bad items of a batch get an object each. Every object takes some of the time that a request has. With
hundreds of objects the batch would never be answered."""

MANY_ITEMS: Final = "many_items"


def quarantine_rejects(
    archive: "Archive", rejects: Sequence[Reject], *, cluster: str, received: datetime
) -> list[tuple[Reject, str]]:
    """Quarantines the rejects. Returns each of them with its key. Raises ArchiveError.

    More than ``MAX_OBJECTS`` different rejects are stored together, one item per line, as one body with the reason
    ``many_items``.
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
