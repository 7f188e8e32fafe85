"""Times as seals give them: whole seconds of UTC, ``2026-11-21T22:00:00Z``."""

from datetime import UTC, datetime
from typing import Final

from auditwire.evidence.errors import MalformedError

_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


def as_second(moment: datetime) -> str:
    """A moment as text; what is less than a second is cut off."""
    # strftime does not fill up the year on every platform.
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_second(text: str) -> datetime:
    """The moment of such a text. Raises MalformedError."""
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise MalformedError(f"{text[:40]!r} is no time of a seal") from None
