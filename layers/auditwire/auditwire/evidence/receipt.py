"""A receipt: one event's line, and the proof that a seal covers it. It shows no other event.

The line is a leaf of its object's tree, whose root stands in the object's entry; the entry is a leaf of the seal's
tree, whose root stands in the signed text.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from auditwire.archive.keys import events_of
from auditwire.evidence.errors import MalformedError
from auditwire.evidence.merkle import Side, Step, path_to, root_along
from auditwire.evidence.seal import Entry, Seal, SealFile, lines_in, parse_entry, parse_seal
from auditwire.evidence.walk import Keys

FORMAT: Final = "auditwire-receipt/1"


class Neighbour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Step as it stands in a receipt, its hash in hex."""

    side: Side
    sha256: str


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a receipt holds: texts exactly as they are hashed or signed, numbers from 0, paths from the leaf up."""

    format: str
    line: str
    line_number: int
    line_path: tuple[Neighbour, ...]
    entry: str
    entry_number: int
    entry_path: tuple[Neighbour, ...]
    seal: str
    signature: str
    key: str

    def as_text(self) -> str:
        """The receipt as a line of JSON."""
        return msgspec.json.encode(self).decode()


class Proven(msgspec.Struct, frozen=True):
    """What a good receipt proves: this line was in this object when this seal was signed."""

    line: str
    entry: Entry
    seal: Seal


class RefusedError(Exception):
    """A receipt that proves nothing; the message says why."""


def make_receipt(lines: Sequence[bytes], number: int, entry: str, file: SealFile) -> Receipt:
    """The receipt of one of an object's lines; ``entry`` is the object's line in the list of the seal ``file``.

    It proves as much as lines, entry and seal are worth; see prove. Raises ValueError where the entry is not in the
    list, IndexError where there is no such line.
    """
    entries = [line.encode() for line in lines_in(file.objects)]
    place = entries.index(entry.encode())
    return Receipt(
        format=FORMAT,
        line=lines[number].decode(),
        line_number=number,
        line_path=_neighbours(path_to(lines, number)),
        entry=entry,
        entry_number=place,
        entry_path=_neighbours(path_to(entries, place)),
        seal=file.seal,
        signature=file.signature,
        key=file.key,
    )


def parse_receipts(content: bytes) -> list[Receipt]:
    """The receipts of a file, one a line. Raises MalformedError."""
    try:
        receipts = [msgspec.json.decode(line, type=Receipt) for line in content.split(b"\n") if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"it is no receipt: {error}") from None
    if not receipts:
        raise MalformedError("it holds no receipt")
    for receipt in receipts:
        if receipt.format != FORMAT:
            raise MalformedError(f"it is of the format {receipt.format[:40]!r}; this version reads {FORMAT}")
    return receipts


def prove(receipt: Receipt, keys: Keys) -> Proven:
    """What a receipt proves. Raises RefusedError for one that proves nothing, EvidenceError where that cannot be found
    out."""
    try:
        file = SealFile(receipt.seal, receipt.signature, receipt.key, "")
        seal, signature, entry = parse_seal(receipt.seal), file.signature_bytes(), parse_entry(receipt.entry)
    except MalformedError as error:
        raise RefusedError(str(error)) from None
    verifier = keys.get(seal.key)
    if receipt.key != seal.key or verifier is None:
        raise RefusedError(f"its seal is signed by the key {seal.key[:80]}, which was not given")
    if not verifier.verify(receipt.seal.encode(), signature):
        raise RefusedError("the text of its seal is not the one that was signed")
    if not entry.key.startswith(events_of(seal.cluster)):
        raise RefusedError(f"its object is none of the cluster {seal.cluster}, for which its seal was signed")
    if _root(receipt.entry, receipt.entry_number, seal.objects.count, receipt.entry_path) != seal.objects.root:
        raise RefusedError("its object is not one that the seal names")
    if _root(receipt.line, receipt.line_number, entry.events or 0, receipt.line_path) != entry.root:
        raise RefusedError("its line is not one that was in the object")
    return Proven(receipt.line, entry, seal)


def _neighbours(path: Sequence[Step]) -> tuple[Neighbour, ...]:
    return tuple(Neighbour(step.side, step.sibling.hex()) for step in path)


def _root(text: str, number: int, size: int, path: Sequence[Neighbour]) -> str | None:
    try:
        steps = [Step(one.side, bytes.fromhex(one.sha256)) for one in path]
    except ValueError:
        return None
    root = root_along(text.encode(), number, size, steps)
    return None if root is None else root.hex()
