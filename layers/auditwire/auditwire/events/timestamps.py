"""Audit timestamps in the one form that the archive uses: ``YYYY-MM-DDTHH:MM:SS.ffffffZ``.

Kubernetes writes six digits and ``Z``. Other senders and old versions write fewer digits, more digits or an offset.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

# RFC 3339. Digits after the sixth are cut, never rounded: rounding could move an event into the next hour.
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,30}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]\.")
_SECOND_LENGTH = len("2026-11-21T22:05:00.")
_NORMAL_LENGTH = len("2026-11-21T22:05:00.123456Z")
_MAX_LENGTH = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799
_UNSET_IN_GO = "0001-01-01T00:00:00.000000Z"


def normalise(text: str) -> str | None:
    """A timestamp of RFC 3339 in normal form (UTC, six digits); None if it cannot be read.

    Any offset is converted, digits beyond microseconds are cut, and a leap second becomes the second after it. Dates
    that do not exist, instants outside the years 1 to 9999 (UTC), and Go's zero time, which means "not set", cannot be
    read.
    """
    if is_normal(text):
        return text
    found = _RFC3339.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = found.groups()
    leap = second == "60"
    try:
        offset = timedelta(hours=int(offset_hour or 0), minutes=_minutes(offset_minute or "0"))
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            59 if leap else int(second),
            int((fraction or "0").ljust(6, "0")[:6]),
            timezone(-offset if sign == "-" else offset),
        )
        normal = as_text((moment + timedelta(seconds=leap)).astimezone(UTC))
    except (ValueError, OverflowError):
        return None
    return None if normal == _UNSET_IN_GO else normal


def is_normal(text: str) -> bool:
    """Whether a text is already a readable timestamp in normal form, as nearly all are."""
    return (
        len(text) == _NORMAL_LENGTH
        and text[-1] == "Z"
        and _is_second(text[:_SECOND_LENGTH])
        and (fraction := text[_SECOND_LENGTH:-1]).isdigit()
        and fraction.isascii()
    )


# The events of a batch happened within a few different seconds.
@lru_cache(maxsize=1024)
def _is_second(text: str) -> bool:
    """Whether ``YYYY-MM-DDTHH:MM:SS.`` names a second that exists and can be that of an event."""
    if not _SECOND.fullmatch(text) or _UNSET_IN_GO.startswith(text):
        return False
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return True


def as_text(moment: datetime) -> str:
    """A moment (with its offset) in normal form."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def of_epoch(seconds: float) -> str:
    """A moment in seconds since 1970 in the normal form; empty for one outside of the years 1970 to 9999."""
    if not 0 < seconds < _LAST_SECOND:
        return ""
    # By whole microseconds, so that a millisecond stays one.
    return as_text(_EPOCH + timedelta(microseconds=round(seconds * 1_000_000)))


def _minutes(text: str) -> int:
    minutes = int(text)
    if minutes > 59:
        raise ValueError(text)
    return minutes
