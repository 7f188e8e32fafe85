"""The seal: a signed statement about what arrived in the archive from one moment to another.

A seal is one object, ``seals/cluster=C/<number>.json``::

    {"seal": "<text>", "signature": "<base64>", "key": "<fingerprint>", "objects": "<a line for each object>"}

Signed is ``seal``, byte by byte. It names ``objects`` by hash and Merkle root, so that it stays below the 4,096 bytes
that KMS signs, whatever the hour held. docs/evidence.md is the specification.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from auditwire.archive.keys import checked_cluster
from auditwire.aws.object_lock import Lock
from auditwire.evidence.errors import MalformedError
from auditwire.evidence.merkle import root_of

FORMAT: Final = "auditwire-seal/1"
ALGORITHM: Final = "ECDSA_SHA_256"
SEALS: Final = "seals/"
MAX_TEXT_BYTES: Final = 4096
"""What KMS signs as a message as it stands (MessageType RAW)."""

_KEY: Final = re.compile(r"seals/cluster=([a-z0-9-]{1,63})/([0-9]{10})\.json")

_Decoded = TypeVar("_Decoded")

Second = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Number = Annotated[int, msgspec.Meta(ge=0)]

Kind = Literal["first", "regular", "backfill", "gap"]
"""``first`` begins a chain, ``regular`` follows on, ``backfill`` names what a seal before it should have named,
``gap`` says that nobody sealed in time."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object of the archive as it lies there: ``size`` and ``sha256`` are those of its stored bytes.

    ``modified`` is when it arrived. ``events`` counts its lines, ``first`` and ``last`` are the times at which the
    earliest and the latest of them are kept, ``root`` is the Merkle root of the lines, without their line feeds. Of
    what is no object of lines ``fault`` says why, and the four are null; ``sha256`` is empty where nobody could read
    it.
    """

    key: str
    size: Number
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")]
    modified: Second
    events: Number | None
    first: str | None
    last: str | None
    root: Hash | None
    fault: str | None = None


class Totals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All objects of a seal: sums, and the hash and the Merkle root of their lines in ``objects``."""

    count: Number
    bytes: Number
    events: Number
    first: str | None
    last: str | None
    sha256: Hash
    root: Hash


class Previous(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The seal before: its number, the SHA-256 of its text, its signature."""

    number: Number
    sha256: Hash
    signature: str


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long objects were to be kept when they were sealed, and under which Object Lock."""

    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)]
    lock: Lock


class Books(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ingest counted in an hour, ``2026-11-21T22``; see docs/ledger.md."""

    hour: str
    received: int
    ignored: int
    archived: int
    quarantined: int
    not_stored: int


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """The signed text. Times are ``2026-11-21T22:00:00Z``.

    It is about what arrived from ``start`` on and before ``end``, and was signed at ``made``. ``begun`` is the
    ``start`` of the first seal of the chain, ``reached`` the ``end`` of its latest seal that is no backfill,
    ``arrived`` the latest arrival that any seal up to this one names. ``books`` are those of the hours that ended
    behind ``start`` and not behind ``end``, None where they could not be read. ``reason`` belongs to a gap.
    """

    format: str
    bucket: str
    cluster: str
    number: Number
    kind: Kind
    start: Second
    end: Second
    made: Second
    begun: Second
    reached: Second
    arrived: Second | None
    previous: Previous | None
    objects: Totals
    retention: Retention
    books: tuple[Books, ...] | None
    reason: str | None
    algorithm: str
    key: str


class SealFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The object as it lies in the bucket."""

    seal: str
    signature: str
    key: str
    objects: str

    @property
    def text_sha256(self) -> str:
        """The hash of the signed text: with the number, the head of the chain up to here."""
        return sha256(self.seal.encode()).hexdigest()

    def signature_bytes(self) -> bytes:
        """The signature as its algorithm makes it. Raises MalformedError."""
        try:
            return base64.b64decode(self.signature, validate=True)
        except (binascii.Error, ValueError):
            raise MalformedError("its signature is not base64") from None


_seals = msgspec.json.Decoder(Seal)
_files = msgspec.json.Decoder(SealFile)
_entries = msgspec.json.Decoder(Entry)


def seal_key(cluster: str, number: int) -> str:
    """Where a seal lies. Raises ValueError for a name that is no cluster name."""
    return f"{seals_of(cluster)}{number:010}.json"


def seals_of(cluster: str) -> str:
    """What the keys of a cluster's seals begin with. Raises ValueError for a name that is no cluster name."""
    return f"{SEALS}cluster={checked_cluster(cluster)}/"


def parse_seal_key(key: str) -> tuple[str, int] | None:
    """Cluster and number of a seal's key; None for another key."""
    found = _KEY.fullmatch(key)
    return (found[1], int(found[2])) if found else None


def listed(entries: Iterable[Entry]) -> str:
    """The text of ``objects``: a line of JSON for each entry, every one ended by a line feed."""
    return "".join(f"{entry_line(entry)}\n" for entry in entries)


def entry_line(entry: Entry) -> str:
    """An entry as a line of ``objects``, without its line feed."""
    return msgspec.json.encode(entry).decode()


def lines_in(objects: str) -> list[str]:
    """The lines of ``objects``, without their line feeds."""
    # Not splitlines: a key may hold what Unicode calls a line end.
    return objects.removesuffix("\n").split("\n") if objects else []


def totals_of(entries: Sequence[Entry], objects: str) -> Totals:
    """The totals of entries, whose text is ``objects``."""
    return Totals(
        count=len(entries),
        bytes=sum(entry.size for entry in entries),
        events=sum(entry.events or 0 for entry in entries),
        first=min((entry.first for entry in entries if entry.first), default=None),
        last=max((entry.last for entry in entries if entry.last), default=None),
        sha256=sha256(objects.encode()).hexdigest(),
        root=root_of(line.encode() for line in lines_in(objects)).hex(),
    )


def seal_text(seal: Seal) -> str:
    """What is signed."""
    return msgspec.json.encode(seal).decode()


def parse_file(content: bytes) -> SealFile:
    """The object as it was written. Raises MalformedError."""
    file: SealFile = _decoded(_files, content, "it is no seal")
    # Of a member that stands twice one reader takes the first and another the last.
    names = json.loads(content, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    if len(names) != len(set(names)):
        raise MalformedError("it is no seal: it has a member twice")
    return file


def parse_seal(text: str) -> Seal:
    """The signed text of a seal. Raises MalformedError, also for a seal of another version."""
    seal = _decoded(_seals, text.encode(), "its text is not that of a seal")
    if seal.format != FORMAT:
        raise MalformedError(f"it is of the format {seal.format[:40]!r}; this version reads {FORMAT}")
    return seal


def parse_entry(line: str) -> Entry:
    """The entry of a line of ``objects``. Raises MalformedError."""
    return _decoded(_entries, line.encode(), "its list of objects is damaged")


def parse_entries(seal: Seal, objects: str) -> list[Entry]:
    """The entries of ``objects``. Raises MalformedError where it is not the list that was signed."""
    if sha256(objects.encode()).hexdigest() != seal.objects.sha256:
        raise MalformedError("its list of objects is not the one that was signed")
    entries = [parse_entry(line) for line in lines_in(objects)]
    if totals_of(entries, objects) != seal.objects:
        raise MalformedError("its totals are not those of its list of objects")
    return entries


def _decoded(decoder: "msgspec.json.Decoder[_Decoded]", content: bytes, what: str) -> _Decoded:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"{what}: {error}") from None
