"""Points in time as people say them at the command line."""

import re
from datetime import UTC, datetime, timedelta

from auditwire_cli.errors import CallError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"([0-9]{1,5})([mhdw])")


def parse_since(text: str, now: datetime) -> datetime:
    """``90m``, ``24h``, ``7d`` or ``2w`` before now; or a date or time in ISO 8601, UTC unless it says otherwise.

    Raises CallError for anything else.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CallError(f"{text} is no time", "give one like 24h, 7d, 2026-11-21 or 2026-11-21T22:05:00Z") from None
