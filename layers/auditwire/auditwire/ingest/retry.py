"""Retrying quarantined bytes: what today's library can read is processed as in ingest.

The cluster and the time of receipt are those of the quarantined object, never those of whoever runs this; where no
cluster had the log group that sent it, the cluster is the one that has it today. An object is
only removed after everything in it is stored and every alert is published, as for a request. If a retry ends early, the
object stays, and the next retry finds what was stored already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from auditwire.archive import QuarantineNote, batch_digest
from auditwire.archive.errors import DamagedError
from auditwire.archive.quarantine import QuarantineEntry
from auditwire.clusters import Cluster, DirectoryError
from auditwire.events import BodyError, Decoded, Reject, decode
from auditwire.events.bounds import OVER_BOUND
from auditwire.events.inflating import inflate_unlabelled
from auditwire.events.slicing import slices
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Batch, Ingest
from auditwire.ingest.log_groups import UNKNOWN_LOG_GROUP, cluster_of

Outcome = Literal["taken", "still_bad", "failed"]


class Held(Protocol):
    """What retry needs of a quarantine."""

    def read(self, entry: QuarantineEntry) -> tuple[QuarantineNote, bytes]:
        """The note, and the bytes as they were received."""

    def remove(self, entry: QuarantineEntry) -> None:
        """Removes an object."""


@dataclass(frozen=True, slots=True)
class Again:
    """Quarantined bytes as today's library reads them.

    ``body`` is what was decoded: the inflated bytes, or an item in a list of its own. ``fault`` says why nothing could
    be read; None if something could. ``compressed`` says that ``body`` could not even be inflated. ``is_sliced`` says
    that the body is over a bound and is taken in slices: ``body`` is as received then, and ``decoded`` is that of the
    first slice with an event.
    """

    note: QuarantineNote
    body: bytes
    decoded: Decoded
    fault: Reject | None = None
    compressed: bool = False
    is_sliced: bool = False


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one object: ``taken``, ``still_bad`` or ``failed``; the reason; and the counts if it was taken."""

    entry: QuarantineEntry
    outcome: Outcome
    why: str = ""
    account: Account | None = None


def read_again(note: QuarantineNote, raw: bytes) -> Again:
    """Decodes quarantined bytes anew. Never raises an error.

    A body may now give several events and some bad items; an item is one event or still bad. Gzip is recognised by its
    first bytes: the sender's headers are not kept, and no other body begins like that.
    """
    if note.kind == "item":
        return _item_again(note, raw)
    try:
        body = inflate_unlabelled(raw)
    except BodyError as error:
        fault = Reject("body", error.reason, error.detail, raw)
        return _slices_again(note, raw, fault) if error.reason in OVER_BOUND else _faulty(note, raw, fault)
    decoded = decode(body)
    if _holds_something(decoded):
        return Again(note, body, decoded)
    fault = decoded.rejects[0] if decoded.rejects else Reject("body", "empty", "there is no event in the body", raw)
    if fault.reason in OVER_BOUND and fault.kind == "body":
        return _slices_again(note, raw, fault)
    # Several bad items without a good one are no progress either. One sentence covers them all.
    return Again(note, body, Decoded([], []), fault)


def _holds_something(decoded: Decoded) -> bool:
    """Whether taking it up is progress: there are events, or nothing that anybody has to look at."""
    return bool(decoded.events or (decoded.skipped and not decoded.rejects))


def _faulty(note: QuarantineNote, raw: bytes, fault: Reject) -> Again:
    return Again(note, raw, Decoded([], []), fault, compressed=True)


def _slices_again(note: QuarantineNote, raw: bytes, fault: Reject) -> Again:
    """A body over a bound, of which some slice holds an event."""
    try:
        for part in slices(raw):
            decoded = decode(part)
            if decoded.events:
                return Again(note, raw, decoded, is_sliced=True)
    except BodyError as error:
        return _faulty(note, raw, Reject("body", error.reason, error.detail, raw))
    return _faulty(note, raw, fault)


def _item_again(note: QuarantineNote, raw: bytes) -> Again:
    body = b"[" + raw + b"]"
    decoded = decode(body)
    if len(decoded.events) + decoded.skipped.total() == 1 and not decoded.rejects:
        return Again(note, body, decoded)
    found = next(iter(decoded.rejects), None)
    if found is None or found.kind == "body":
        # Read on their own, so that places count from their own start.
        found = next(iter(decode(raw).rejects), None) or Reject(
            "item", "invalid_json", "the bytes are not one item", raw
        )
    return Again(note, body, Decoded([], []), found)


def retry(held: Held, ingest: Ingest, entry: QuarantineEntry, deadline: float, *, keep: bool = False) -> Retried:
    """Retries one quarantined object and removes it once everything in it is stored.

    A body over the bounds of a request is taken in slices, which are the same each time. ``deadline``, in seconds since
    the epoch, ends the publishing of alerts. With ``keep`` the object stays; together with in-memory stores in
    ``ingest`` that is a dry run. Raises QuarantineError if the object cannot be read or removed.
    """
    try:
        note, raw = held.read(entry)
    except DamagedError as error:
        return Retried(entry, "still_bad", str(error))
    again = read_again(note, raw)
    if again.fault is not None:
        return Retried(entry, "still_bad", f"{again.fault.reason}: {again.fault.detail}")
    try:
        cluster = _cluster_of(note, again.body, ingest)
    except DirectoryError as error:
        return Retried(entry, "failed", str(error))
    if cluster is None:
        return Retried(entry, "still_bad", f"{UNKNOWN_LOG_GROUP}: no cluster has this log group")
    if again.is_sliced:
        answer = ingest.take_sliced(cluster, raw, note.received, deadline)
    else:
        batch = Batch(cluster, again.body, batch_digest(cluster.name, again.body), note.received)
        answer = ingest.take(batch, deadline)
    total = answer.account or Account(cluster.name)
    if answer.status != 200:
        return Retried(entry, "failed", answer.error, total)
    if not keep and not _is_quarantined_again(raw, again.decoded.rejects):
        held.remove(entry)
    return Retried(entry, "taken", account=total)


def _cluster_of(note: QuarantineNote, body: bytes, ingest: Ingest) -> Cluster | None:
    """Whose the bytes are. The note names the cluster, or there was none with the log group that they came from."""
    if note.reason == UNKNOWN_LOG_GROUP:
        return cluster_of(ingest, body)
    # The casing of each event's keys tells the kind of sender.
    return Cluster(note.cluster)


def _is_quarantined_again(raw: bytes, rejects: Sequence[Reject]) -> bool:
    """Whether a reject has the same key as the retried object: the same cluster and the same bytes."""
    return any(reject.raw == raw for reject in rejects)
