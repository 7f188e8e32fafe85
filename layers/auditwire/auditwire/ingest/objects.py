"""Objects that somebody else put into a bucket, or files: audit logs of any layout, piece by piece down the road.

The identity is the place: a bucket and a prefix, registered for a cluster. Nobody waits for an answer. An object that
is taken twice stores nothing twice, because its pieces are the same each time.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from auditwire.clusters import Cluster, Credential, bucket_keys
from auditwire.events.casing import fields_of
from auditwire.events.line import PROVENANCE
from auditwire.events.pieces import inflated, pieces
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Ingest, NotStoredError

MAX_OBJECT: Final = 256 * 1024 * 1024
"""Stored bytes of an object that a function takes; larger ones are for `auditwire import`."""

_OWN: Final = b'"_auditwire":'


@dataclass(slots=True)
class Taken:
    """What became of an object so far: how many of its pieces are stored, and the counts of those of this run.
    ``is_whole`` is whether these are all."""

    pieces: int
    account: Account
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Taking:
    """How an object is taken: whose it is, when it came, from when on its events may alert (None: always), and when the
    run has to end (seconds since 1970; each piece has ``seconds`` from its beginning)."""

    cluster: Cluster
    received: datetime
    quiet_before: datetime | None = None
    deadline: float = float("inf")
    seconds: float = 10.0
    clock: Callable[[], float] = field(default=time.time)


def owner_of(ingest: Ingest, bucket: str, key: str) -> tuple[Cluster, Credential] | None:
    """The cluster that an object belongs to, by the longest registered prefix of its key; None for nobody's. Raises
    DirectoryError."""
    for row in bucket_keys(bucket, key):
        credential = Credential(row)
        cluster = ingest.directory.identify(credential)
        if cluster is not None:
            return cluster, credential
    return None


def take_object(
    ingest: Ingest,
    chunks: Iterable[bytes],
    taking: Taking,
    *,
    skip: int = 0,
    told: Callable[[Account], None] = lambda _: None,
) -> Taken:
    """Processes an object, without the pieces that an earlier run has stored (``skip``), until the deadline. ``told``
    hears what became of each piece.

    Raises NotStoredError where something could not be stored, and BodyError where the object is damaged, when
    everything before that place is stored.
    """
    taken = Taken(skip, Account(taking.cluster.name, taking.cluster.sender))
    for number, piece in enumerate(pieces(inflated(chunks))):
        if number < skip:
            continue
        now = taking.clock()
        # One piece is always taken, so that no object is begun again and again.
        if number > skip and now >= taking.deadline:
            return taken
        answer = ingest.take_sliced(
            taking.cluster,
            _without_provenance(piece),
            taking.received,
            now + taking.seconds,
            quiet_before=taking.quiet_before,
        )
        if answer.account is not None:
            told(answer.account)
            taken.account.add(answer.account)
        if answer.status != 200:
            raise NotStoredError(answer.error)
        taken.pieces = number + 1
    taken.is_whole = True
    return taken


def _without_provenance(piece: bytes) -> bytes:
    """A piece without what an archive of our own has added to each line."""
    if _OWN not in piece:
        return piece
    return b"\n".join(map(_line, piece.split(b"\n")))


def _line(line: bytes) -> bytes:
    if _OWN not in line:
        return line
    try:
        fields = fields_of(line)
    except (msgspec.DecodeError, RecursionError):
        return line
    if PROVENANCE not in fields:
        return line
    del fields[PROVENANCE]
    return msgspec.json.encode(fields)
