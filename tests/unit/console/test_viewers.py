"""What a viewer may not see is in no answer: not in rows, counts, facets, histograms, exports or single events."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from auditwire.events import inflate
from auditwire_console import Viewer
from console_client import Console
from sealed import World
from searched import Archive, Row, odd_event, rows_of

VIEWERS = (
    Viewer("nobody"),
    Viewer("no-cluster", clusters=frozenset(), everything=True),
    Viewer("no-grant", clusters=frozenset({"prod"})),
    Viewer("prod-all", clusters=frozenset({"prod"}), everything=True),
    Viewer("every-shop", clusters=None, namespaces=frozenset({"shop"})),
    Viewer("prod-shop", clusters=frozenset({"prod"}), namespaces=frozenset({"shop"}), host_cluster="prod"),
    Viewer("ws", clusters=frozenset({"prod", "test"}), workspaces=frozenset({"ws"})),
    Viewer("both", clusters=frozenset({"test"}), namespaces=frozenset({"shop", "other"}), workspaces=frozenset({"ws"})),
    Viewer("strange", clusters=frozenset({"prod"}), namespaces=frozenset({"%", "sho", "SHOP", "shop "})),
)
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


def may_see(viewer: Viewer, row: Row) -> bool:
    """The grant in words of its own: the cluster, and of the namespace, the workspace or everything one."""
    event = row.event
    if viewer.clusters is not None and event["cluster"] not in viewer.clusters:
        return False
    namespace = (event.get("objectRef") or {}).get("namespace", "")
    return viewer.everything or namespace in viewer.namespaces or event.get("workspace", "") in viewer.workspaces


def seen(archive: Archive, viewer: Viewer) -> list[Row]:
    return [row for row in rows_of(archive) if may_see(viewer, row)]


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_rows_and_exports_hold_what_is_granted(archive: Archive, console: Console, viewer: Viewer) -> None:
    expected = seen(archive, viewer)

    rows = console.ask("/api/rows", {"order": "oldest", "limit": 1000}, viewer=viewer.name)["rows"]
    lines = console.get("/api/export", {"order": "oldest"}, viewer=viewer.name).content.splitlines()
    cells = console.get("/api/export", {"format": "csv"}, viewer=viewer.name).text

    assert [(row["key"], row["number"]) for row in rows] == [(row.key, row.number) for row in expected]
    assert lines == [row.line for row in expected]
    assert len([line for line in cells.splitlines() if line.startswith("2026-")]) == len(expected)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_counts_facets_and_histograms_count_what_is_granted(archive: Archive, console: Console, viewer: Viewer) -> None:
    expected = seen(archive, viewer)

    found = console.ask("/api/summary", {"facet": ["user", "cluster"], "interval": "1h"}, viewer=viewer.name)

    assert found["events"] == len(expected)
    assert sum(bucket["count"] for bucket in found["histogram"]) == len(expected)
    for field, get in _GETTERS.items():
        counted = {one["value"]: one["count"] for one in found["facets"].get(field, [])}
        assert counted == _counts(get(row.event) for row in expected)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_single_events_are_those_that_are_granted(archive: Archive, console: Console, viewer: Viewer) -> None:
    for row in rows_of(archive)[::7]:
        for path in ("/api/event", "/api/why", "/api/evidence"):
            response = console.get(path, {"key": row.key, "number": row.number}, viewer=viewer.name)
            assert response.status_code == (200 if may_see(viewer, row) else 404)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_the_pages_beside_count_what_is_granted(archive: Archive, console: Console, viewer: Viewer) -> None:
    expected = seen(archive, viewer)

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
def test_kubespheres_api_answers_with_what_is_granted(archive: Archive, console: Console, viewer: Viewer) -> None:
    expected = [row for row in seen(archive, viewer) if viewer.host_cluster in ("", row.event["cluster"])]

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
def test_what_is_registered_is_shown_to_those_who_see_all_of_a_cluster(archive: Archive, viewer: Viewer) -> None:
    registered = [{"cluster": name, "events": 1_000, "sender": "kubernetes"} for name in ("prod", "test", "silent")]
    console = Console(archive.store, *VIEWERS, clusters=lambda: registered)

    shown = console.ask("/api/clusters", viewer=viewer.name)["clusters"]

    assert [one["cluster"] for one in shown if one["credentials"]] == (
        [name for name in ("prod", "silent", "test") if viewer.sees_cluster(name)] if viewer.everything else []
    )
    assert {one["cluster"]: one["events"] for one in shown if one["events"]} == _counts(
        row.event["cluster"] for row in seen(archive, viewer)
    )


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.name)
def test_receipts_prove_what_is_granted(viewer: Viewer) -> None:
    world = World()
    key = world.arrive(3)
    world.after(hours=2).seal()
    console = Console(world.store, *VIEWERS, keys={world.key.fingerprint: world.key})

    for number, line in enumerate(inflate(world.store.objects[key], "gzip").splitlines()):
        event = json.loads(line)
        row = Row("", key, number, line, event)
        for path in ("/api/receipt", "/api/evidence"):
            response = console.get(path, {"key": key, "number": number}, viewer=viewer.name)
            assert response.status_code == (200 if may_see(viewer, row) else 404)


def test_what_is_asked_cannot_widen_what_is_granted(archive: Archive, console: Console) -> None:
    viewer = next(one for one in VIEWERS if one.name == "prod-shop")
    for cluster in ("test", "host", "prod"):
        path = f"/kapis/clusters/{cluster}/tenant.kubesphere.io/v1alpha2/auditing/events"
        found = console.ask(path, {"size": 1000}, viewer=viewer.name)["query"]
        expected = seen(archive, viewer) if cluster != "test" else []
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
