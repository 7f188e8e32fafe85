"""What a query can say, and what it refuses."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditwire.search import (
    AllOf,
    AnyOf,
    Facet,
    Filter,
    Groups,
    Histogram,
    Interval,
    Match,
    Not,
    Page,
    Query,
    Test,
    Wanted,
)
from auditwire.search.answer import Bucket, filled
from auditwire.search.histogram import Unit
from auditwire.search.matching import Matcher
from auditwire.search.sums import Sums
from auditwire.search.text import has_text

AT = datetime(2026, 11, 21, 22, 5, 0, 100_000, tzinfo=UTC)


@dataclass
class Seen:
    """What a Found has, as far as these tests look at it."""

    verb: str = "create"
    user: str = "mallory"
    code: int | None = 201
    groups: tuple[str, ...] = ("dev", "ops")
    at: str = "2026-11-21T22:05:00.100000Z"
    received: str = ""
    rules: tuple[str, ...] = field(default=())


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (Test("user", ("mallory",)), True),
        (Test("user", ("Mallory",)), False),
        (Test("user", ("Mallory",), any_case=True), True),
        (Test("user", ("allo",), Match.CONTAINS), True),
        (Test("user", ("a%y", "m*"), Match.CONTAINS), False),
        (Test("user", ("mal",), Match.STARTS), True),
        (Test("user", ("ory",), Match.STARTS), False),
        (Test("code", (200, 201)), True),
        (Test("code", (403,)), False),
        (Test("groups", ("ops",)), True),
        (Test("groups", ("op",), Match.STARTS), True),
        (Test("rule", ("",)), False),
        (Test("user", ()), False),
        (AllOf(), True),
        (AnyOf(), False),
        (Not(Test("user", ("mallory",))), False),
        (AllOf((Test("user", ("mallory",)), Not(Test("verb", ("get",))))), True),
        (AnyOf((Test("user", ("eve",)), Test("verb", ("create",)))), True),
    ],
    ids=str,
)
def test_a_filter_holds_or_not(test: Any, holds: bool) -> None:
    assert test.matches(Seen()) is holds


def test_only_ascii_letters_have_two_cases() -> None:
    assert Test("user", ("ÉVE",), any_case=True).matches(Seen(user="Éve"))
    assert not Test("user", ("éve",), any_case=True).matches(Seen(user="Éve"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Test("usr", ("x",)), "there is no field 'usr'; there are time, received, cluster, "),
        (lambda: Test("time", ("x",)), "time is a time, which start and end of a query limit"),
        (lambda: Test("code", ("403",)), "code is a number, so it is never '403'"),
        (lambda: Test("user", (1,)), "user is a text, so it is never 1"),
        (lambda: Test("code", (4,), Match.STARTS), "code is a number, which is only compared as a whole"),
        (lambda: Groups(()), "name at least one field to count by"),
        (lambda: Groups(("time",)), "time is a time; a histogram counts by it"),
        (lambda: Facet("received"), "received is a time; a histogram counts by it"),
        (lambda: Wanted(distinct=("groups",)), "groups is not a text"),
        (lambda: Page(limit=-1), "limit and offset are not negative"),
        (lambda: Query(start=datetime(2026, 1, 1)), "start and end need an offset"),  # noqa: DTZ001
        (lambda: Query(texts=("",)), "an empty text is in every event"),
        (lambda: Interval.parse("10 minutes"), "'10 minutes' is no interval; write it like 10m, 1h, 1d or 1M"),
        (lambda: Interval.parse("0m"), "0m is no interval"),
        (lambda: Interval.parse("2M"), "2M is no interval"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r".*") as caught:
        wrong()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("interval", "start", "after"),
    [
        ("10m", "2026-11-21T22:00:00", "2026-11-21T22:10:00"),
        ("7s", "2026-11-21T22:04:54", "2026-11-21T22:05:01"),
        ("1d", "2026-11-21T00:00:00", "2026-11-22T00:00:00"),
        ("1w", "2026-11-16T00:00:00", "2026-11-23T00:00:00"),
        ("1M", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ("1q", "2026-10-01T00:00:00", "2027-01-01T00:00:00"),
        ("1y", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_buckets_begin_where_the_calendar_says(interval: str, start: str, after: str) -> None:
    read = Interval.parse(interval)

    assert str(read) == interval
    assert read.start(AT) == datetime.fromisoformat(f"{start}Z")
    assert read.after(read.start(AT)) == datetime.fromisoformat(f"{after}Z")


def test_time_ends() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)

    assert Interval(1, Unit.DAY).after(last) is None
    assert Interval(1, Unit.YEAR).after(last.replace(month=1, day=1)) is None


def test_empty_buckets_are_filled_in_within_bounds() -> None:
    start = AT.replace(minute=0, microsecond=0)
    buckets = (Bucket(start, 2), Bucket(start + timedelta(minutes=30), 1))

    assert [each.count for each in filled(buckets, Interval.parse("10m"))] == [2, 0, 0, 1]
    with pytest.raises(ValueError, match="would have more than 10 buckets"):
        filled(buckets, Interval.parse("1m"), 10)
    assert filled((), Interval.parse("1m")) == ()


def test_events_are_counted_by_everything_that_is_wanted() -> None:
    sums = Sums(
        Wanted(Groups(("user", "groups"), limit=3), Histogram(Interval.parse("1h")), (Facet("code", 1),), ("user",))
    )
    for seen in (Seen(), Seen(code=None), Seen(user="eve", groups=()), Seen(user="", groups=("dev", "dev"), code=None)):
        sums.add(seen)
    summary = sums.summary()

    assert summary.events == 4
    assert [(each.values, each.count) for each in summary.groups] == [
        (("mallory", "dev"), 2),
        (("mallory", "ops"), 2),
        (("", "dev"), 1),
    ]
    assert [(each.start.hour, each.count) for each in summary.histogram] == [(22, 4)]
    assert [(each.value, each.count) for each in summary.facets["code"]] == [(None, 2)]
    assert summary.distinct == {"user": 3}


def test_an_event_without_the_time_is_in_no_bucket() -> None:
    sums = Sums(Wanted(histogram=Histogram(Interval.parse("1h"), by="received")))
    sums.add(Seen())

    assert sums.summary().histogram == ()


@pytest.mark.parametrize(
    ("line", "text", "holds"),
    [
        (rb'{"a":"one two"}', "e t", True),
        (rb'{"a":"one two"}', "E T", False),
        (rb'{"key":1}', "ke", True),
        (rb'{"a":1e400}', "1e400", True),
        (rb'{"a":30080}', "300", True),
        (rb'{"a":[1,2]}', "1,2", False),
        (rb'{"a":"1,2"}', "1,2", True),
        (rb'{"a":"x","b":"y"}', '"', False),
        (rb'{"a":"say \"hi\""}', 'y "hi', True),
        (rb'{"a":"say \u0068i"}', "say hi", True),
        (rb'{"a":"\u0000"}', "\0", True),
        (rb'{"a":"\ud83d\ude00"}', "\U0001f600", True),
        (rb'{"a":"a\/b"}', "a/b", True),
        (rb'{"a":"\\u0068"}', r"\u0068", True),
        (rb'{"a":"\\u0068"}', "h", False),
        (rb'{"a":"first","a":"last"}', "first", True),
        (rb'{"a":true}', "tru", True),
        (b'{"a":"\xc3\xa9"}', "é", True),
        (rb'{"a":"x"}', "\udc80", False),
    ],
)
def test_a_text_is_in_a_string_or_a_number(line: bytes, text: str, holds: bool) -> None:
    assert has_text(line, text) is holds


_SHOP, _WS = Test("namespace", ("shop",)), Test("workspace", ("ws",))
_OF_PROD = AllOf((Test("cluster", ("prod",)), AnyOf((_SHOP, _WS))))


@pytest.mark.parametrize(
    ("where", "texts"),
    [
        (AllOf((_SHOP, _WS)), ["shop"]),
        (AnyOf((_SHOP, _WS)), ["shop", "ws"]),
        (AnyOf((_OF_PROD, AllOf((Test("cluster", ("test",)), _SHOP)))), ["shop", "ws"]),
        (AllOf((AnyOf((_SHOP,)), Test("user", ("me",)))), ["me"]),
        (AnyOf((_SHOP, Test("cluster", ("prod",)))), []),
        (AnyOf((_SHOP, Not(_WS))), []),
        (AnyOf((_SHOP, AllOf())), []),
        (AnyOf((_SHOP, Test("namespace", ("",)))), []),
        (AnyOf(tuple(Test("namespace", (f"shop-{number}",)) for number in range(9))), []),
        (AnyOf(), []),
    ],
    ids=str,
)
def test_lines_that_cannot_match_are_known_by_texts(where: Filter, texts: list[str]) -> None:
    assert [each.text for each in Matcher(Query(where)).texts] == texts
    assert [each.text for each in Matcher(Query(where, texts=("needle",))).texts] == ["needle"]
