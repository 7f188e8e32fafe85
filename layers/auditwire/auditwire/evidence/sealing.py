"""Sealing what arrived in one cluster: the work of one message.

Everything follows from the archive itself and from the order, so a message that comes twice, late or never changes
nothing but the time. Two workers at once are told apart by the one conditional put of a seal: who loses it reads the
winner's and goes on from there.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from auditwire.archive.keys import events_of
from auditwire.aws.attempts import side_by_side
from auditwire.evidence.chain import Signed, tail_of
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.piece import read_piece
from auditwire.evidence.seal import Books, Entry, Retention, Seal
from auditwire.evidence.sweep import prefixes_to_sweep, unsealed_below
from auditwire.evidence.times import as_second, parse_second
from auditwire.evidence.windows import DAY, cut, hour_of, hours_ended, unusual_prefixes, usual_prefixes, window_end
from auditwire.evidence.writing import Chain, LostRaceError, Statement

if TYPE_CHECKING:
    from auditwire.evidence.order import Order
    from auditwire.evidence.reading import ReadObject
    from auditwire.evidence.signing import Signer
    from auditwire.evidence.store import Listed, Writer

MAX_PAUSE: Final = timedelta(days=2)
"""Where no seal was made for longer, the time in between becomes a gap: nobody watched the objects then."""

_MAX_AHEAD: Final = timedelta(minutes=1)
"""How far the clock of who gave an order may be ahead."""

_MAX_RACES: Final = 5

ReadBooks = Callable[[str, Sequence[datetime]], tuple[Books, ...] | None]
"""The books of a cluster's hours, each by its beginning; None where they cannot be read."""


class Follower(Protocol):
    """Does something else with what is read, so that each object is read once. What it raises delays no seal."""

    def take(self, read: "ReadObject") -> None:
        """An object that was read. It is in the next seal, unless time runs out: then it is read again."""

    def sealed(self, seal: Seal, entries: Sequence[Entry]) -> None:
        """A seal was written that names these objects."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What seals say of the archive, and how much they hold at most: one of the two is reached within a second."""

    retention: Retention
    max_bytes: int
    max_objects: int = 20_000


@dataclass(slots=True)
class Sealed:
    """What became of an order.

    ``seals`` were written, ``unseen`` counts objects that no seal named in time, ``faults`` those that are no objects
    of lines, by fault; ``chain_faults`` are sentences about the chain, ``problems`` about followers. ``behind`` is for
    how long arrivals had not been sealed when the work began, in seconds. ``rest`` is what is left to do.
    """

    seals: list[Signed] = field(default_factory=list)
    unseen: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    chain_faults: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    behind: float = 0.0
    rest: "Order | None" = None
    last: Signed | None = None


class _OutOfTimeError(Exception):
    """Somebody else must do the rest."""


class Sealer:
    """Seals one cluster after another. ``may_go_on`` says whether there is time for more, ``clock`` what time it is."""

    def __init__(
        self,
        store: "Writer",
        signer: "Signer",
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        may_go_on: Callable[[], bool],
        read_books: ReadBooks,
        followers: Sequence[Follower] = (),
    ) -> None:
        self._store = store
        self._signer = signer
        self._settings = settings
        self._clock = clock
        self._may_go_on = may_go_on
        self._read_books = read_books
        self._followers = list(followers)

    def seal(self, order: "Order") -> Sealed:
        """Does what an order says, or as much as there is time for. Raises EvidenceError for what could not be read,
        written or signed; the seals written before stay."""
        if order.to > self._clock() + _MAX_AHEAD:
            raise EvidenceError(f"what arrives before {as_second(order.to)} is not known yet: {order.cluster}")
        done = Sealed()
        for _ in range(_MAX_RACES):
            try:
                self._seal(order, done)
            except LostRaceError:
                continue
            except _OutOfTimeError:
                done.rest = done.rest or order
            return done
        raise EvidenceError(f"another worker was ahead {_MAX_RACES} times: seals of cluster {order.cluster}")

    def _seal(self, order: "Order", done: Sealed) -> None:
        tail = tail_of(self._store, order.cluster, self._signer)
        done.chain_faults = tail.faults
        begun = order.to if tail.last else self._first_arrival(order)
        if begun is None:
            return
        chain = Chain(self._store, self._signer, order.cluster, tail, begun)
        done.last = chain.last
        done.behind = max(done.behind, (self._clock() - chain.reached).total_seconds())
        self._note_gap(chain, order.to, done)
        self._seal_arrivals(chain, order, done)
        if chain.last is not None:
            self._seal_unseen(chain, order, done)

    def _first_arrival(self, order: "Order") -> datetime | None:
        """Where a chain begins: the hour of the earliest arrival, of all or of those where nearly everything lies; None
        where there is none."""
        prefixes = [events_of(order.cluster)] if order.everything else _prefixes(order, order.to - DAY, order.to)
        arrivals = (each.modified for prefix in prefixes for each in self._store.listing(prefix))
        earliest = min((each for each in arrivals if each), default=None)
        return None if earliest is None or earliest >= order.to else hour_of(earliest)

    def _note_gap(self, chain: Chain, to: datetime, done: Sealed) -> None:
        """Says so where nobody has sealed for long. What arrived meanwhile is found when the archive is swept."""
        if chain.last is None:
            return
        made, now, end = parse_second(chain.last.seal.made), self._clock(), hour_of(to) - DAY
        if now - made > MAX_PAUSE and end > chain.reached:
            reason = f"no seal was made from {as_second(made)} to {as_second(now)}"
            self._put(chain, Statement("gap", chain.reached, end, reason=reason), [], done)

    def _seal_arrivals(self, chain: Chain, order: "Order", done: Sealed) -> None:
        """Seals window after window, up to the order's time."""
        while chain.reached < order.to:
            start, end = chain.reached, window_end(chain.reached, order.to)
            members = self._arrived(order, start, end)
            if not members and chain.last and chain.last.is_quiet(end):
                end = min(order.to, start + DAY)
                if end - start < DAY and not order.everything:
                    return
                members = self._arrived(order, start, end)
            self._seal_window(chain, end, members, done)

    def _seal_window(self, chain: Chain, end: datetime, members: "list[Listed]", done: Sealed) -> None:
        """Seals everything up to ``end``, in as many seals as it takes."""
        while chain.reached < end:
            entries = self._read(members, done)
            members = members[len(entries) :]
            until = (members[0].modified if members else None) or end
            books = self._read_books(chain.cluster, [*hours_ended(chain.reached, until)])
            kind = Statement("regular" if chain.last else "first", chain.reached, until, books)
            self._put(chain, kind, entries, done)

    def _seal_unseen(self, chain: Chain, order: "Order", done: Sealed) -> None:
        """Seals what should have been sealed before and was not seen then."""
        prefixes = prefixes_to_sweep(self._store, order.cluster, order.to, everything=order.everything)
        prefixes += unusual_prefixes(order.cluster, order.to - DAY, order.to, order.hours)
        for number in range(order.swept, len(prefixes)):
            done.rest = order.after(number)
            for unseen in unsealed_below(self._store, prefixes[number], chain.files, chain.begun, chain.reached):
                left = unseen
                while left:
                    entries = self._read(left, done)
                    left = left[len(entries) :]
                    start, last = parse_second(entries[0].modified), parse_second(entries[-1].modified)
                    self._put(chain, Statement("backfill", start, last + timedelta(seconds=1)), entries, done)
                    done.unseen += len(entries)
        done.rest = None

    def _read(self, members: "list[Listed]", done: Sealed) -> list[Entry]:
        """The entries of as many members as go into one seal. Raises _OutOfTimeError where there is no time for any."""
        if not self._may_go_on():
            raise _OutOfTimeError
        piece = members[: cut(members, self._settings.max_objects, self._settings.max_bytes)]
        entries = read_piece(self._store, piece, self._may_go_on, partial(self._take, done))
        if piece and not entries:
            raise _OutOfTimeError
        return entries

    def _put(self, chain: Chain, statement: Statement, entries: list[Entry], done: Sealed) -> None:
        signed = chain.put(statement, entries, self._settings.retention, self._clock())
        done.seals.append(signed)
        done.last = signed
        done.faults.update(entry.fault for entry in entries if entry.fault)
        self._tell(done, lambda follower: follower.sealed(signed.seal, entries))

    def _arrived(self, order: "Order", start: datetime, end: datetime) -> "list[Listed]":
        """What arrived from ``start`` on and before ``end``, in order of arrival."""

        def arrived_below(prefix: str) -> "list[tuple[datetime, str, Listed]]":
            return [
                (each.modified, each.key, each)
                for each in self._store.listing(prefix)
                if each.modified is not None and start <= each.modified < end
            ]

        listings = [partial(arrived_below, prefix) for prefix in _prefixes(order, start, end)]
        found = [each for below in side_by_side(listings, "listing") for each in below]
        return [each for _, _, each in sorted(found, key=lambda one: one[:2])]

    def _take(self, done: Sealed, read: "ReadObject") -> None:
        self._tell(done, lambda follower: follower.take(read))

    def _tell(self, done: Sealed, what: Callable[[Follower], None]) -> None:
        """Tells the followers; one that fails is told nothing more."""
        for follower in list(self._followers):
            try:
                what(follower)
            except Exception as error:  # noqa: BLE001 - whatever it is, no seal waits for it
                self._followers.remove(follower)
                done.problems.append(f"{type(follower).__name__} failed: {type(error).__name__}: {error}")


def _prefixes(order: "Order", start: datetime, end: datetime) -> list[str]:
    return [*usual_prefixes(order.cluster, start, end), *unusual_prefixes(order.cluster, start, end, order.hours)]
