"""Every engine answers as one who decodes every line, whatever is in the archive, and whatever of it is indexed."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auditwire.archive.filters import CodeFilter, NamespaceFilter, ObjectFilter, RuleFilter, SourceFilter
from auditwire.search import (
    AllOf,
    AnyOf,
    Engine,
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
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.objects import LONGEST_REQUEST
from auditwire.search.scan import Scan
from auditwire.search.text import has_text
from searched import START, Archive, Row, ask, count, made_archive, rows_of

if TYPE_CHECKING:
    from auditwire.search.histogram import TimeField

Holds = Callable[[dict[str, Any]], bool]


def user(event: dict[str, Any]) -> str:
    return (event.get("user") or {}).get("username") or ""


def ref(event: dict[str, Any], name: str) -> str:
    return (event.get("objectRef") or {}).get(name) or ""


def code(event: dict[str, Any]) -> int | None:
    return (event.get("responseStatus") or {}).get("code")


def decision(event: dict[str, Any]) -> str:
    return str((event.get("annotations") or {}).get("authorization.k8s.io/decision"))


FILTERS: list[tuple[Filter, Holds]] = [
    (AllOf(), lambda event: True),
    (AnyOf(), lambda event: False),
    (Test("user", ("mallory", "nul\0l")), lambda event: user(event) in ("mallory", "nul\0l")),
    (Test("user", ("a'b\"c",)), lambda event: user(event) == "a'b\"c"),
    (Test("user", ("%",), Match.CONTAINS), lambda event: "%" in user(event)),
    (Test("user", ("SYST", "é"), Match.CONTAINS, any_case=True), lambda event: "syst" in user(event)),
    (Test("user", ("M",), Match.STARTS, any_case=True), lambda event: user(event)[:1] in ("m", "M")),
    (Test("user", ("",)), lambda event: user(event) == ""),
    (Not(Test("code", (403,))), lambda event: code(event) != 403),
    (Test("groups", ("ops",)), lambda event: "ops" in ((event.get("user") or {}).get("groups") or ())),
    (Not(Test("source", ("192.0.2.",), Match.STARTS)),
     lambda event: not any(source.startswith("192.0.2.") for source in event.get("sourceIPs") or ())),
    (AnyOf((Test("verb", ("create",)), AllOf((Test("namespace", ("shop",)), Test("decision", ("forbid",)))))),
     lambda event: event["verb"] == "create"
     or (ref(event, "namespace") == "shop" and decision(event) == "forbid")),
    (AnyOf((AllOf((Test("cluster", ("prod",)), Test("namespace", ("shop",)))),
            AllOf((Test("cluster", ("test", "2026")), AnyOf((Test("workspace", ("ws",)),)))))),
     lambda event: (event["cluster"] == "prod" and ref(event, "namespace") == "shop")
     or (event["cluster"] == "test" and event.get("workspace") == "ws")),
    (Test("workspace", ("ws",)), lambda event: event.get("workspace") == "ws"),
    (Test("alert", ("doc.Created",)), lambda event: "doc.Created" in event["_auditwire"].get("alerting", ())),
    (CodeFilter(("4xx", "200")), lambda event: code(event) in (403, 200)),
    (RuleFilter(("Created", "doc.get")),
     lambda event: {"doc.Created", "doc.get"} & {*event["_auditwire"].get("alerting", ()),
                                                 *event["_auditwire"].get("archiving", ())} != set()),
    (NamespaceFilter("shop"), lambda event: ref(event, "namespace") == "shop"
     or (ref(event, "resource"), ref(event, "name")) == ("namespaces", "shop")),
    (SourceFilter(("192.0.2.0/24",)), lambda event: any(each.startswith("192.0.2.")
                                                        for each in event.get("sourceIPs") or ())),
]  # fmt: skip


def within(row: Row, query: Query) -> bool:
    first = query.start.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if query.start else ""
    last = query.end.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if query.end else ":"
    time = row.at if query.by == "time" else row.event.get("requestReceivedTimestamp") or ""
    if query.by == "received" and not time and (query.start or query.end):
        return False
    return first <= time < last and (query.clusters is None or cluster_of(row) in query.clusters)


def cluster_of(row: Row) -> str:
    """Where it is archived, whatever it says."""
    return row.key.split("/")[1].removeprefix("cluster=")


def expected(archive: Archive, query: Query, holds: Holds) -> list[Row]:
    return [
        row
        for row in rows_of(archive)
        if within(row, query)
        and holds({**row.event, "cluster": cluster_of(row)})
        and all(has_text(row.line, text) for text in query.texts)
    ]


def random_query(chance: random.Random, where: Filter) -> Query:
    start = chance.choice((None, START, START + timedelta(hours=1), START + timedelta(seconds=1)))
    end = chance.choice((None, START + timedelta(hours=1), START + timedelta(hours=2, seconds=1)))
    return Query(
        where,
        start,
        None if start and end and start >= end else end,
        clusters=chance.choice((None, None, frozenset({"prod"}), frozenset({"2026", "none"}))),
        texts=chance.choice(((), (), (), ("needle",), ('say "hi"',), ("1e400",), ("é\0",), ("first",))),
    )


@pytest.mark.parametrize("seed", range(3))
def test_all_engines_find_the_same(seed: int) -> None:
    archive, chance = made_archive(seed), random.Random(seed)
    engines: list[Engine] = [Scan(archive.store), DuckDBEngine(archive.store)]
    for where, holds in FILTERS:
        query = random_query(chance, where)
        rows = [(row.key, row.number, row.line) for row in expected(archive, query, holds)]
        page = Page(chance.choice((None, 1, 3)), chance.choice((0, 0, 2)), chance.random() < 0.5)
        ordered = rows[::-1] if page.newest else rows
        last = None if page.limit is None else page.offset + page.limit
        for engine in engines:
            found, coverage = ask(engine, query, page)
            assert found == ordered[page.offset : last], (engine.name, query, page)
            assert coverage.cut_off == ("limit" if last is not None and last < len(rows) else "")
            assert not coverage.unreadable
            assert not coverage.remarks


@pytest.mark.parametrize("seed", range(4, 6))
def test_all_engines_count_the_same(seed: int) -> None:
    archive, chance = made_archive(seed), random.Random(seed)
    wanted = Wanted(
        Groups(("user", "groups", "source", "code")),
        Histogram(Interval.parse("7m")),
        (Facet("rule", 3), Facet("object", 100)),
        ("audit_id", "user"),
    )
    for where, holds in FILTERS:
        query = random_query(chance, where)
        rows = expected(archive, query, holds)
        scanned, _ = count(Scan(archive.store), query, wanted)
        indexed, coverage = count(DuckDBEngine(archive.store), query, wanted)
        assert scanned == indexed, query
        assert scanned.events == len(rows)
        assert sum(bucket.count for bucket in scanned.histogram) == len(rows)
        assert scanned.distinct["audit_id"] == len({row.event["auditID"] for row in rows})
        groups = Counter(
            (user(row.event), group, source, code(row.event))
            for row in rows
            for group in dict.fromkeys((row.event.get("user") or {}).get("groups") or [""])
            for source in dict.fromkeys(row.event.get("sourceIPs") or [""])
        )
        assert {group.values: group.count for group in scanned.groups} == groups
        assert not coverage.unreadable


@pytest.mark.parametrize("text", ["pods/shop/web", "deploy/web", "po/web/exec", "secrets"])
def test_an_object_is_found_by_every_engine_as_people_name_it(text: str) -> None:
    archive = made_archive(11)
    for namespace in ("", "shop"):
        query = Query(ObjectFilter(text, namespace))
        found, _ = ask(Scan(archive.store), query)
        assert ask(DuckDBEngine(archive.store), query)[0] == found
        assert count(DuckDBEngine(archive.store), query)[0].events == len(found)


@pytest.mark.parametrize("interval", ["3s", "1h", "1w", "1M", "1q", "1y"])
def test_buckets_are_the_same_by_either_time(interval: str) -> None:
    archive = made_archive(12)
    by: TimeField
    for by in ("time", "received"):
        wanted = Wanted(histogram=Histogram(Interval.parse(interval), by=by))
        scanned, _ = count(Scan(archive.store), Query(), wanted)
        assert count(DuckDBEngine(archive.store), Query(), wanted)[0] == scanned
        assert scanned.histogram


def test_the_time_of_receipt_may_limit_a_query() -> None:
    archive = made_archive(13)
    for end in (None, START + timedelta(seconds=1)):
        query = Query(start=START, end=end, by="received")
        last = (end or START + timedelta(days=1)) + LONGEST_REQUEST
        rows = [
            (row.key, row.number, row.line)
            for row in expected(archive, query, lambda event: True)
            if row.at < last.strftime("%Y-%m-%dT%H")
        ]
        for engine in (Scan(archive.store), DuckDBEngine(archive.store)):
            found, _ = ask(engine, query)
            assert [each for each in found if each in rows] == rows
