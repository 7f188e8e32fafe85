"""Writing a seal behind the last one: its text, its signature, and the one put that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from auditwire.evidence.chain import Signed, Tail
from auditwire.evidence.seal import (
    ALGORITHM,
    FORMAT,
    MAX_TEXT_BYTES,
    Books,
    Entry,
    Kind,
    Retention,
    Seal,
    SealFile,
    listed,
    seal_key,
    seal_text,
    totals_of,
)
from auditwire.evidence.signing import as_base64
from auditwire.evidence.store import Listed
from auditwire.evidence.times import as_second, parse_second

if TYPE_CHECKING:
    from auditwire.evidence.signing import Signer
    from auditwire.evidence.store import Writer


class LostRaceError(Exception):
    """Somebody else has put the seal with this number."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a seal says beside the objects it names; see Seal."""

    kind: Kind
    start: datetime
    end: datetime
    books: tuple[Books, ...] | None = ()
    reason: str | None = None


class Chain:
    """The end of a cluster's chain, and the seals that are put behind it."""

    def __init__(self, store: "Writer", signer: "Signer", cluster: str, tail: Tail, begun: datetime) -> None:
        """``begun`` is where a chain begins that has no seal yet."""
        self._store = store
        self._signer = signer
        self.cluster = cluster
        self._next_number = tail.next_number
        self.last = tail.last
        self.files = list(tail.files)
        """All objects that are called like seals of the cluster, by number."""
        self.begun = begun if tail.last is None else parse_second(tail.last.seal.begun)
        self.reached = begun if tail.last is None else tail.last.reached
        """Until when arrivals are sealed."""

    def put(self, statement: Statement, entries: Sequence[Entry], retention: Retention, now: datetime) -> Signed:
        """Signs a seal and puts it. Raises LostRaceError where one is there, EvidenceError where it could not be signed
        or put."""
        entries = sorted(entries, key=lambda entry: entry.key)
        objects = listed(entries)
        reached = self.reached if statement.kind == "backfill" else statement.end
        arrivals = [entry.modified for entry in entries]
        if self.last and self.last.seal.arrived:
            arrivals.append(self.last.seal.arrived)
        seal = Seal(
            format=FORMAT,
            bucket=self._store.bucket,
            cluster=self.cluster,
            number=self._next_number,
            kind=statement.kind,
            start=as_second(statement.start),
            end=as_second(statement.end),
            made=as_second(now),
            begun=as_second(self.begun),
            reached=as_second(reached),
            arrived=max(arrivals, default=None),
            previous=self.last.as_previous() if self.last else None,
            objects=totals_of(entries, objects),
            retention=retention,
            books=statement.books,
            reason=statement.reason,
            algorithm=ALGORITHM,
            key=self._signer.fingerprint,
        )
        text = seal_text(seal)
        if len(text.encode()) > MAX_TEXT_BYTES:
            # Names and numbers have bounds, so the books alone can be too long: those of many busy hours at once.
            seal = msgspec.structs.replace(seal, books=None)
            text = seal_text(seal)
        file = SealFile(text, as_base64(self._signer.sign(text.encode())), seal.key, objects)
        self._put(seal, msgspec.json.encode(file), now + timedelta(days=retention.days + 1))
        self.last = Signed(seal, file)
        self.reached = reached
        self._next_number += 1
        return self.last

    def _put(self, seal: Seal, content: bytes, retain_until: datetime) -> None:
        key = seal_key(self.cluster, seal.number)
        if not self._store.put_new(key, content, retain_until):
            raise LostRaceError(key)
        self.files.append(Listed(key, len(content), parse_second(seal.made)))
