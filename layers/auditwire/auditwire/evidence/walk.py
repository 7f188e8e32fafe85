"""Walking a cluster's chain of seals: each is read, and its signature, its place and its predecessor looked at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from auditwire.evidence.chain import MAX_SEAL_BYTES
from auditwire.evidence.errors import MalformedError
from auditwire.evidence.seal import (
    Entry,
    Previous,
    Seal,
    parse_entries,
    parse_file,
    parse_seal,
    parse_seal_key,
    seals_of,
)
from auditwire.evidence.states import SealReport, SealState
from auditwire.evidence.store import read_whole

if TYPE_CHECKING:
    from auditwire.evidence.signing import Verifier
    from auditwire.evidence.store import Listed, Reader

Keys = Mapping[str, "Verifier"]
"""The keys that may have signed, by fingerprint."""

MAX_MISSING: Final = 10_000
"""Skipped numbers that are told one by one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number of a chain: what there is to say of it.

    Where the signature holds and the seal is one of this cluster and bucket, wherever it lies, there is what it says
    too, and the entries of its objects; ``named`` is how the next seal names it, ``file_sha256`` the hash of the whole.
    """

    report: SealReport
    seal: Seal | None = None
    entries: tuple[Entry, ...] = ()
    named: Previous | None = None
    file_sha256: str = ""


def walk(reader: "Reader", cluster: str, keys: Keys, *, accept_restart: bool = False) -> Iterator[Step]:
    """Every seal of a cluster in order, each followed, at the latest, by the one behind it; skipped numbers come as
    ``missing``.

    Numbers count up to the last seal that holds: behind that anybody could have put anything. ``accept_restart`` lets
    a chain begin anew. Raises EvidenceError for what cannot be read.
    """
    last: Step | None = None
    taken: set[int] = set()
    for listed in reader.listing(seals_of(cluster)):
        place = parse_seal_key(listed.key)
        if place is None:
            continue
        number = place[1]
        step = _read(reader, listed, cluster, number, keys)
        if step.report.state == "valid" and step.seal is not None:
            first = 0 if last is None else last.report.number + 1
            yield from _missing(cluster, first, number, taken)
            step = _linked(step, step.seal, last, accept_restart=accept_restart)
            last, taken = step, set()
        else:
            taken.add(number)
        yield step


def _read(reader: "Reader", listed: "Listed", cluster: str, number: int, keys: Keys) -> Step:
    """A seal by itself, without those beside it."""

    def bad(state: SealState, detail: str) -> Step:
        return Step(SealReport(cluster, number, state, detail))

    if listed.size > MAX_SEAL_BYTES:
        return bad("malformed", "it is too large for a seal")
    content = read_whole(reader, listed.key)
    try:
        file = parse_file(content)
        seal = parse_seal(file.seal)
        signature = file.signature_bytes()
        if file.key != seal.key:
            raise MalformedError("the key it names is not the one that its text names")
        verifier = keys.get(seal.key)
        if verifier is None:
            return bad("unknown_key", f"it is signed by the key {seal.key[:80]}, which was not given")
        if not verifier.verify(file.seal.encode(), signature):
            return bad("bad_signature", "its text is not the one that was signed")
        entries = tuple(parse_entries(seal, file.objects))
    except MalformedError as error:
        return bad("malformed", str(error))
    if seal.cluster != cluster or reader.bucket not in ("", seal.bucket):
        return bad("moved", f"it is seal {seal.number} of cluster {seal.cluster} in the bucket {seal.bucket}")
    report = SealReport(cluster, number, "valid")
    if seal.number != number:
        report = SealReport(cluster, number, "moved", f"it is seal {seal.number}")
    named = Previous(seal.number, file.text_sha256, file.signature)
    return Step(report, seal, entries, named, sha256(content).hexdigest())


def _linked(step: Step, seal: Seal, last: Step | None, *, accept_restart: bool) -> Step:
    """The same seal, held against the last one that holds."""
    previous = seal.previous
    if last is None or last.named is None:
        return step
    if previous is None:
        if accept_restart:
            return step
        return _but(step, "restarted", f"it begins a chain, though there is seal {last.named.number} before it")
    # Who names one in between that is missing or no good cannot be held against it.
    if previous == last.named or last.named.number < previous.number < seal.number:
        return step
    return _but(step, "broken_chain", f"it names a seal {previous.number} that is not the one before it")


def _but(step: Step, state: SealState, detail: str) -> Step:
    return replace(step, report=replace(step.report, state=state, detail=detail))


def _missing(cluster: str, first: int, number: int, taken: set[int]) -> Iterator[Step]:
    for missing in range(first, min(number, first + MAX_MISSING)):
        if missing not in taken:
            yield Step(SealReport(cluster, missing, "missing", "there is no seal with this number"))
