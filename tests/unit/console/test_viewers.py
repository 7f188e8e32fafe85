"""What a viewer may not see is in no answer: not in rows, counts, facets, histograms, exports or single events."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from auditwire.events import inflate
from auditwire.search import Facet, Groups, Query, Wanted
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.scan import Scan
from auditwire_console import Grant, Viewer
from auditwire_console.viewer import ALL, Visible
from console_client import Console
from sealed import World
from searched import Archive, Row, ask, count, made_archive, odd_event, rows_of

PROD, TEST = frozenset({"prod"}), frozenset({"test"})
SHOP, WS = frozenset({"shop"}), frozenset({"ws"})
_NAMES = (frozenset[str](), SHOP, frozenset({"kube-system"}), frozenset({"", "none"}))


def any_grant(chance: random.Random) -> Grant:
    """A grant of anything, or of nothing."""
    clusters = chance.choice((None, frozenset[str](), PROD, TEST, PROD | TEST, frozenset({"none"})))
    return Grant(clusters, chance.choice(_NAMES), chance.choice((frozenset[str](), WS)), chance.random() < 0.15)


def any_viewer(seed: int) -> Viewer:
    """A viewer with several grants."""
    chance = random.Random(seed)
    grants = tuple(any_grant(chance) for _ in range(chance.randint(2, 4)))
    return Viewer(f"any-{seed}", grants, chance.choice(("", "prod", "test")))


VIEWERS = (
    Viewer("nobody"),
    Viewer("no-cluster", (Grant(everything=True),)),
    Viewer("no-grant", (Grant(PROD), Grant(None))),
    Viewer("prod-all", (Grant(PROD, everything=True),)),
    Viewer("every-shop", (Grant(None, SHOP),)),
    Viewer("prod-shop", (Grant(PROD, SHOP),), host_cluster="prod"),
    Viewer("ws", (Grant(PROD | TEST, workspaces=WS),)),
    Viewer("both", (Grant(TEST, frozenset({"shop", "other"}), WS),)),
    Viewer("strange", (Grant(PROD, frozenset({"%", "sho", "SHOP", "shop "})),)),
    Viewer("one-each", (Grant(PROD, SHOP), Grant(TEST, workspaces=WS)), host_cluster="test"),
    Viewer("all-and-part", (Grant(PROD, everything=True), Grant(TEST, SHOP), Grant(None))),
    Viewer("all-of-each", (Grant(PROD, everything=True), Grant(TEST, everything=True))),
    Viewer("part-and-all", (Grant(PROD, SHOP), ALL)),
    *map(any_viewer, range(4)),
)
SEVERAL = [viewer for viewer in VIEWERS if len(viewer.grants) > 1]
_GETTERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "user": lambda event: str(event["user"]["username"]),
    "cluster": lambda event: str(event["cluster"]),
}
KUBESPHERE = "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"


@pytest.fixture(scope="module")
def archive() -> Archive:
    chance, archive = random.Random(14), Archive()
    for cluster in ("prod", "test"):
        for batch in range(3):
            archive.take([odd_event(chance, batch * 100 + number) for number in range(30)], cluster)
    return archive


@pytest.fixture(scope="module")
def console(archive: Archive) -> Console:
    return Console(archive.store, *VIEWERS)


@pytest.fixture(scope="module")
def events(archive: Archive) -> list[Row]:
    return rows_of(archive)


@pytest.fixture(scope="module")
def sealed() -> tuple[World, str]:
    world = World()
    key = world.arrive(3)
    world.after(hours=2).seal()
    return world, key


def may_see(viewer: Viewer, row: Row) -> bool:
    """The grants in words of their own: of one of them the cluster, and of namespace, workspace and everything one.

    What an event says of its cluster counts for nothing: where it is archived does.
    """
    event, cluster = row.event, row.key.split("/")[1].removeprefix("cluster=")
    namespace, workspace = (event.get("objectRef") or {}).get("namespace", ""), event.get("workspace", "")
    for grant in viewer.grants:
        is_there = grant.clusters is None or cluster in grant.clusters
        if is_there and (grant.everything or namespace in grant.namespaces or workspace in grant.workspaces):
            return True
    return False


def seen(events: list[Row], viewer: Viewer) -> list[Row]:
    return [row for row in events if may_see(viewer, row)]


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_rows_and_exports_hold_what_is_granted(events: list[Row], console: Console, viewer: Viewer) -> None:
    expected = seen(events, viewer)

    rows = console.ask("/api/rows", {"order": "oldest", "limit": 1000}, viewer=viewer.name)["rows"]
    lines = console.get("/api/export", {"order": "oldest"}, viewer=viewer.name).content.splitlines()
    cells = console.get("/api/export", {"format": "csv"}, viewer=viewer.name).text

    assert [(row["key"], row["number"]) for row in rows] == [(row.key, row.number) for row in expected]
    assert lines == [row.line for row in expected]
    assert len([line for line in cells.splitlines() if line.startswith("2026-")]) == len(expected)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_counts_facets_and_histograms_count_what_is_granted(
    events: list[Row], console: Console, viewer: Viewer
) -> None:
    expected = seen(events, viewer)

    found = console.ask("/api/summary", {"facet": ["user", "cluster"], "interval": "1h"}, viewer=viewer.name)

    assert found["events"] == len(expected)
    assert sum(bucket["count"] for bucket in found["histogram"]) == len(expected)
    for field, get in _GETTERS.items():
        counted = {one["value"]: one["count"] for one in found["facets"].get(field, [])}
        assert counted == _counts(get(row.event) for row in expected)


_PIVOTS: tuple[tuple[dict[str, str], Callable[[dict[str, Any]], bool]], ...] = (
    ({"is": "user:mallory"}, lambda event: event["user"]["username"] == "mallory"),
    ({"not": "namespace:shop"}, lambda event: event["objectRef"]["namespace"] != "shop"),
    ({"has": "cluster:es"}, lambda event: event["cluster"] == "test"),
    ({"cluster": "prod", "text": "needle"}, lambda event: event["cluster"] == "prod" and "needle" in str(event)),
)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_pivots_lead_to_what_is_granted(events: list[Row], console: Console, viewer: Viewer) -> None:
    for asked, holds in _PIVOTS:
        expected = [(row.key, row.number) for row in seen(events, viewer) if holds(row.event)]

        rows = console.ask("/api/rows", {"order": "oldest", "limit": 1000, **asked}, viewer=viewer.name)["rows"]
        total = console.ask("/api/summary", asked, viewer=viewer.name)["events"]

        assert [(row["key"], row["number"]) for row in rows] == expected
        assert total == len(expected)


@pytest.mark.parametrize("viewer", SEVERAL, ids=lambda viewer: viewer.name)
def test_the_index_knows_what_is_granted(viewer: Viewer) -> None:
    archive = made_archive(14)
    wanted = Wanted(Groups(("cluster", "namespace")), facets=(Facet("workspace"),))

    expected = [(row.key, row.number, row.line) for row in rows_of(archive) if may_see(viewer, row)]

    for engine in (Visible(Scan(archive.store), viewer), Visible(DuckDBEngine(archive.store), viewer)):
        assert ask(engine, Query())[0] == expected
        counted, _ = count(engine, Query(), wanted)
        assert counted.events == len(expected)
        assert sum(group.count for group in counted.groups) == len(expected)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_no_cluster_is_read_of_which_nothing_is_granted(viewer: Viewer) -> None:
    granted = [grant for grant in viewer.grants if grant.everything or grant.namespaces or grant.workspaces]
    for asked in (None, PROD, PROD | TEST, frozenset({"other"})):
        clusters = viewer.limited(Query(clusters=asked)).clusters
        for name in ("prod", "test", "none", "other"):
            is_granted = any(each.clusters is None or name in each.clusters for each in granted)
            assert (clusters is None or name in clusters) == (is_granted and (asked is None or name in asked))


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_single_events_are_those_that_are_granted(events: list[Row], console: Console, viewer: Viewer) -> None:
    for row in events[::23]:
        for path in ("/api/event", "/api/why", "/api/evidence"):
            response = console.get(path, {"key": row.key, "number": row.number}, viewer=viewer.name)
            assert response.status_code == (200 if may_see(viewer, row) else 404)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_the_pages_beside_count_what_is_granted(events: list[Row], console: Console, viewer: Viewer) -> None:
    expected = seen(events, viewer)

    clusters = console.ask("/api/clusters", viewer=viewer.name)["clusters"]
    rules = console.ask("/api/rules", viewer=viewer.name)["rules"]
    rule = console.ask("/api/rule", {"rule": "doc.create"}, viewer=viewer.name)
    alerts = console.ask("/api/alerts", {"limit": 1000}, viewer=viewer.name)

    assert {one["cluster"]: one["events"] for one in clusters} == _counts(row.event["cluster"] for row in expected)
    matched = _counts(
        name for row in expected for part in ("archiving", "alerting") for name in row.event["_auditwire"].get(part, [])
    )
    assert {one["rule"]: one["matches"] for one in rules} == matched
    assert rule["events"] == matched.get("doc.create", 0)
    assert alerts["events"] == len(alerts["rows"]) == matched.get("doc.Created", 0)
    ledger = console.get("/api/ledger", viewer=viewer.name).status_code
    assert ledger == (200 if viewer.sees_all else 403)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_kubespheres_api_answers_with_what_is_granted(events: list[Row], console: Console, viewer: Viewer) -> None:
    expected = [row for row in seen(events, viewer) if viewer.host_cluster in ("", row.event["cluster"])]

    found = console.ask(KUBESPHERE, {"size": 1000, "sort": "asc"}, viewer=viewer.name)["query"]
    statistics = console.ask(KUBESPHERE, {"operation": "statistics"}, viewer=viewer.name)["statistics"]
    histogram = console.ask(KUBESPHERE, {"operation": "histogram"}, viewer=viewer.name)["histogram"]
    exported = console.get(KUBESPHERE, {"operation": "export"}, viewer=viewer.name).content.splitlines()

    assert found["total"] == len(expected) == len(exported)
    assert sorted(map(_audit_id, found["records"] or [])) == sorted(row.event["auditID"] for row in expected)
    assert sorted(json.loads(line)["AuditID"] for line in exported) == sorted(row.event["auditID"] for row in expected)
    assert statistics == {"resources": len({row.event["auditID"] for row in expected}), "events": len(expected)}
    assert histogram["total"] == len(expected)
    dated = [row for row in expected if row.event.get("requestReceivedTimestamp")]
    assert sum(bucket["count"] for bucket in histogram["buckets"] or []) == len(dated)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_what_is_registered_is_shown_to_those_who_see_all_of_a_cluster(
    archive: Archive, events: list[Row], viewer: Viewer
) -> None:
    asked: list[int] = []
    registered = [{"cluster": name, "events": 1_000, "sender": "kubernetes"} for name in ("prod", "test", "silent")]

    def clusters() -> list[dict[str, Any]]:
        asked.append(1)
        return registered

    console = Console(archive.store, *VIEWERS, clusters=clusters)

    shown = console.ask("/api/clusters", viewer=viewer.name)["clusters"]

    whole = [grant for grant in viewer.grants if grant.everything]
    assert [one["cluster"] for one in shown if one["credentials"]] == [
        name
        for name in ("prod", "silent", "test")
        if any(each.clusters is None or name in each.clusters for each in whole)
    ]
    assert {one["cluster"]: one["events"] for one in shown if one["events"]} == _counts(
        row.event["cluster"] for row in seen(events, viewer)
    )


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_receipts_prove_what_is_granted(sealed: tuple[World, str], viewer: Viewer) -> None:
    world, key = sealed
    console = Console(world.store, *VIEWERS, keys={world.key.fingerprint: world.key})

    for number, line in enumerate(inflate(world.store.objects[key], "gzip").splitlines()):
        event = json.loads(line)
        row = Row("", key, number, line, event)
        for path in ("/api/receipt", "/api/evidence"):
            response = console.get(path, {"key": key, "number": number}, viewer=viewer.name)
            assert response.status_code == (200 if may_see(viewer, row) else 404)


def test_what_is_asked_cannot_widen_what_is_granted(events: list[Row], console: Console) -> None:
    viewer = next(one for one in VIEWERS if one.name == "prod-shop")
    for cluster in ("test", "host", "prod"):
        path = f"/kapis/clusters/{cluster}/tenant.kubesphere.io/v1alpha2/auditing/events"
        found = console.ask(path, {"size": 1000}, viewer=viewer.name)["query"]
        expected = seen(events, viewer) if cluster != "test" else []
        assert found["total"] == len(expected)
        if not expected:
            assert found["records"] is None
    for asked in ({"cluster": "test"}, {"is": "namespace:kube-system"}, {"not": "namespace:shop"}):
        assert console.ask("/api/rows", asked, viewer=viewer.name)["rows"] == []


def _counts(values: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


def _audit_id(record: dict[str, Any]) -> str:
    return str(record["AuditID"])
