"""The export for a SIEM: what was sealed is written as records of OCSF to another bucket, seal by seal.

It is no evidence, and no seal waits for it: it begins when everything is sealed, and whatever fails is done the next
time, from where a note says that it ended. A seal's files have the same keys each time, so nothing is there twice.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auditwire.evidence.backlog import Backlog
from auditwire.evidence.errors import EvidenceError, MalformedError, NotThereError
from auditwire.evidence.export_note import Position, read_position, write_position
from auditwire.evidence.reading import content_of, lines_of
from auditwire.evidence.seal import parse_entries
from auditwire.evidence.store import read_whole
from auditwire.evidence.times import parse_second
from auditwire.ocsf.layout import Exported, parts_of
from auditwire.ocsf.records_file import RecordsFile, lines_at
from auditwire.ocsf.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from auditwire.evidence.chain import Signed
    from auditwire.evidence.reading import ReadObject
    from auditwire.evidence.seal import Entry, Seal
    from auditwire.evidence.sealing import Sealed
    from auditwire.evidence.store import Writer
    from auditwire.ocsf.destination import Destination
    from auditwire.ocsf.layout import Part, Place
    from auditwire.ocsf.records_file import ArchivedAt

MAX_SPOOLED_BYTES: Final = 600 << 20
"""As much as a function's disk has room for. Objects for which there is none left are read again."""

MAX_RECORDS_BYTES: Final = 128 << 20
"""When a file has records of so much, the next one goes into another: DuckDB orders what it writes in memory. Whatever
senders make up, writing takes less than the function has."""

GONE: Final = "gone"
CHANGED: Final = "changed"
SEAL_MISSING: Final = "seal_missing"


@dataclass(frozen=True, slots=True)
class Export:
    """Where everything that is sealed is exported to."""

    destination: "Destination"
    place: "Place"


@dataclass(slots=True)
class ExportDone:
    """What became of an export. ``lost`` counts what can never be exported, by reason: events of objects that are gone
    or are not what was sealed, and seals that are gone or changed.

    ``failure`` says why it could not go on. ``behind`` is for how long the oldest seal has waited that is not exported,
    in seconds; None where nobody can tell. ``is_late`` is whether time ran out.
    """

    events: int = 0
    files: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    behind: float | None = 0.0
    is_late: bool = False

    def log_fields(self) -> dict[str, Any]:
        """For the log."""
        return {
            "events": self.events,
            "files": self.files,
            "lost": dict(self.lost),
            "failure": self.failure,
            "behind_seconds": None if self.behind is None else round(self.behind),
            "handed_over": self.is_late,
        }


class _OutOfTimeError(Exception):
    """Somebody else must do the rest."""


@contextmanager
def exporting_to(export: Export | None, store: "Writer", cluster: str) -> "Iterator[Exporting | None]":
    """What exports a cluster; None where nothing is exported."""
    if export is None:
        yield None
        return
    with Exporting(store, cluster, export) as exporting:
        yield exporting


class Exporting:
    """A Follower that keeps what a Sealer reads; then ``run`` exports it, and whatever waits from before.

    Use it as a context manager: it holds records in a folder of its own until then.
    """

    def __init__(self, store: "Writer", cluster: str, export: Export, folder: Path | None = None) -> None:
        self._store = store
        self._cluster = cluster
        self._export = export
        self._folder = Path(tempfile.mkdtemp(prefix="auditwire-ocsf-", dir=folder))
        self._spool = Spool(self._folder, MAX_SPOOLED_BYTES)
        self._named: set[str] = set()
        self._first: int | None = None
        self._reached: Position | None = None

    def __enter__(self) -> "Exporting":
        return self

    def __exit__(self, *error: object) -> None:
        if "_connection" in self.__dict__:
            self._connection.close()
        self._spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def take(self, read: "ReadObject") -> None:
        """See Follower.take."""
        # An object for which there is no room is read again.
        with suppress(OSError):
            self._spool.add(read.entry.key, read.stored)

    def sealed(self, seal: "Seal", entries: "Sequence[Entry]") -> None:
        """See Follower.sealed."""
        self._named.update(entry.key for entry in entries)
        self._spool.keep(self._named)
        if self._first is None:
            self._first = seal.number
            # Where the export begins is noted at once, so that no failure moves it on; ``run`` tells if it cannot be.
            with suppress(EvidenceError):
                self._position()

    def run(self, sealed: "Sealed", may_go_on: Callable[[], bool], now: datetime) -> ExportDone:
        """Exports everything that is sealed and not exported yet, or as much as there is time for. Whatever fails is in
        the answer."""
        done = ExportDone()
        backlog: Backlog | None = None
        try:
            self._reached = self._position()
            if self._reached is None or sealed.last is None:
                return done
            known = {signed.seal.number: signed for signed in sealed.seals}
            backlog = Backlog(self._store, sealed.last, self._reached.seal, known)
            self._work_off(backlog, self._reached, may_go_on, done)
        except _OutOfTimeError:
            done.is_late = True
        except Exception as error:  # noqa: BLE001 - whatever it is, it is done the next time
            done.failure = f"{type(error).__name__}: {error}"
        if done.is_late or done.failure:
            done.behind = self._behind(backlog, now)
        return done

    def _position(self) -> Position | None:
        """How far the cluster is exported. The export begins with the first seal that is made while it is switched
        on; None where there is none yet."""
        position = read_position(self._store, self._cluster)
        if position is None and self._first is not None:
            position = Position(self._first)
            write_position(self._store, self._cluster, position)
        return position

    def _note(self, position: Position) -> None:
        write_position(self._store, self._cluster, position)
        self._reached = position

    def _behind(self, backlog: Backlog | None, now: datetime) -> float | None:
        if backlog is None or self._reached is None:
            return None
        try:
            oldest = backlog.first_from(self._reached.seal)
        except EvidenceError:
            return None
        return 0.0 if oldest is None else (now - parse_second(oldest.seal.made)).total_seconds()

    def _work_off(self, backlog: Backlog, position: Position, may_go_on: Callable[[], bool], done: ExportDone) -> None:
        """Exports the seals of a backlog, the first one behind what is written of it."""
        if backlog.missing is not None:
            done.lost[SEAL_MISSING] += 1
        for number in backlog.numbers:
            signed = backlog.read(number)
            written = position.files if number == position.seal else 0
            try:
                entries = parse_entries(signed.seal, signed.file.objects)
            except MalformedError:
                entries = []
                done.lost[SEAL_MISSING] += 1
            by_key = {entry.key: entry for entry in entries if not entry.fault}
            parts = parts_of(Exported(entry.key, entry.size, entry.events or 0) for entry in by_key.values())
            for file in range(written, len(parts)):
                if not may_go_on():
                    raise _OutOfTimeError
                self._write(signed, file, parts[file], by_key, done)
                if file + 1 < len(parts):
                    self._note(Position(number, file + 1))
            self._note(Position(number + 1))

    def _write(
        self, signed: "Signed", number: int, part: "Part", entries: "Mapping[str, Entry]", done: ExportDone
    ) -> None:
        """Writes the events of a part: as one file, or as several if they are too large for one."""
        lines = self._lines(part, entries, done)
        for piece in count():
            with RecordsFile(self._folder / "records.json.gz") as records:
                records.fill(lines, MAX_RECORDS_BYTES)
            if not records.count:
                break
            key = self._export.place.key(
                part, self._cluster, signed.seal.number, signed.file.text_sha256, number, piece
            )
            self._put(records, key, done)
        self._named.difference_update(each.key for each in part.objects)
        self._spool.keep(self._named)

    def _lines(self, part: "Part", entries: "Mapping[str, Entry]", done: ExportDone) -> "Iterator[ArchivedAt]":
        """The lines of a part, of those objects that are there as they were sealed."""
        for each in part.objects:
            stored = self._stored(entries[each.key], done)
            if stored is not None:
                yield from lines_at(each.key, lines_of(content_of(stored)))

    def _put(self, records: RecordsFile, key: str, done: ExportDone) -> None:
        # Only who exports needs DuckDB, which is large.
        from auditwire.ocsf.parquet import write_records  # noqa: PLC0415

        file = self._folder / "records.parquet"
        write_records(self._connection, records.path, file, records.count)
        self._export.destination.put(key, file)
        done.files += 1
        done.events += records.count

    def _stored(self, entry: "Entry", done: ExportDone) -> bytes | None:
        """The bytes of an object as they were sealed; None if it is not there any more as it was."""
        stored = self._spool.get(entry.key)
        if stored is not None:
            return stored
        try:
            stored = read_whole(self._store, entry.key)
        except NotThereError:
            done.lost[GONE] += entry.events or 0
            return None
        if sha256(stored).hexdigest() != entry.sha256:
            done.lost[CHANGED] += entry.events or 0
            return None
        return stored

    @cached_property
    def _connection(self) -> "duckdb.DuckDBPyConnection":
        from auditwire.ocsf.parquet import connect_to  # noqa: PLC0415

        return connect_to(self._folder)
