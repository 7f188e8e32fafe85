"""A stack with its archive in DynamoDB: from a posted batch to every way of finding it again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from archive_table import records_of
from auditwire.archive import HourGroup, QuarantineNote, S3Archive, batch_digest, quarantine_key
from auditwire_cli.main import app
from auditwire_local import LocalSystem, Options
from faults import Calls, Trouble, Wire, half_of_the_items, throttled, timeout
from local_road import body_of, exec_event, post
from roles.calls import Recorder
from roles.permissions import allowed, statements_of
from waiting import until

WRITE = Calls("ingest", "dynamodb.BatchWriteItem")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    lines: list[str]
    stderr: str


class Desk:
    """Somebody at a terminal with a running system, and its wire to AWS."""

    def __init__(self, system: LocalSystem, wire: Wire, state: Path, recorder: Recorder) -> None:
        self.system, self.wire, self.state, self.recorder = system, wire, state, recorder

    def send(self, *events: dict[str, Any]) -> int:
        return post(self.system, body_of(*events), self.system.clusters["demo"].credential)[0]

    def run(self, *words: object) -> Done:
        done = CliRunner().invoke(app, ["query", *map(str, words), "--state", str(self.state)], catch_exceptions=False)
        # The functions run in this process, and so do their logs and metrics.
        own = [line for line in done.stdout.splitlines() if not line.startswith(('{"_aws"', '{"level"'))]
        return Done(done.exit_code, own, done.stderr)

    def found(self, *words: object) -> list[dict[str, Any]]:
        """The lines that a query gives."""
        done = self.run(*words, "--format", "json")
        assert done.code == 0, done.stderr
        return [json.loads(line) for line in done.lines]

    def ids(self, *words: object) -> set[str]:
        return {line["auditID"] for line in self.found(*words)}

    def items(self) -> list[dict[str, Any]]:
        found = self.system.client("dynamodb").scan(TableName=self.system.outputs["ArchiveTable"])
        return sorted(found["Items"], key=lambda item: str(item["event"]["S"]))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    state = tmp_path_factory.mktemp("state") / "dev.json"
    options = Options(parameters={"ArchiveStore": "dynamodb"}, environments=1, schedules=False)
    with LocalSystem.start(options=options) as system, Wire().in_place() as wire, Recorder() as recorder:
        system.write_state(state)
        desk = Desk(system, wire, state, recorder)
        # Every function has a logger once it was called: one made while a command runs would keep that one's output.
        assert desk.send(exec_event(999, user={"username": "first"})) == 200
        until(lambda: system.status().delivered > 0)
        yield desk


def events(first: int, count: int, **changes: Any) -> list[dict[str, Any]]:
    return [exec_event(number, **changes) for number in range(first, first + count)]


def test_a_batch_is_archived_counted_and_found_by_every_road(desk: Desk) -> None:
    before, there = desk.system.status(), len(desk.items())
    ignored = exec_event(30, verb="list", objectRef={"resource": "pods"})
    batch = [*events(0, 27), exec_event(27, user={"username": "system:nobody"}), {"level": 5}, ignored]

    assert desk.send(*batch) == 200

    status = desk.system.status()
    assert status.received - before.received == 30
    assert status.archived - before.archived == 28
    assert sum(status.ignored.values()) - sum(before.ignored.values()) == 1
    assert sum(status.quarantined.values()) - sum(before.quarantined.values()) == 1
    assert len(desk.items()) == len(list(desk.system.archive_lines())) == there + 28
    wanted = {event["auditID"] for event in batch[:27]}
    (nobody,) = desk.found("--user", "system:nobody")
    assert (nobody["cluster"], nobody["_auditwire"]["alerting"]) == ("demo", ["alerting-rule.AttachOrExecPod"])
    assert desk.ids("--user", "mallory") == wanted
    assert desk.ids("--audit-id", exec_event(7)["auditID"]) == {exec_event(7)["auditID"]}
    assert desk.ids("--object", "pods/shop/web-7") == {exec_event(7)["auditID"]}
    day = ("--cluster", "demo", "--from", "2026-11-21T21:00", "--to", "2026-11-21T23:00")
    assert desk.ids(*day) == wanted | {nobody["auditID"], exec_event(999)["auditID"]}
    assert desk.ids(*day, "--user", "system:nobody") == {nobody["auditID"]}
    assert desk.ids("--user", "mallory", "--to", "2026-11-21T22:05") == set()
    assert desk.ids("--user", "mallory", "--cluster", "other") == set()


def test_alerts_say_where_their_evidence_lies_and_the_log_too(desk: Desk) -> None:
    assert desk.send(exec_event(40)) == 200

    until(lambda: any(alert["labels"].get("name") == "web-40" for alert in desk.system.status().latest_alerts))
    (alert,) = [one for one in desk.system.status().latest_alerts if one["labels"].get("name") == "web-40"]
    assert alert["annotations"]["archive_key"] == "demo#2026-11-21T22"
    assert not alert.get("generatorURL"), "no address of AWS shows an item by its key alone"
    assert desk.ids("--audit-id", alert["annotations"]["audit_ids"]) == {exec_event(40)["auditID"]}
    assert any('"objects":["demo#2026-11-21T22"]' in line for line in desk.system.logs("ingest"))


def test_a_repeat_changes_nothing(desk: Desk) -> None:
    assert desk.send(*events(50, 3)) == 200
    before, repeated = desk.items(), desk.system.status().repeated

    assert desk.send(*events(50, 3)) == 200
    assert desk.items() == before
    assert desk.system.status().repeated == repeated + 1
    # Cut another way: only what is new is added.
    assert desk.send(*events(52, 2)) == 200
    after = desk.items()
    assert len(after) == len(before) + 1
    assert all(item in after for item in before)


def test_what_an_event_lacks_stands_behind_it(desk: Desk) -> None:
    lacking = exec_event(55, user={"username": "padded"}, annotations={"audit.k8s.io/truncated": "true"})
    assert desk.send(lacking, exec_event(56, user={"username": "padded"})) == 200

    head, *lines = desk.run("--user", "padded").lines

    assert head.endswith("AUDIT ID")
    assert {line.rpartition("  ")[2] for line in lines} == {"bodies_skipped", exec_event(56)["auditID"]}


def test_an_event_too_large_for_an_item_is_found_through_its_pointer(desk: Desk) -> None:
    large = exec_event(60, user={"username": "heavy"}, annotations={"noise": Random(1).randbytes(420_000).hex()})
    assert desk.send(large) == 200

    (found,) = desk.found("--user", "heavy")
    assert found["annotations"] == large["annotations"]
    (item,) = [item for item in desk.items() if item["user"]["S"] == "heavy"]
    assert item["aside"]["S"].startswith("events/cluster=demo/date=2026-11-21/hour=22/20261121T220500.100000Z-")
    assert desk.ids("--store", "s3", "--from", "2026-11-21") == {large["auditID"]}


def test_what_was_kept_in_the_bucket_before_is_found_there(desk: Desk) -> None:
    bucket = S3Archive(desk.system.client("s3"), desk.system.outputs["ArchiveBucket"])
    now = datetime.now(UTC)
    for number, hours in ((61, 1), (62, 30)):
        before = (now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        [(hour, records)] = records_of(exec_event(number, stageTimestamp=before), cluster="old", received=now).items()
        place = bucket.place("old", HourGroup(hour, records[0].t, (0,)), "0" * 64)
        assert bucket.put_events(place, records, 0) == "stored"

    # Without a time it is the last day.
    done = desk.run("--store", "s3", "--user", "mallory", "--cluster", "old")
    assert [line.split()[-1] for line in done.lines[1:]] == [exec_event(61)["auditID"]]
    assert done.stderr.startswith(
        "looking at the last 24 hours; --from looks further back\n1 event\nlooked at 1 object"
    )
    both = {exec_event(61)["auditID"], exec_event(62)["auditID"]}
    assert desk.ids("--store", "s3", "--from", "2d", "--object", "pods/shop/web-62") == {exec_event(62)["auditID"]}
    assert desk.ids("--store", "s3", "--from", "2d", "--cluster", "old") == both
    assert desk.ids("--from", "2d", "--cluster", "old") == set(), "not in the table"


def test_what_lay_in_quarantine_goes_into_the_table(desk: Desk) -> None:
    body = body_of(exec_event(65, user={"username": "late"}))
    digest = batch_digest("demo", body)
    bucket = S3Archive(desk.system.client("s3"), desk.system.outputs["ArchiveBucket"])
    note = QuarantineNote("invalid_json", "body", "demo", datetime.now(UTC))
    bucket.put_quarantine(quarantine_key("demo", digest), body, note)
    retry = ["quarantine", "retry", digest, "--state", str(desk.state)]

    assert CliRunner().invoke(app, [*retry, "--dry-run"]).exit_code == 0
    assert desk.found("--user", "late") == []
    assert CliRunner().invoke(app, retry).exit_code == 0
    assert [line["_auditwire"]["batch"] for line in desk.found("--user", "late")] == [digest]
    (item,) = [item for item in desk.items() if item["user"]["S"] == "late"]
    assert int(item["expires"]["N"]) > (datetime.now(UTC) + timedelta(days=364)).timestamp()


@pytest.mark.parametrize("fault", [throttled, timeout, half_of_the_items])
def test_what_is_not_stored_is_not_answered_200_and_a_repeat_completes_it(desk: Desk, fault: Any) -> None:
    user = {"username": f"user-of-{fault.__name__}"}
    batch = events(70, 5, user=user)
    with desk.wire.faulty(Trouble(WRITE, fault)):
        assert desk.send(*batch) == 503
    assert len(desk.found("--user", user["username"])) < 5

    with desk.wire.faulty(Trouble(WRITE, fault, most=1)):
        assert desk.send(*batch) == 200, "what passes is waited for"

    assert desk.ids("--user", user["username"]) == {event["auditID"] for event in batch}


def test_the_role_allows_every_call_and_nothing_that_is_not_chosen(desk: Desk) -> None:
    assert desk.send(*events(80, 2)) == 200
    statements = statements_of(desk.system, "ingest")
    calls = desk.recorder.calls("ingest")
    assert [call for call in calls if not allowed(statements, call.action, call.resource, call.context)] == []
    table = desk.system.resource("ArchiveTable").attributes["Arn"]
    used = {call.action for call in calls if call.resource == table}
    assert used == {"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"}
    for action in ("PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "GetItem"):
        assert not allowed(statements, f"dynamodb:{action}", table)
    without = [statement for statement in statements if statement.sid != "WriteArchiveTable"]
    assert not any(allowed(without, action, table) for action in used)


def test_the_text_is_one_printable_line_an_event(desk: Desk) -> None:
    user = "mal\x1b[31mlory\nroot"
    assert desk.send(exec_event(90, user={"username": user})) == 200
    done = desk.run("--user", user)
    assert done.lines[0].split() == ["TIME", "CLUSTER", "USER", "VERB", "CODE", "OBJECT", "AUDIT", "ID"]
    assert " ".join(done.lines[1:]).split() == [
        "2026-11-21T22:05:00.100000Z", "demo", r"mal\u001b[31mlory\nroot", "get", "101", "pods/shop/web-90/exec",
        exec_event(90)["auditID"],
    ]  # fmt: skip
    assert done.stderr == "1 event\n"
    assert (desk.run("--user", "who").lines, desk.run("--user", "who").stderr) == ([], "0 events\n")


def test_a_limit_shows_the_newest_or_the_earliest_and_says_that_there_are_more(desk: Desk) -> None:
    user = {"username": "counted"}
    assert (
        desk.send(
            *(exec_event(n, user=user, stageTimestamp=f"2026-11-21T2{n % 4}:00:00.000000Z") for n in range(100, 104))
        )
        == 200
    )
    done = desk.run("--user", "counted", "--limit", 2)
    assert [line[:13] for line in done.lines[1:]] == ["2026-11-21T23", "2026-11-21T22"]
    oldest = desk.run("--user", "counted", "--limit", 2, "--oldest-first")
    assert [line[:13] for line in oldest.lines[1:]] == ["2026-11-21T20", "2026-11-21T21"]
    assert done.stderr == "2 events\nthere are more than these 2; --limit shows more\n"
    assert desk.run("--user", "counted", "--limit", 4).stderr == "4 events\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "it is not clear what to look for\n  hint: give --audit-id, --object, --user or --cluster"),
        (["--from", "24h"], 2, "it is not clear what to look for"),
        (["--user", ""], 2, "--user is empty"),
        (["--verb", "get", "--verb", ""], 2, "--verb is empty"),
        (["--cluster", "demo", "--code", "4x"], 2, "'4x' is not a status\n  hint: write it like 403 or 4xx"),
        (["--object", "/shop"], 2, "'/shop' names no resource"),
        (["--cluster", "../x"], 2, "'../x' is not a cluster name"),
        (["--user", "x", "--from", "soon"], 2, "'soon' is not a time"),
        (["--user", "x", "--from", "1h", "--to", "2h"], 2, "--to is not later than --from"),
        (["--user", "x", "--limit", "0"], 2, "limit"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(desk: Desk, words: list[str], code: int, said: str) -> None:
    done = desk.run(*words)
    assert (done.code, said in done.stderr) == (code, True)


def test_an_object_is_found_as_people_name_it_and_with_what_removed_it(desk: Desk) -> None:
    web = {"resource": "deployments", "apiGroup": "apps", "namespace": "yard", "name": "web"}
    yard = {"resource": "namespaces", "namespace": "yard", "name": "yard"}
    changes: list[dict[str, Any]] = [
        {"verb": "update", "objectRef": {**web, "subresource": "scale"}, "responseStatus": {"code": 200}},
        {"verb": "deletecollection", "objectRef": {**web, "name": ""}, "responseStatus": {"code": 403}},
        {"verb": "delete", "objectRef": yard, "sourceIPs": ["198.51.100.7"]},
        {"verb": "update", "objectRef": {**web, "name": "other"}},
    ]
    scaled, emptied, deleted, _ = made = [exec_event(300 + n, **change) for n, change in enumerate(changes)]
    assert desk.send(*made) == 200

    whole = {scaled["auditID"], emptied["auditID"], deleted["auditID"]}
    assert desk.ids("--object", "deploy/yard/web") == whole
    assert desk.ids("--object", "deployment/web", "--namespace", "yard") == whole
    assert desk.ids("--object", "deployments.apps/yard/web/scale") == {scaled["auditID"]}
    assert desk.ids("--object", "deploy/yard/web", "--verb", "delete", "--verb", "UPDATE") == whole - {
        emptied["auditID"]
    }
    assert desk.ids("--object", "deploy/yard/web", "--code", "4xx") == {emptied["auditID"]}
    assert desk.ids("--object", "deploy/yard/web", "--source", "198.51.100.0/24") == {deleted["auditID"]}
    rules = {
        rule for line in desk.found("--object", "deploy/yard/web/scale") for rule in line["_auditwire"]["archiving"]
    }
    assert all(scaled["auditID"] in desk.ids("--object", "deploy/yard/web", "--rule", rule) for rule in rules)
    assert desk.run("--object", "deploy/web").stderr == (
        "0 events\nlooked for deployments.apps/web; if that is in a namespace, add --namespace\n"
    )


def test_damage_is_named_and_hides_nothing_else(desk: Desk) -> None:
    user = {"username": "beside damage"}
    assert desk.send(exec_event(310, user=user)) == 200
    table = desk.system.outputs["ArchiveTable"]
    key = {"partition": {"S": "demo#2026-11-21T22#0"}, "event": {"S": "2026-11-21T22:05:00.000000Z#0"}}
    item = {**key, "userShard": {"S": f"{user['username']}#0"}, "line": {"B": b"no gzip"}}
    desk.system.client("dynamodb").put_item(TableName=table, Item=item)
    try:
        done = desk.run("--user", user["username"])
    finally:
        desk.system.client("dynamodb").delete_item(TableName=table, Key=key)
    assert (done.code, len(done.lines)) == (1, 2)
    assert done.stderr.startswith(f"1 event\n{table}: demo#2026-11-21T22#0 2026-11-21T22:05:00.000000Z#0: is damaged: ")
    assert done.stderr.endswith("1 object could not be read whole: what is missing may be there\n")


def test_an_event_of_the_far_future_is_found_by_its_receipt_and_shows_what_it_claims(desk: Desk) -> None:
    claimed = "9999-12-31T23:59:59.000000Z"
    assert desk.send(exec_event(320, user={"username": "future"}, stageTimestamp=claimed)) == 200
    hour = f"{datetime.now(UTC):%Y-%m-%dT%H}"
    done = desk.run("--user", "future", "--from", "2h")
    assert done.lines[1][:13] in (hour, f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H}")
    assert done.lines[1].endswith(f"  time_implausible {claimed}")


def test_a_table_is_not_sealed_and_verifying_says_so(desk: Desk) -> None:
    done = CliRunner().invoke(app, ["verify", "--state", str(desk.state)], catch_exceptions=False)
    assert done.exit_code == 2
    assert "archives events in DynamoDB, which is not sealed" in done.stderr
    # What lies in its bucket can be.
    in_bucket = CliRunner().invoke(app, ["verify", "--store", "s3", "--state", str(desk.state)], catch_exceptions=False)
    assert in_bucket.exit_code in (0, 3)
