"""Points and lengths of time, as people write them at the command line and as commands show them."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

import typer

from auditwire_cli.errors import UsageError
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import tell

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(?:[0-9]{1,6}[smhdw])+")
_PART = re.compile(r"([0-9]+)([smhdw])")
_DAY_OR_CLOCK = re.compile(
    r"(?P<day>today|yesterday)?(?P<gap> )?(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?", re.IGNORECASE
)
_EXAMPLES = "24h, 7d, yesterday, 10:00, 2026-11-21 or 2026-11-21T22:05:00Z"

From = Annotated[str | None, typer.Option("--from", "--since", metavar="TIME", help=f"From this time on: {_EXAMPLES}.")]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Before this time, written in the same way.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help=f"From this time on: {_EXAMPLES}.")]


def parse_duration(text: str) -> timedelta:
    """A length of time: ``90s``, ``30m``, ``12h``, ``7d``, ``4w``, or several of them, as in ``1h30m``.

    Raises UsageError for anything else, and for a length of zero.
    """
    length = _duration(text)
    if not length:
        raise UsageError(f"{_quoted(text)} is not a length of time", "write it like 30m, 12h, 90d or 4w")
    return length


def parse_time(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """A point in time: a length of time before ``now``, a date or time in ISO 8601, or what people say by the clock.

    ISO 8601 without an offset is UTC. ``now``, ``today``, ``yesterday``, ``10:00`` and ``yesterday 10:00`` are by the
    clock of ``zone`` (None: the zone of this machine), and so is the result, which otherwise is in UTC. A day is its
    beginning, ``10:00`` the last time it was that. Raises UsageError for anything else.
    """
    try:
        if length := _duration(text):
            return now - length
        if moment := _by_the_clock(text, now, zone):
            return moment
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{_quoted(text)} is not a time", f"write it like {_EXAMPLES}") from None


def read_time(option: str, text: str | None, now: datetime) -> datetime | None:
    """The time that an option gives, in UTC; None for an option that is not given.

    A time by the local clock is shown with its offset. Raises UsageError.
    """
    if text is None:
        return None
    moment = parse_time(text, now)
    if moment.tzinfo is not UTC:
        tell(f"{option} {printable(text)} is {moment.isoformat(timespec='seconds')}, local time")
    return moment.astimezone(UTC)


def parse_end(text: str, now: datetime) -> datetime:
    """When something shall end: a length of time from ``now``, or a date or time in ISO 8601, in UTC and whole
    seconds.

    Raises UsageError for anything else, and for a time that is not later than ``now``.
    """
    length = _duration(text)
    try:
        moment = now + length if length else datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{_quoted(text)} is not a time", "write it like 90d, 2027-02-21 or 2027-02-21T12:00:00Z"
        ) from None
    if moment <= now:
        raise UsageError(f"{_quoted(text)} is in the past", "give a later time")
    return moment


def iso(moment: datetime) -> str:
    """A time in UTC, to the second: ``2026-11-21T22:05:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_the_minute(moment: datetime) -> str:
    """A time for people, in UTC: ``2026-11-21 22:05Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def ago(moment: datetime, now: datetime) -> str:
    """How long before ``now`` that was, in its largest unit: ``3 d ago``, ``5 min ago``."""
    seconds = max(0, int((now - moment).total_seconds()))
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def now_in_seconds() -> datetime:
    """The time, in UTC and whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def _duration(text: str) -> timedelta:
    """The length of time; zero for any other text."""
    if not _DURATION.fullmatch(text):
        return timedelta()
    parts = ((int(number), _UNITS[unit]) for number, unit in _PART.findall(text))
    try:
        return sum((timedelta(**{unit: number}) for number, unit in parts), timedelta())
    except OverflowError:
        return timedelta()


def _by_the_clock(text: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    """The time that words or a time of day mean, None for other texts. Raises ValueError for 25:00."""
    if text.lower() == "now":
        return now.astimezone(zone)
    found = _DAY_OR_CLOCK.fullmatch(text)
    if not text or found is None or bool(found["gap"]) != bool(found["day"] and found["clock"]):
        return None
    today = now.astimezone(zone).date()
    clock = _clock(found["clock"]) if found["clock"] else time()
    if found["day"]:
        return _in_zone(today - timedelta(days=found["day"].lower() == "yesterday"), clock, zone)
    moment = _in_zone(today, clock, zone)
    return moment if moment <= now else _in_zone(today - timedelta(days=1), clock, zone)


def _clock(text: str) -> time:
    return time.fromisoformat(text if text[2] == ":" else f"0{text}")


def _in_zone(day: date, clock: time, zone: tzinfo | None) -> datetime:
    # A time without a zone is in that of this machine, with the offset it had on that day.
    naive = datetime.combine(day, clock)
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)


def _quoted(text: str) -> str:
    return repr(text[:80])
