"""Points in time as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from auditwire_cli.errors import CallError
from auditwire_cli.since import parse_since

NOW = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(days=1)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T08:00:00+01:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
    ],
)
def test_an_age_or_a_time_is_understood(text: str, moment: datetime) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "24", "-1h", "999999w", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CallError, match="is no time"):
        parse_since(text, NOW)
