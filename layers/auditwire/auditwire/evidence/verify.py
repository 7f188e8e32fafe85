"""Verifying an archive against its seals: every seal, every object they name, and every object that they do not."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.archive.keys import EVENTS, events_of
from auditwire.clusters.cluster import is_cluster_name
from auditwire.evidence.chain import MAX_LAG_OF_THE_QUIET, MAX_QUIET
from auditwire.evidence.errors import NotThereError
from auditwire.evidence.named import Named
from auditwire.evidence.objects import check_object, check_unnamed, hash_by_checksum, hash_by_reading
from auditwire.evidence.seal import SEALS, Previous, Seal
from auditwire.evidence.spans import Spans
from auditwire.evidence.states import HeadReport, Note, ObjectReport, Report, SealReport
from auditwire.evidence.times import as_second, parse_second
from auditwire.evidence.walk import Keys, Step, walk
from auditwire.evidence.windows import DAY, HOUR, hour_in

if TYPE_CHECKING:
    from auditwire.evidence.store import Listed, Reader

MAX_LAG: Final = timedelta(hours=3)
"""An hour, ten minutes of grace, and what a busy hour takes. What is not sealed for longer is told."""

Progress = Callable[[str], None]
"""Called with what is being looked at, often."""


@dataclass(frozen=True, slots=True)
class Head:
    """A seal whose number and hash somebody kept elsewhere: there must be exactly this one."""

    cluster: str
    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Question:
    """What to verify: arrivals from ``start`` on and before ``end``, without a bound where they are None.

    Seals are walked from the first to the last whatever the bounds, for a chain holds as a whole. ``quick`` takes the
    store's checksums for the bytes. Where the archive is a copy nobody knows when an object arrived or what came
    later; then ``live`` is False.
    """

    now: datetime
    cluster: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    heads: tuple[Head, ...] = ()
    quick: bool = False
    accept_restart: bool = False
    live: bool = True


def clusters_in(reader: "Reader") -> list[str]:
    """The clusters that have events or seals. Raises EvidenceError."""
    found = {
        prefix.removeprefix(parent).removeprefix("cluster=").removesuffix("/")
        for parent in (EVENTS, SEALS)
        for prefix in reader.folders(parent).prefixes
        if prefix.startswith(f"{parent}cluster=")
    }
    return sorted(name for name in found if is_cluster_name(name))


def verify(reader: "Reader", keys: Keys, question: Question, progress: Progress) -> Iterator[Report]:
    """Everything there is to say, as it is found. Holds one seal at a time, whatever the archive holds.

    Raises EvidenceError for what cannot be read.
    """
    with Named() as named, ThreadPoolExecutor(MAX_AHEAD) as pool:
        reached: dict[str, str] = {}
        begun: dict[str, str] = {}
        for cluster in _clusters(reader, question):
            walked = _Cluster(reader, keys, question, cluster, named, pool, progress)
            yield from walked.reports()
            reached[cluster], begun[cluster] = walked.spans.reached, walked.begun
        earlier: Counter[str] = Counter()
        for listed in reader.listing(events_of(question.cluster) if question.cluster else EVENTS):
            progress(listed.key)
            cluster = listed.key.removeprefix(f"{EVENTS}cluster=").partition("/")[0]
            if listed.key in named:
                continue
            if _is_before(listed, begun.get(cluster, "")):
                earlier[cluster] += 1
            elif _is_in_range(listed, question):
                yield from _unnamed(reader, question, listed, reached.get(cluster, ""), named)
        for cluster, count in sorted(earlier.items()):
            yield Note(f"{count:,} objects of {cluster} arrived before its first seal and are in none")


def _clusters(reader: "Reader", question: Question) -> list[str]:
    """The clusters that are asked for, also those of which only a head is left."""
    if question.cluster:
        return [question.cluster]
    return sorted({*clusters_in(reader), *(head.cluster for head in question.heads)})


class _Cluster:
    """One cluster's chain and what it names."""

    def __init__(
        self,
        reader: "Reader",
        keys: Keys,
        question: Question,
        cluster: str,
        named: Named,
        pool: ThreadPoolExecutor,
        progress: Progress,
    ) -> None:
        self._reader = reader
        self._keys = keys
        self._question = question
        self._name = cluster
        self._named = named
        self._pool = pool
        self._progress = progress
        self._hashed = hash_by_checksum(reader) if question.quick else hash_by_reading(reader)
        self._start = as_second(question.start) if question.start else ""
        self._end = as_second(question.end) if question.end else ""
        self.spans = Spans(cluster)
        self.begun = ""

    def reports(self) -> Iterator[Report]:
        """All there is to say of it, but of what no seal names."""
        heads: dict[int, list[Head]] = {}
        for head in self._question.heads:
            if head.cluster == self._name:
                heads.setdefault(head.number, []).append(head)
        last: Seal | None = None
        newest: Previous | None = None
        for step in walk(self._reader, self._name, self._keys, accept_restart=self._question.accept_restart):
            self._progress(f"seal {step.report.number} of {self._name}")
            yield _held_against(heads.pop(step.report.number, []), step)
            if step.seal is not None:
                if step.report.state != "moved":
                    last, newest = step.seal, step.named
                    self.begun = self.begun or last.begun
                    self.spans.add(last)
                yield from self._objects(step, step.seal)
        for number in heads:
            yield SealReport(self._name, number, "missing", "its number and hash were kept, and it is not there")
        if newest is not None:
            yield HeadReport(self._name, newest.number, newest.sha256)
        self.spans.end(self._expected(last))
        yield from self.spans.within(self._start, self._end)

    def _objects(self, step: Step, seal: Seal) -> Iterator[Report]:
        entries, twins = [], {}
        for entry in step.entries:
            # Nobody signs for the objects of another cluster.
            if not entry.key.startswith(events_of(self._name)):
                yield Note(f"seal {seal.number} of {self._name} names {entry.key}, which is none of its objects")
                continue
            twin = self._named.key_of(entry.sha256) if entry.events else None
            claim = self._named.claim(entry.key, entry.sha256)
            if claim == "other":
                detail = f"seal {seal.number} names other bytes than a seal before it"
                yield ObjectReport(entry.key, "changed", detail)
            elif claim == "new" and self._is_asked_for(entry.modified):
                entries.append(entry)
                if twin:
                    twins[entry.key] = twin
        check = partial(
            check_object, self._reader, retention=seal.retention, hashed=self._hashed, now=self._question.now
        )
        for entry, report in read_ahead(self._pool, entries, check, lambda one: one.size):
            self._progress(entry.key)
            twin = twins.get(entry.key)
            if twin and report.state == "valid":
                yield replace(report, state="duplicate", detail=f"it has the bytes of {twin}")
            else:
                yield report

    def _is_asked_for(self, modified: str) -> bool:
        return self._start <= modified and (not self._end or modified < self._end)

    def _expected(self, last: Seal | None) -> str:
        """Until when there should be seals."""
        if last is None or not self._question.live:
            return self._end
        now = self._question.now
        is_quiet = last.arrived is not None and now - parse_second(last.arrived) > MAX_QUIET
        late = parse_second(last.reached) < now - (MAX_LAG_OF_THE_QUIET if is_quiet else MAX_LAG)
        bound = as_second(min(self._question.end or now, now))
        return bound if late else ""


def _held_against(heads: list[Head], step: Step) -> SealReport:
    """A seal's report, held against the heads that were kept of it."""
    report = step.report
    if step.named is None or {head.sha256 for head in heads} <= {step.named.sha256, step.file_sha256}:
        return report
    return SealReport(report.cluster, report.number, "broken_chain", "it is not the seal whose hash was kept")


def _unnamed(
    reader: "Reader", question: Question, listed: "Listed", reached: str, named: Named
) -> Iterator[ObjectReport]:
    """What there is to say of an object that no good seal names."""
    hashed = hash_by_checksum(reader) if question.quick else hash_by_reading(reader)
    try:
        twin = named.key_of(hashed(listed.key))
        report = check_unnamed(reader, listed, reached, twin)
    except NotThereError:
        return  # it went while we looked
    is_late = listed.modified is not None and question.now - listed.modified > MAX_LAG
    if report.state == "pending" and is_late:
        report = replace(report, state="unsealed", detail="no seal names it, though it is late")
    yield report


def _is_before(listed: "Listed", begun: str) -> bool:
    """Whether an object arrived before the first seal of its cluster.

    Ingest files nothing more than a day ahead. What lies under a later hour cannot have been there then, whatever time
    the store has for it: a replica has the time of the object that it was copied from.
    """
    if not begun or listed.modified is None or as_second(listed.modified) >= begun:
        return False
    hour = hour_in(listed.key)
    return hour is None or hour <= parse_second(begun) + DAY


def _is_in_range(listed: "Listed", question: Question) -> bool:
    """Whether an object is asked for: by its arrival; by its own hour where nobody knows that."""
    earliest = latest = listed.modified
    if listed.modified is None:
        earliest = hour_in(listed.key)
        if earliest is None:
            return True
        latest = earliest + HOUR
    after_start = question.start is None or latest is None or latest >= question.start
    before_end = question.end is None or earliest is None or earliest < question.end
    return after_start and before_end
