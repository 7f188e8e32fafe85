"""The end of a cluster's chain of seals: where the next one goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auditwire.evidence.errors import MalformedError, NotThereError
from auditwire.evidence.seal import Previous, Seal, SealFile, parse_file, parse_seal, parse_seal_key, seals_of
from auditwire.evidence.signing import Verifier
from auditwire.evidence.store import Listed, Reader, Writer, read_whole
from auditwire.evidence.times import parse_second

MAX_SEAL_BYTES: Final = 64 << 20
"""A seal names 20,000 objects in some 7 MB."""

MAX_QUIET: Final = timedelta(days=30)
"""A cluster from which nothing arrived for longer is sealed once a day."""

MAX_LAG_OF_THE_QUIET: Final = timedelta(hours=27)

_MAX_OF_ANOTHER_KEY: Final = 20


@dataclass(frozen=True, slots=True)
class Signed:
    """A seal as it was written."""

    seal: Seal
    file: SealFile

    @property
    def reached(self) -> datetime:
        """Until when arrivals are sealed."""
        return parse_second(self.seal.reached)

    def is_quiet(self, moment: datetime) -> bool:
        """Whether nothing had arrived for so long at a moment that a seal a day is enough."""
        arrived = self.seal.arrived
        return arrived is not None and moment - parse_second(arrived) > MAX_QUIET

    def as_previous(self) -> Previous:
        """What the next seal says of it."""
        return Previous(self.seal.number, self.file.text_sha256, self.file.signature)


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a chain: its last good seal, None where there is none; the number of the next; and all objects that
    are called like seals, by number.

    ``faults`` are sentences about seals that are no good, or gone.
    """

    last: Signed | None
    next_number: int
    files: tuple[Listed, ...]
    faults: tuple[str, ...] = ()


def tail_of(store: Writer, cluster: str, verifier: Verifier) -> Tail:
    """The end of a cluster's chain. Raises EvidenceError for what cannot be read.

    The last good seal is the latest that ``verifier`` signed. Whoever may write to the bucket can put something behind
    it; that is passed over and told. Seals of another key count where there is none of this one: then the key has
    changed.
    """
    files = tuple(each for each in store.listing(seals_of(cluster)) if parse_seal_key(each.key))
    numbers = {_number(each) for each in files}
    other: Signed | None = None
    faults: list[str] = []
    of_another: list[str] = []
    for each in reversed(files):
        try:
            signed = read_signed(store, each, cluster)
            if signed.seal.key != verifier.fingerprint:
                other = other or signed
                of_another.append(f"{each.key} is signed by another key")
                if len(of_another) == _MAX_OF_ANOTHER_KEY:
                    break
                continue
            if not verifier.verify(signed.file.seal.encode(), signed.file.signature_bytes()):
                raise MalformedError("its signature does not hold")
        except MalformedError as error:
            faults.append(f"{each.key} is no good: {error}")
            continue
        except NotThereError:
            continue  # it went since it was listed
        return Tail(signed, _free_after(signed.seal.number, numbers), files, (*of_another, *faults))
    if other is not None:
        return Tail(other, _free_after(other.seal.number, numbers), files, tuple(faults))
    gone = _numbers_ever(store, cluster) - numbers
    if gone:
        faults.append(f"the seals of cluster {cluster} are gone: there were {len(gone)}, up to number {max(gone)}")
    return Tail(None, _free_after(max(gone | numbers, default=-1), numbers), files, tuple(faults))


def newest_of(store: Reader, cluster: str) -> Signed | None:
    """The last seal of a cluster that is called and made like one; no signature is looked at. None where there is none
    among the last few. Raises EvidenceError."""
    files = [each for each in store.listing(seals_of(cluster)) if parse_seal_key(each.key)]
    for each in reversed(files[-_MAX_OF_ANOTHER_KEY:]):
        try:
            return read_signed(store, each, cluster)
        except (MalformedError, NotThereError):
            continue
    return None


def lag_of(store: Reader, cluster: str, now: datetime) -> float:
    """For how many seconds what arrived in a cluster has not been sealed; 0 where there is no chain yet, and where the
    cluster is quiet and was sealed within the last day. Raises EvidenceError."""
    newest = newest_of(store, cluster)
    if newest is None:
        return 0.0
    lag = now - newest.reached
    return 0.0 if newest.is_quiet(now) and lag < MAX_LAG_OF_THE_QUIET else lag.total_seconds()


def read_signed(store: Reader, listed: Listed, cluster: str) -> Signed:
    """A seal that lies where it says it belongs; its signature is not looked at. Raises MalformedError."""
    if listed.size > MAX_SEAL_BYTES:
        raise MalformedError("it is too large for a seal")
    file = parse_file(read_whole(store, listed.key))
    seal = parse_seal(file.seal)
    if (seal.bucket, seal.cluster, seal.number) != (store.bucket, cluster, _number(listed)):
        raise MalformedError("it says that it belongs elsewhere")
    return Signed(seal, file)


def _number(listed: Listed) -> int:
    parsed = parse_seal_key(listed.key)
    return parsed[1] if parsed else -1


def _free_after(number: int, taken: set[int]) -> int:
    """The first number behind this one that nothing has. Numbers that somebody made up do not use up the others."""
    number += 1
    while number in taken:
        number += 1
    return number


def _numbers_ever(store: Writer, cluster: str) -> set[int]:
    def numbers() -> Iterator[int]:
        for key in store.keys_ever(seals_of(cluster)):
            parsed = parse_seal_key(key)
            if parsed:
                yield parsed[1]

    return set(numbers())
