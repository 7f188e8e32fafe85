"""What an issuer writes, as JSON objects, and its words, as text that can be shown."""

from typing import Any

import orjson

from auditwire.alerts.text import annotation_value
from auditwire_console.signin.errors import IssuerError
from auditwire_console.signin.fetching import MAX_LENGTH

_MAX_SHOWN = 200


def read_object(body: bytes, what: str) -> dict[str, Any]:
    """A JSON object of at most 1 MB. Raises IssuerError, which says of what, but nothing that stands there."""
    try:
        found = orjson.loads(body) if len(body) <= MAX_LENGTH else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        message = f"{what} is no JSON object of at most {MAX_LENGTH:,} bytes"
        raise IssuerError(message)
    return found


def shown(words: object) -> str:
    """The words of an issuer as one line of at most 200 characters; empty if they are no text. Not escaped."""
    return annotation_value(words, _MAX_SHOWN) if isinstance(words, str) else ""
