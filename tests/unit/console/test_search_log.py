"""The log of searches: every one once, with who and what and how much, and never a secret."""

from collections.abc import Mapping
from typing import Any

import pytest

from auditwire.search.scan import Scan
from auditwire_console import ON_LAMBDA, Grant, Limits, Viewer
from auditwire_console.cost import Costs
from auditwire_console.search_log import PARAMETERS
from console_client import Console
from local_road import exec_event
from paid import Paid
from sealed import World
from searched import Archive

SHOP = Viewer("shop", (Grant(frozenset({"prod"}), namespaces=frozenset({"shop"})),))
KUBESPHERE = "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"
OF_CLUSTER = "/kapis/clusters/prod/tenant.kubesphere.io/v1alpha2/auditing/events"


def logged(archive: Archive, limits: Limits = ON_LAMBDA, **more: Any) -> tuple[Console, list[Mapping[str, Any]]]:
    log: list[Mapping[str, Any]] = []
    return Console(archive.store, SHOP, limits=limits, log=log.append, **more), log


def two_events() -> Archive:
    archive = Archive()
    archive.take([exec_event(1), exec_event(2, verb="create", objectRef={"resource": "pods", "namespace": "other"})])
    return archive


@pytest.mark.parametrize(
    ("path", "given", "questions"),
    [
        ("/api/rows", {"is": ["verb:get", "user:mallory"], "limit": "7"}, 1),
        ("/api/summary", {"facet": "user", "interval": "1h"}, 1),
        ("/api/export", {"format": "csv"}, 1),
        ("/api/rules", {"start": "2026-11-21T00:00:00Z"}, 1),
        ("/api/rule", {"rule": "doc.get"}, 1),
        ("/api/alerts", {"interval": "1h"}, 3),
        ("/api/clusters", {}, 2),
        (KUBESPHERE, {"verb_filter": "get", "operation": "statistics"}, 1),
        (KUBESPHERE, {"operation": "export"}, 1),
        (KUBESPHERE, {"size": "3"}, 2),
    ],
)
@pytest.mark.parametrize("limits", [ON_LAMBDA, Limits()], ids=("deployed", "local"))
def test_each_search_is_logged_once_with_who_and_what_and_how_much(
    path: str, given: dict[str, Any], questions: int, limits: Limits
) -> None:
    archive = two_events()
    console, log = logged(archive, limits)
    (size,) = {len(archive.store.objects[key]) for key in archive.events()}

    answer = console.get(path, given, viewer="shop")

    (record,) = log
    assert answer.status_code == 200
    assert {name: record[name] for name in ("viewer", "route", "status", "whole", "engine", "cut_off")} == {
        "viewer": "shop", "route": path, "status": 200, "whole": True, "engine": "scan", "cut_off": "",
    }  # fmt: skip
    assert record["parameters"] == {name: [text] if isinstance(text, str) else text for name, text in given.items()}
    assert (record["objects"], record["bytes"]) == (questions, questions * size)
    assert record["milliseconds"] >= 0


def test_looking_at_an_event_reads_its_object_and_the_seals_behind_it_and_is_counted() -> None:
    world, log = World(), list[Mapping[str, Any]]()
    keys = [world.arrive(3) for _ in range(5)]
    world.after(hours=2).seal()
    console = Console(world.store, keys={world.key.fingerprint: world.key}, limits=ON_LAMBDA, log=log.append)
    size = len(world.store.objects[keys[2]])

    for path in ("event", "why", "evidence", "receipt"):
        assert console.get(f"/api/{path}", {"key": keys[2], "number": 1}).status_code == 200

    seals = sum(len(content) for key, content in world.store.objects.items() if key.startswith("seals/"))
    assert [record["objects"] for record in log[:2]] == [1, 1]
    assert [record["bytes"] for record in log[:2]] == [size, size]
    # The object twice, to show the event and to prove it, and one seal: whatever else arrived in its hour.
    assert {record["objects"] for record in log[2:]} == {3}
    assert all(2 * size < record["bytes"] <= 2 * size + seals for record in log[2:])


def test_the_cluster_of_a_path_is_logged() -> None:
    console, log = logged(two_events())

    console.get(OF_CLUSTER, {"cluster": "test"})

    assert log[0]["route"] == "/kapis/clusters/{cluster}/tenant.kubesphere.io/v1alpha2/auditing/events"
    assert log[0]["parameters"] == {"cluster": ["prod", "test"]}


@pytest.mark.parametrize(
    ("path", "given", "viewer", "status"),
    [
        ("/api/rows", {"is": "user:secret"}, "nobody", 401),
        (KUBESPHERE, {"user_filter": "secret"}, "nobody", 403),
        ("/api/ledger", {}, "shop", 403),
        ("/api/rows", {"is": "nofield:x"}, "shop", 400),
        ("/api/event", {"key": "events/x", "number": "0"}, "shop", 404),
    ],
)
def test_what_is_refused_is_logged_too(path: str, given: dict[str, str], viewer: str, status: int) -> None:
    console, log = logged(two_events())

    assert console.get(path, given, viewer=viewer).status_code == status

    (record,) = log
    assert (record["status"], record["viewer"]) == (status, "" if viewer == "nobody" else viewer)
    # Of somebody unknown nothing is kept but that there was somebody.
    assert record["parameters"] == ({} if viewer == "nobody" else {name: [text] for name, text in given.items()})


def test_what_costs_too_much_and_what_is_too_large_is_logged() -> None:
    archive = two_events()
    engine = Paid(Scan(archive.store), "athena", dollars=2.0)
    costly, log = logged(archive, costs=Costs((engine,), 1.0))
    tight, of_tight = logged(archive, Limits(answer_bytes=10))
    late, of_late = logged(archive, Limits(export_seconds=-1, answer_bytes=10_000))

    assert costly.get("/api/rows").status_code == log[0]["status"] == 402
    assert tight.get("/api/export").status_code == of_tight[0]["status"] == 413
    assert late.get("/api/export").status_code == of_late[0]["status"] == 413
    assert (log[0]["objects"], of_tight[0]["objects"], of_late[0]["cut_off"]) == (0, 1, "time")


def test_an_export_that_breaks_off_while_it_is_sent_is_logged_as_no_whole_one() -> None:
    console, log = logged(two_events(), Limits(export_seconds=-1))

    with pytest.raises(Exception, match="the export takes longer"):
        console.get("/api/export")

    assert (log[0]["status"], log[0]["whole"], log[0]["cut_off"]) == (200, False, "time")


def test_the_page_and_what_is_unknown_are_no_searches() -> None:
    console, log = logged(two_events())
    for path in ("/", "/static/x/app.js", "/api/nothing", "/kapis/nothing", "/login"):
        console.get(path)
    console.client.post("/api/rows")
    console.get("/api/rows", headers={"origin": "https://evil.example"})

    assert log == []


def test_nothing_secret_is_ever_logged() -> None:
    secret, world = "s3cr3t-of-somebody", World()
    key = world.arrive(1)
    world.after(hours=2).seal()
    log: list[Mapping[str, Any]] = []
    console = Console(world.store, keys={world.key.fingerprint: world.key}, limits=ON_LAMBDA, log=log.append)
    sent = dict.fromkeys(("token", "code", "state", "to", "password", "authorization", "cookie", "nonce"), secret)
    headers = {
        "cookie": f"__Host-session={secret}; __Host-signin={secret}", "x-remote-user": secret, "user-agent": secret,
        "referer": secret, "x-amz-security-token": secret,
    }  # fmt: skip

    for path in ("/api/about", "/api/rows", "/api/event", "/api/why", "/api/evidence", "/api/receipt", "/api/export",
                 "/api/ledger", KUBESPHERE, OF_CLUSTER, "/login", "/callback", f"/{secret}"):  # fmt: skip
        for viewer in ("owner", secret):
            console.get(path, {**sent, "key": key, "number": "0"}, viewer=viewer, headers=headers)

    receipt = console.get("/api/receipt", {"key": key, "number": "0"}).json()
    assert len(log) >= 20
    assert secret not in str(log)
    assert not [part for part in _texts(receipt) if len(part) > 40 and part in str(log) and part != key]
    assert not PARAMETERS & sent.keys()


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [str(value)]
