"""Athena's engine on the stand-in: the same answers as the plain scan, by the product's own SQL."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

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
from auditwire.search.errors import OutOfTimeError
from auditwire.search.index_builder import IndexBuilder
from auditwire.search.scan import Scan
from auditwire_local.athena import MAX_ROWS_A_PAGE, Engine, QueryRefused, mended_athena
from searched import ask, count, made_archive
from template import source

BUCKET = "archive-bucket"
DATABASE = "search"


def table_input(name: str) -> dict[str, Any]:
    given: dict[str, Any] = source()["Resources"][name]["Properties"]["TableInput"]
    place = given["StorageDescriptor"]["Location"]["Fn::Sub"].replace("${ArchiveBucket}", BUCKET)
    return {**given, "StorageDescriptor": {**given["StorageDescriptor"], "Location": place}}


@pytest.fixture(scope="module")
def place() -> Iterator[BucketObjects]:
    archive = made_archive(21, 3)
    with mock_aws(), mended_athena(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3, glue = boto3.client("s3"), boto3.client("glue")
        s3.create_bucket(Bucket=BUCKET)
        for key in archive.events():
            s3.put_object(Bucket=BUCKET, Key=key, Body=archive.store.objects[key])
        place = BucketObjects(s3, BUCKET)
        chance = random.Random(21)

        def put(key: str, content: bytes) -> None:
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)

        for _ in range(2):
            with IndexBuilder(put) as builder:
                for each in list(place.listing("events/")):
                    if chance.random() < 0.5:
                        assert each.modified
                        builder.add(each.key, each.size, int(each.modified.timestamp()), archive.lines(each.key))
                builder.write(archive.events())
        glue.create_database(DatabaseInput={"Name": DATABASE})
        for name in ("LinesTable", "IndexTable"):
            glue.create_table(DatabaseName=DATABASE, TableInput=table_input(name))
        boto3.client("athena").create_work_group(Name="work", Configuration={"BytesScannedCutoffPerQuery": 10_000_000})
        yield place


def athena(workgroup: str = "work") -> Athena:
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
    client = boto3.client("athena")
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
    late = Coverage(may_go_on=lambda: False)

    class Running:
        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def get_query_execution(self, **given: Any) -> Any:
            return {"QueryExecution": {"Status": {"State": "RUNNING"}}}

    running: Any = Running()
    with pytest.raises(OutOfTimeError):
        list(Athena(running, "work", DATABASE).select("SELECT 1", late))


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
