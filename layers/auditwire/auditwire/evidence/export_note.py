"""How far a cluster's seals have been exported: a note in the archive bucket, which is no evidence."""

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from auditwire.archive.keys import checked_cluster
from auditwire.evidence.errors import MalformedError, NotThereError
from auditwire.evidence.store import read_whole

if TYPE_CHECKING:
    from auditwire.evidence.store import Reader, Writer

EXPORT: Final = "export/ocsf/"
"""The start of the keys of all notes."""

_Number = Annotated[int, msgspec.Meta(ge=0)]


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of the first seal that is not exported as a whole, and how many of its files are."""

    seal: _Number
    files: _Number = 0


def note_key(cluster: str) -> str:
    """Where the note of a cluster lies. Raises ValueError for a name that is no cluster name."""
    return f"{EXPORT}cluster={checked_cluster(cluster)}.json"


def read_position(reader: "Reader", cluster: str) -> Position | None:
    """How far a cluster is exported; None where nobody has noted anything. Raises EvidenceError."""
    key = note_key(cluster)
    try:
        return msgspec.json.decode(read_whole(reader, key), type=Position)
    except NotThereError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"{reader.name(key)}: is no note of an export: {error}") from None


def write_position(writer: "Writer", cluster: str, position: Position) -> None:
    """Notes how far a cluster is exported. Raises EvidenceError."""
    writer.put(note_key(cluster), msgspec.json.encode(position))
