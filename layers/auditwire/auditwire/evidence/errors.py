"""What can go wrong with evidence.

EvidenceError            it could not be read, written or signed
├── NotThereError        an object is not there
├── DeniedError          one may not read an object, or it cannot be read as it lies there
└── MalformedError       something is not what its format says
"""

from auditwire.archive.errors import ArchiveError, UnreadableError


class EvidenceError(ArchiveError):
    """Evidence could not be read, written or signed; the message names the place."""


class NotThereError(EvidenceError, UnreadableError):
    """An object that is not there."""


class DeniedError(EvidenceError, UnreadableError):
    """An object that one may not read, or that cannot be read as it lies there: under a foreign key, put into cold
    storage."""


class MalformedError(EvidenceError):
    """Something is not what its format says; the message says why in a few words."""
