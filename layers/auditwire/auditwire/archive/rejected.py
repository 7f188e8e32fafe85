"""Quarantining what could not be read in a batch, and what was read of more than is there."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from auditwire.archive.keys import batch_digest, quarantine_key
from auditwire.archive.store import QuarantineNote
from auditwire.events import Event, Reject

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


def keep_cut_texts(archive: "Archive", events: Iterable[Event], *, cluster: str, received: datetime) -> None:
    """Stores the text of events that were cut off, as it came, so that the evidence is whole. Raises ArchiveError.

    More than ``MAX_OBJECTS`` texts are stored together, one per line.
    """
    texts = {event.cut_text: event.digest for event in events if event.cut_text}
    kind: Literal["body", "item"] = "item"
    if len(texts) > MAX_OBJECTS:
        texts, kind = {b"\n".join(texts): f"{len(texts)} events"}, "body"
    for text, salvaged in texts.items():
        key = quarantine_key(cluster, batch_digest(cluster, text))
        archive.put_quarantine(key, text, QuarantineNote("truncated", kind, cluster, received, salvaged))
