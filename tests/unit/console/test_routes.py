"""What the page asks: single events with their reasons and evidence, exports, and what is answered to nonsense."""

import csv
import io
from typing import Any

import orjson
import pytest

from auditwire.evidence.receipt import parse_receipts, prove
from auditwire_console import Grant, Limits, Viewer
from console_client import Console
from local_road import exec_event
from rule_texts import document, rule, rule_set_of
from sealed import World
from searched import Archive

ALERTING = document(rule('Verb = "create" and User.Username = "jane"', name="Created"), name="doc")


def stored(event: dict[str, Any], **more: Any) -> tuple[Console, dict[str, Any]]:
    """A console over one event, and what names the event."""
    archive = Archive()
    (key,) = archive.take([event])
    return Console(archive.store, **more), {"key": key, "number": 0}


def test_an_event_is_shown_as_it_is_stored() -> None:
    archive = Archive()
    (key,) = archive.take([exec_event(1), exec_event(2, userAgent="curl <é>")])

    found = Console(archive.store).ask("/api/event", {"key": key, "number": 1})

    assert found["line"] == archive.lines(key)[1].decode()
    assert found["fields"]["agent"] == "curl <é>"


@pytest.mark.parametrize(
    "place",
    [
        {"key": "events/cluster=prod/date=2026-11-21/hour=22/nothing.jsonl.gz", "number": "0"},
        {"key": "seals/cluster=prod/0000000001.json", "number": "0"},
        {"key": "../../etc/passwd", "number": "0"},
        {"key": "", "number": "0"},
    ],
)
@pytest.mark.parametrize("path", ["/api/event", "/api/why", "/api/evidence", "/api/receipt"])
def test_what_is_no_event_is_not_there(path: str, place: dict[str, str]) -> None:
    console, _ = stored(exec_event(1))

    assert console.get(path, place).status_code == 404


def test_why_says_what_matched_then_and_what_the_rules_in_force_say() -> None:
    event = exec_event(1, verb="create", user={"username": "jane"})
    console, place = stored(event, rules=rule_set_of(ALERTING))

    found = console.ask("/api/why", place)

    assert [(one["rule"], one["became"]) for one in found["then"]["matches"]] == [
        ("doc.Created", "unknown"),
        ("doc.create", "archived"),
    ]
    assert (found["then"]["known"], found["then"]["delivery"]) == (False, None)
    (now,) = [one for one in found["now"] if one["rule"] == "doc.Created"]
    assert now["matched"] is True
    assert [child["value"] for child in now["tree"]["children"]] == [True, True]


HOUR: dict[str, Any] = {
    "cluster": "prod", "hour": "2026-11-21T22:00:00Z", "settled": True, "published": 3, "delivered": 3,
    "waiting": 0, "dead_lettered": 0, "refused": 0, "not_published": 0, "missing_alerts": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "state", "said"),
    [
        ([HOUR], "delivered", "took all 3 alerts"),
        ([HOUR, {**HOUR, "cluster": "test", "waiting": 1}], "delivered", "took all 3 alerts"),
        ([{**HOUR, "settled": False}], "unknown", "3 published, 3 delivered so far"),
        ([{**HOUR, "delivered": 2, "dead_lettered": 1}], "unknown", "1 dead letters"),
        ([{**HOUR, "waiting": 1}], "unknown", "1 waiting"),
        ([{**HOUR, "missing_alerts": 1}], "unknown", "1 lost or refused"),
        ([HOUR, {**HOUR, "hour": "2026-11-21T23:00:00Z", "waiting": 1}], "unknown", "6 published"),
        ([{**HOUR, "published": 0, "delivered": 0}], "unknown", "0 published"),
        ([{**HOUR, "hour": "2026-11-21T21:00:00Z"}], "unknown", "nobody knows these counts"),
        ([], "unknown", "nobody knows these counts"),
    ],
)
def test_an_alert_was_delivered_only_if_all_of_its_hour_were(rows: list[Any], state: str, said: str) -> None:
    archive, rules = Archive(), rule_set_of(ALERTING)
    event = orjson.loads(archive.lines(*archive.take([exec_event(1, verb="create", user={"username": "jane"})]))[0])
    event["_auditwire"] |= {"received": "2026-11-21T22:59:30.000000Z", "bundle": rules.digest}
    place = {"key": archive.put_lines([orjson.dumps(event)]), "number": 0}
    viewer = Viewer("shop", (Grant(None, frozenset({"shop"})),))
    console = Console(
        archive.store, viewer, rules=rules, rules_of=lambda digest: rules, ledger=lambda at: {"rows": rows}
    )

    then = console.ask("/api/why", place)["then"]
    limited = console.ask("/api/why", place, viewer="shop")["then"]

    assert then["matches"][0]["became"] == "alerted"
    assert (then["delivery"]["state"], said in then["delivery"]["detail"]) == (state, True)
    assert limited["delivery"] == {**limited["delivery"], "state": "unknown"}
    assert "published" not in limited["delivery"]["detail"]


def test_evidence_and_receipt_of_a_sealed_event() -> None:
    world = World()
    key = world.arrive(3)
    world.after(hours=2).seal()
    keys = {world.key.fingerprint: world.key}
    place = {"key": key, "number": 1}

    found = Console(world.store, keys=keys).ask("/api/evidence", place)
    without_key = Console(world.store).ask("/api/evidence", place)
    (receipt,) = parse_receipts(Console(world.store).get("/api/receipt", place).content)

    assert (found["state"], without_key["state"]) == ("sealed", "unknown")
    assert isinstance(found["seal"], int)
    assert prove(receipt, keys).entry.key == key


def test_an_event_that_was_changed_after_its_seal_is_said_to_be() -> None:
    world = World()
    key = world.arrive(3)
    world.after(hours=2).seal()
    other = world.arrive(3)
    world.store.objects[key] = world.store.objects[other]

    console = Console(world.store, keys={world.key.fingerprint: world.key})

    assert console.ask("/api/evidence", {"key": key, "number": 1})["state"] == "changed"
    assert console.ask("/api/evidence", {"key": other, "number": 1})["state"] == "unsealed"


def test_cells_of_an_export_are_no_formulas() -> None:
    console, _ = stored(
        exec_event(1, user={"username": '=HYPERLINK("https://evil.example")'}, userAgent="+1", verb="@x")
    )

    (row,) = csv.DictReader(io.StringIO(console.get("/api/export", {"format": "csv"}).text))

    assert row["user"] == '\'=HYPERLINK("https://evil.example")'
    assert (row["agent"], row["verb"]) == ("'+1", "'@x")


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("/api/rows", {"is": "nofield:x"}, "the fields are"),
        ("/api/rows", {"is": "verb"}, "is=FIELD:VALUE"),
        ("/api/rows", {"not": "time:2026"}, "not=FIELD:VALUE"),
        ("/api/rows", {"is": "code:many"}, "code is a number"),
        ("/api/rows", {"not": "code:"}, "code is a number"),
        ("/api/rows", {"is": "code:2_00"}, "code is a number"),
        ("/api/rows", {"is": f"code:{'9' * 5_000}"}, "code is a number"),
        ("/api/rows", {"start": "yesterday"}, "start is a time"),
        ("/api/rows", {"end": "2026-11-21T22:00:00"}, "end has no offset"),
        ("/api/rows", {"limit": "1001"}, "limit is a number from 0 to 1000"),
        ("/api/rows", {"offset": "-1"}, "offset is a number"),
        ("/api/rows", {"order": "best"}, "order is newest or oldest"),
        ("/api/summary", {"facet": "nofield"}, "no field"),
        ("/api/summary", {"facet": "time"}, "is a time"),
        ("/api/summary", {"interval": "often"}, "no interval"),
        ("/api/export", {"format": "xml"}, "format is jsonl or csv"),
        ("/api/event", {"key": "k", "number": "x"}, "number is the number of a line"),
        ("/api/event", {"key": "k", "number": "9" * 99}, "number is the number of a line"),
        ("/api/alerts", {"interval": "1"}, "no interval"),
    ],
)
def test_what_means_nothing_is_400_and_a_sentence(path: str, asked: dict[str, str], said: str) -> None:
    console, _ = stored(exec_event(1))

    response = console.get(path, asked)

    assert response.status_code == 400
    assert said in response.json()["problem"]


def test_filters_of_a_field_are_any_of_them_and_of_several_all() -> None:
    archive = Archive()
    archive.take([exec_event(n, verb=verb, user={"username": user}) for n, (verb, user) in enumerate(
        [("get", "jane"), ("create", "jane"), ("create", "bob"), ("delete", "Bobby")])])  # fmt: skip
    console = Console(archive.store)

    def verbs(*pairs: tuple[str, str]) -> list[str]:
        rows = console.ask("/api/rows", [("order", "oldest"), *pairs])["rows"]
        return [f"{row['verb']} {row['user']}" for row in rows]

    assert verbs(("is", "verb:get"), ("is", "verb:delete")) == ["get jane", "delete Bobby"]
    assert verbs(("is", "verb:create"), ("is", "user:bob")) == ["create bob"]
    assert verbs(("has", "user:BOB")) == ["create bob", "delete Bobby"]
    assert verbs(("not", "user:jane"), ("not", "verb:delete")) == ["create bob"]
    assert verbs(("text", "Bobby")) == ["delete Bobby"]
    assert verbs(("cluster", "elsewhere")) == []


def test_a_search_that_takes_too_long_ends_with_what_it_has_and_says_so() -> None:
    console, _ = stored(exec_event(1), limits=Limits(seconds=-1))

    found = console.ask("/api/summary")
    kubesphere = console.get("/kapis/tenant.kubesphere.io/v1alpha2/auditing/events")

    assert (found["events"], found["coverage"]["cutOff"]) == (0, "time")
    assert kubesphere.status_code == 500
    assert "narrow its time range" in kubesphere.text


def test_an_object_that_cannot_be_read_is_named() -> None:
    archive = Archive()
    (key,) = archive.take([exec_event(1)])
    archive.store.objects[key] = archive.store.objects[key][:-9]

    found = Console(archive.store).ask("/api/rows")

    assert key in found["coverage"]["unreadable"][0]


def test_alerts_are_of_rules_that_alert_by_their_priority_and_without_a_threshold() -> None:
    rules = rule_set_of(
        document(
            rule('Verb = "create"', name="Loud")
            + rule('Verb = "create"', name="Quiet", priority="INFO")
            + rule('Verb = "get"', name="Many", more=", threshold: {count: 3, within: 10m}"),
            name="doc",
        )
    )
    archive = Archive()
    (line,) = archive.lines(archive.take([exec_event(1)])[0])
    names = (["doc.Loud", "doc.Quiet"], ["doc.Quiet"], ["doc.Many"], ["doc.Gone"])
    events = [orjson.loads(line) for _ in names]
    for event, alerting in zip(events, names, strict=True):
        event["_auditwire"]["alerting"] = alerting
    archive.put_lines(map(orjson.dumps, events))

    known = Console(archive.store, rules=rules).ask("/api/alerts")
    unknown = Console(archive.store).ask("/api/alerts")
    rows = Console(archive.store, rules=rules).ask("/api/rows")

    assert known["events"] == len(known["rows"]) == sum(one["count"] for one in known["histogram"]) == 2
    assert [one["rule"] for one in known["rules"]] == ["doc.Gone", "doc.Loud"]
    assert {one["rule"]: one["count"] for one in known["quiet"]} == {"doc.Quiet": 2, "doc.Many": 1}
    assert (unknown["events"], unknown["quiet"], unknown["known"]) == (4, [], False)
    assert rows["quiet"] == ["doc.Many", "doc.Quiet"]
