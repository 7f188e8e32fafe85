"""The seals of a chain that are still to be exported."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditwire.evidence.chain import Signed, read_signed
from auditwire.evidence.errors import MalformedError, NotThereError
from auditwire.evidence.seal import seal_key
from auditwire.evidence.store import Listed

if TYPE_CHECKING:
    from auditwire.evidence.seal import Previous
    from auditwire.evidence.store import Reader


class Backlog:
    """The seals of a cluster from a number on, up to ``last``, whose signature was verified or just made.

    Each is found by what the one behind it says of it. So nothing counts that somebody has put among them, and no key
    of before is needed. ``known`` are seals that need not be read. Raises EvidenceError for what cannot be read.
    """

    def __init__(self, reader: "Reader", last: Signed, first: int, known: Mapping[int, Signed]) -> None:
        self._reader = reader
        self._cluster = last.seal.cluster
        self._known = {**known, last.seal.number: last}
        self.numbers: list[int] = []
        """The numbers of the seals, in order."""
        self.missing: int | None = None
        """The number of a seal that is gone or changed; of what comes before it nothing is known."""
        self._find(last, first)

    def first_from(self, number: int) -> Signed | None:
        """The first of these seals from a number on; None where there is none. Raises EvidenceError."""
        return next((self.read(each) for each in self.numbers if each >= number), None)

    def read(self, number: int) -> Signed:
        """One of these seals. Raises EvidenceError."""
        return self._known.get(number) or self._read(number)

    def _find(self, last: Signed, first: int) -> None:
        signed = last
        while signed.seal.number >= first:
            self.numbers.insert(0, signed.seal.number)
            previous = signed.seal.previous
            if previous is None:
                # The chain begins here, and it did not when the export had come so far.
                self.missing = first if signed.seal.number > first else None
                return
            if previous.number < first:
                return
            found = self._before(previous)
            if found is None:
                self.missing = previous.number
                return
            signed = found

    def _before(self, previous: "Previous") -> Signed | None:
        try:
            found = self.read(previous.number)
        except (MalformedError, NotThereError):
            return None
        return found if found.file.text_sha256 == previous.sha256 else None

    def _read(self, number: int) -> Signed:
        key = seal_key(self._cluster, number)
        [size] = [each.size for each in self._reader.listing(key)] or [0]
        return read_signed(self._reader, Listed(key, size, None), self._cluster)
