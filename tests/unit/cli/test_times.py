"""Points and lengths of time, as people write them."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire_cli.errors import UsageError
from auditwire_cli.times import ago, iso, parse_duration, parse_end, parse_time, read_time, to_the_minute

# A Saturday, five past eleven in the evening in Berlin.
NOW = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(days=1)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("1h30m", NOW - timedelta(minutes=90)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20 08:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T08:00:00+01:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
    ],
)
def test_an_age_and_a_time_in_iso_8601_are_in_utc(text: str, moment: datetime) -> None:
    understood = parse_time(text, NOW, BERLIN)

    assert understood == moment
    assert understood.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-11-21T23:05:00+01:00"),
        ("today", "2026-11-21T00:00:00+01:00"),
        ("yesterday", "2026-11-20T00:00:00+01:00"),
        ("Yesterday", "2026-11-20T00:00:00+01:00"),
        ("10:00", "2026-11-21T10:00:00+01:00"),
        ("9:05", "2026-11-21T09:05:00+01:00"),
        ("23:05", "2026-11-21T23:05:00+01:00"),
        ("23:06", "2026-11-20T23:06:00+01:00"),
        ("9:05:30", "2026-11-21T09:05:30+01:00"),
        ("today 10:00", "2026-11-21T10:00:00+01:00"),
        ("yesterday 10:00", "2026-11-20T10:00:00+01:00"),
    ],
)
def test_what_people_say_by_the_clock_is_in_their_zone(text: str, moment: str) -> None:
    assert parse_time(text, NOW, BERLIN).isoformat() == moment


def test_a_day_begins_with_the_offset_it_had_then() -> None:
    # Summer time ended on 25 October 2026 at 3:00 in Berlin.
    now = datetime(2026, 10, 25, 20, tzinfo=UTC)

    assert parse_time("yesterday", now, BERLIN).isoformat() == "2026-10-24T00:00:00+02:00"
    assert parse_time("today", now, BERLIN).isoformat() == "2026-10-25T00:00:00+02:00"
    assert parse_time("20:00", now, BERLIN).isoformat() == "2026-10-25T20:00:00+01:00"


def test_today_depends_on_the_zone() -> None:
    now = datetime(2026, 11, 21, 2, tzinfo=UTC)

    assert parse_time("today", now, NEW_YORK).isoformat() == "2026-11-20T00:00:00-05:00"


@pytest.mark.parametrize(
    "text",
    ["", " ", "soon", "24", "-1h", "0m", "999999w", "2026-13-01", "0001-01-01T00:00:00+14:00", "25:00", "10:60",
     "yesterday10:00", "yesterday 25:00", "10:0", "10:00Z", "now 10:00", "todayyesterday",
     "1h 30m", "\u0661\u0660:\u0660\u0660", "\u0663h"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_time(text, NOW, BERLIN)


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_is_refused(text: str) -> None:
    for parse in (parse_time, parse_end):
        with suppress(UsageError):
            assert parse(text, NOW).tzinfo is not None


def test_the_zone_of_this_machine_counts_and_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        understood = read_time("--from", "yesterday", NOW)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert understood == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert understood.tzinfo is UTC
    assert capsys.readouterr().err == "--from yesterday is 2026-11-21T00:00:00+09:00, local time\n"


def test_a_time_in_utc_needs_no_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_time("--from", None, NOW) is None
    assert read_time("--from", "24h", NOW) == NOW - timedelta(days=1)
    assert capsys.readouterr().err == ""


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_a_length_of_time_is_read(number: int, unit: str) -> None:
    seconds = number * {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}[unit]

    assert parse_duration(f"{number}{unit}") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "m", "0m", "-5m", "5 m", "5y", "1234567d", "1.5h", "\u0663h", "5m\n"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a length of time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("12h", NOW + timedelta(hours=12)),
        ("90d", NOW + timedelta(days=90)),
        ("4w", NOW + timedelta(weeks=4)),
        ("2027-02-21", datetime(2027, 2, 21, tzinfo=UTC)),
        ("2027-02-21T12:00:00+02:00", datetime(2027, 2, 21, 10, tzinfo=UTC)),
        ("2027-02-21T12:00:00.9Z", datetime(2027, 2, 21, 12, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_length_of_time_or_a_date(text: str, end: datetime) -> None:
    assert parse_end(text, NOW) == end


@pytest.mark.parametrize(
    "text", ["", "soon", "0d", "90", "90y", "-1d", "2026-11-21", "2026-13-01", "1234567d", "999999w", "yesterday"]
)
def test_what_is_no_end_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_end(text, NOW)


def test_times_are_shown_in_utc() -> None:
    moment = datetime(2026, 11, 21, 23, 5, 7, tzinfo=BERLIN)

    assert iso(moment) == "2026-11-21T22:05:07Z"
    assert to_the_minute(moment) == "2026-11-21 22:05Z"


@pytest.mark.parametrize(
    ("before", "text"),
    [({"seconds": 59}, "59 s"), ({"seconds": 60}, "1 min"), ({"hours": 23}, "23 h"), ({"days": 3}, "3 d"),
     ({"seconds": -5}, "0 s")],
)  # fmt: skip
def test_an_age_is_shown_in_its_largest_unit(before: dict[str, int], text: str) -> None:
    assert ago(NOW - timedelta(**before), NOW) == f"{text} ago"
