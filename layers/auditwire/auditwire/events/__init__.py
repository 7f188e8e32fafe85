"""Audit events: from a request body to typed events, and from an event to a line of the archive."""

from auditwire.events.bounds import MAX_INFLATED, MAX_ITEMS, MAX_KEYS
from auditwire.events.decoding import Decoded, Taken, decode, read
from auditwire.events.inflating import BodyError, inflate
from auditwire.events.level import Level
from auditwire.events.line import encode_line
from auditwire.events.managed_fields import strip_managed_fields
from auditwire.events.model import (
    AuthenticationMetadata,
    Event,
    Flag,
    ObjectRef,
    ResponseStatus,
    User,
)
from auditwire.events.reject import CutEvent, Reject, Skipped
from auditwire.events.settle import settle
from auditwire.events.stored import as_stored

__all__ = [
    "MAX_INFLATED",
    "MAX_ITEMS",
    "MAX_KEYS",
    "AuthenticationMetadata",
    "BodyError",
    "CutEvent",
    "Decoded",
    "Event",
    "Flag",
    "Level",
    "ObjectRef",
    "Reject",
    "ResponseStatus",
    "Skipped",
    "Taken",
    "User",
    "as_stored",
    "decode",
    "encode_line",
    "inflate",
    "read",
    "settle",
    "strip_managed_fields",
]
