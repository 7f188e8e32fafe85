"""Why an object is no event."""

import re
from typing import Final

import msgspec

from auditwire.events.casing import NULL, Fields, canonical_fields

REQUIRED: Final = ("level", "stage", "verb", "auditID")
"""The fields without which an object is no event."""


def missing_of(fields: Fields) -> list[str]:
    """The required fields that canonical fields lack, in the order of ``REQUIRED``."""
    return [name for name in REQUIRED if _is_missing(name, bytes(fields.get(name, NULL)))]


def fault_of(item: msgspec.Raw, error: msgspec.ValidationError) -> tuple[str, str]:
    """Why an object that could not be read as an event is none: a reason of ``Reject`` and a sentence."""
    missing = missing_of(canonical_fields(item))
    if len(missing) == len(REQUIRED):
        return "not_an_event", "the object has none of the fields of an audit event"
    if missing:
        return "missing_field", f"the event lacks {', '.join(missing)}"
    return "wrong_type", re.sub(r"\s+", " ", str(error))


def _is_missing(name: str, value: bytes) -> bool:
    # A request whose method has no verb is audited with an empty one.
    return value == b"null" or (value == b'""' and name != "verb")
