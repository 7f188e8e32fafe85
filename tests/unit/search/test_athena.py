"""Athena's engine on the stand-in: the same answers as the plain scan, by the product's own SQL."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from athena_place import DATABASE, WORKGROUP, SlowAthena, athena_place
from auditwire.archive.errors import ArchiveError
from auditwire.archive.filters import ObjectFilter
from auditwire.search import (
    AllOf,
    AnyOf,
    Coverage,
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
from auditwire.search import athena_engine as module
from auditwire.search.athena import Athena, athena_literal, filled_in
from auditwire.search.athena_engine import AthenaEngine
from auditwire.search.bucket import BucketObjects
from auditwire.search.errors import OutOfTimeError, StillRunningError
from auditwire.search.scan import Scan
from auditwire_local.athena import MAX_ROWS_A_PAGE, Engine, QueryRefused
from searched import ask, count, made_archive


@pytest.fixture(scope="module")
def place() -> Iterator[BucketObjects]:
    with athena_place(made_archive(21, 3)) as place:
        yield place


def athena(workgroup: str = WORKGROUP) -> Athena:
    return Athena(boto3.client("athena"), workgroup, DATABASE, sleep=lambda seconds: None)


TWO_GRANTS = AnyOf(
    (AllOf((Test("cluster", ("prod",)), Test("namespace", ("shop",)))), Test("cluster", ("test", "it's")))
)
QUERIES: list[tuple[Filter, tuple[str, ...]]] = [
    (AllOf(), ()),
    (Test("user", ("mallory", "nul\0l", "a'b\"c", "système")), ()),
    (Test("user", ("%", "É"), Match.CONTAINS, any_case=True), ()),
    (AllOf((Test("groups", ("OP",), Match.STARTS, any_case=True), Not(Test("code", (403,))))), ()),
    (Test("object", ("deployments.apps/shop/web", "namespaces/shop")), ()),
    (ObjectFilter("pods/shop/web"), ()),
    (TWO_GRANTS, ()),
    (TWO_GRANTS, ("needle",)),
    (AllOf(), ("needle",)),
    (AllOf(), ("é\0",)),
]


@pytest.mark.parametrize(("where", "texts"), QUERIES, ids=str)
def test_athena_answers_as_the_scan_does(place: BucketObjects, where: Filter, texts: tuple[str, ...]) -> None:
    query = Query(where, texts=texts)
    wanted = Wanted(Groups(("user", "groups", "code")), Histogram(Interval.parse("7m")), (Facet("object"),))
    engine, scan = AthenaEngine(place, athena(), narrow_above=0), Scan(place)
    page = random.Random(str(where)).choice((Page(), Page(3, 1, newest=True)))
    found, coverage = ask(engine, query, page)
    assert found == ask(scan, query, page)[0]
    assert (coverage.engine, coverage.unreadable, coverage.remarks) == ("athena", [], [])
    assert count(engine, query, wanted)[0] == count(scan, query, wanted)[0]


@pytest.mark.parametrize("interval", ["1M", "1q"])
def test_buckets_of_the_calendar_are_the_same(place: BucketObjects, interval: str) -> None:
    wanted = Wanted(histogram=Histogram(Interval.parse(interval), by="received"))
    assert count(AthenaEngine(place, athena()), Query(), wanted)[0] == count(Scan(place), Query(), wanted)[0]


def test_many_files_are_asked_about_in_several_statements(
    place: BucketObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_FILES", 1)
    for page in (Page(), Page(newest=True)):
        assert ask(AthenaEngine(place, athena()), Query(), page)[0] == ask(Scan(place), Query(), page)[0]
    wanted = Wanted(distinct=("audit_id",), facets=(Facet("verb"),))
    assert count(AthenaEngine(place, athena()), Query(), wanted)[0] == count(Scan(place), Query(), wanted)[0]


def test_the_table_of_lines_rules_out_objects(place: BucketObjects) -> None:
    everything = len(list(place.listing("events/")))
    found, coverage = ask(AthenaEngine(place, athena(), narrow_above=0), Query(texts=("1e400",)))
    assert len(found) == 1
    assert coverage.indexed + coverage.scanned >= everything


def test_what_athena_refuses_is_said(place: BucketObjects, tmp_path: Path) -> None:
    with pytest.raises(QueryRefused, match="Bytes scanned limit was exceeded"):
        Engine(tmp_path).run("SELECT line FROM event_lines WHERE cluster = 'prod'", DATABASE, 10)
    with pytest.raises(ArchiveError, match=r"Athena: .*WorkGroup"):
        count(AthenaEngine(place, athena("nobody")), Query())
    coverage = Coverage()
    for sql, reason in (
        ("SELECT line FROM event_lines WHERE \"date\" = '2026-11-21'", "CONSTRAINT_VIOLATION"),
        ("SELECT lin FROM event_lines WHERE cluster = 'prod'", "SYNTAX_ERROR"),
        ("SELECT '" + "x" * 300_000 + "'", "too long"),
    ):
        with pytest.raises(ArchiveError, match=reason):
            list(athena().select(sql, coverage))


def test_a_statement_that_takes_long_goes_on_and_is_asked_for_again(place: BucketObjects) -> None:
    del place
    slow, sql = SlowAthena(), "SELECT x FROM UNNEST(sequence(1, 3)) AS t (x)"
    for _ in range(2):
        with pytest.raises(StillRunningError):
            list(slow.athena.select(sql, slow.within(4, "search-of-somebody")))
    began = slow.now
    found = [list(slow.athena.select(sql, slow.within(4, "search-of-somebody"))) for _ in range(2)]
    assert found == [[(1,), (2,), (3,)]] * 2
    assert (len(slow.started), slow.stopped) == (1, [])
    # It was waited for, and when it had ended no longer.
    assert 8 <= began <= slow.now < 12


def test_another_statement_or_another_search_is_a_query_of_its_own(place: BucketObjects) -> None:
    del place
    slow = SlowAthena()
    for sql, search in (("SELECT 1", "one"), ("SELECT 2", "one"), ("SELECT 1", "two"), ("SELECT 1", "one")):
        with pytest.raises(StillRunningError):
            list(slow.athena.select(sql, slow.within(0, search)))
    assert len(slow.started) == 3


def test_without_a_name_a_statement_is_stopped_when_its_time_is_over(place: BucketObjects) -> None:
    del place
    slow = SlowAthena()
    for _ in range(2):
        with pytest.raises(OutOfTimeError):
            list(slow.athena.select("SELECT 1", slow.within(4, "")))
    assert len(slow.started) == 2
    assert slow.stopped == list(slow.started)


def test_a_statement_that_fails_has_failed_however_often_it_is_asked_for(place: BucketObjects) -> None:
    del place
    slow, sql = SlowAthena(), "SELECT lin FROM event_lines WHERE cluster = 'prod'"
    with pytest.raises(StillRunningError):
        list(slow.athena.select(sql, slow.within(4, "search-of-somebody")))
    for _ in range(2):
        with pytest.raises(ArchiveError, match="SYNTAX_ERROR"):
            list(slow.athena.select(sql, slow.within(20, "search-of-somebody")))
    assert len(slow.started) == 1


def test_a_request_token_stands_for_one_statement(place: BucketObjects) -> None:
    del place
    given: dict[str, Any] = {"WorkGroup": WORKGROUP, "ClientRequestToken": "t" * 32}
    client = boto3.client("athena")
    first = client.start_query_execution(QueryString="SELECT 1", **given)["QueryExecutionId"]
    assert client.start_query_execution(QueryString="SELECT 1", **given)["QueryExecutionId"] == first
    with pytest.raises(ClientError, match="InvalidRequestException"):
        client.start_query_execution(QueryString="SELECT 2", **given)


def test_results_come_page_by_page(place: BucketObjects) -> None:
    del place
    sql = filled_in("SELECT x FROM UNNEST(sequence(1, ?)) AS t (x)", (2 * MAX_ROWS_A_PAGE,))
    assert [x for (x,) in athena().select(sql, Coverage())] == list(range(1, 2 * MAX_ROWS_A_PAGE + 1))


@pytest.mark.parametrize(
    ("value", "written"),
    [(7, "7"), ("a'b", "'a''b'"), ("é", "U&'\\+0000e9'"), ("a\0'\\", "U&'a\\+000000\\+000027\\+00005c'")],
)
def test_values_are_written_so_that_they_end_no_text(value: str | int, written: str) -> None:
    assert athena_literal(value) == written


def test_every_question_mark_has_its_value() -> None:
    assert filled_in("a = ? AND b = ?", ("?", 1)) == "a = '?' AND b = 1"
    with pytest.raises(ValueError, match="1 parameters for"):
        filled_in("a = ? AND b = ?", (1,))
