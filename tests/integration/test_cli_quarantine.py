"""The quarantine commands against a running local system: look, show, take up again."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from alertmanagers import Fake, alertmanager
from auditwire.archive import QuarantineNote, S3Archive, batch_digest, quarantine_key
from dev_process import Dev, dev
from envelopes import cloudwatch
from local_road import body_of, exec_event
from waiting import until

RECEIVED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Desk:
    """Somebody at a terminal with a running system and the address of its Alertmanager."""

    def __init__(self, system: Dev, alertmanager: Fake) -> None:
        self.system, self.alertmanager = system, alertmanager
        self.s3, self.bucket = system.client("s3"), system.outputs["ArchiveBucket"]

    def run(self, *words: object) -> Any:
        return self.system.run("quarantine", *words)

    def json(self, *words: object) -> Any:
        return self.system.json("quarantine", *words)

    def aside(self, raw: bytes, cluster: str = "demo", kind: Any = "body", reason: str = "invalid_json") -> str:
        """Puts bytes into the quarantine, as an ingest function that could not read them did; their digest."""
        digest = batch_digest(cluster, raw)
        note = QuarantineNote(reason, kind, cluster, RECEIVED)
        S3Archive(self.s3, self.bucket).put_quarantine(quarantine_key(cluster, digest), raw, note)
        return digest

    def send(self, body: bytes) -> str:
        """Sends a body as the cluster demo; its digest."""
        self.system.send(body)
        return batch_digest("demo", body)

    def archived(self, number: int) -> list[dict[str, Any]]:
        return [line for line in self.system.archived() if line["auditID"] == exec_event(number)["auditID"]]

    def alerted(self, number: int) -> bool:
        """Whether Alertmanager has an alert of that event."""
        alerts = [alert for posted in self.alertmanager.posts for alert in posted]
        return any(alert["labels"].get("name") == f"web-{number}" for alert in alerts)

    def in_quarantine(self) -> set[str]:
        return {row["digest"] for row in self.json("list", "--limit", 1000)}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with alertmanager() as fake, dev(tmp_path_factory.mktemp("dev"), "--alertmanager", fake.url) as system:
        yield Desk(system, fake)


@pytest.fixture
def desk(running: Desk) -> Iterator[Desk]:
    yield running
    for listed in running.s3.list_objects_v2(Bucket=running.bucket, Prefix="quarantine/").get("Contents", []):
        running.s3.delete_object(Bucket=running.bucket, Key=listed["Key"])


def test_what_could_not_be_read_is_listed_with_why(desk: Desk) -> None:
    digest = desk.send(b'{"kind": "EventList", "items": [{"x": NaN}]}')
    other = desk.aside(b"{", cluster="demo-ks", reason="truncated")

    listed = desk.run("list").stdout.splitlines()

    assert listed[0].split() == ["RECEIVED", "CLUSTER", "KIND", "REASON", "GZIPPED", "DIGEST"]
    assert {(*tuple(line.split()[1:4]), line.split()[5]) for line in listed[1:-1]} == {
        ("demo", "body", "invalid_json", digest[:12]),
        ("demo-ks", "body", "truncated", other[:12]),
    }
    assert listed[-1] == "2 objects"
    assert [row["digest"] for row in desk.json("list", "--cluster", "demo")] == [digest]
    assert [row["digest"] for row in desk.json("list", "--reason", "truncated")] == [other]
    assert [row["digest"] for row in desk.json("list", "--since", "2026-11-20T08:00:01Z")] == (
        [digest] if datetime.now(UTC) > RECEIVED else []
    )
    assert desk.json("list", "--since", "2999-01-01") == []
    assert "there are more than these 1; --limit shows more\n" in desk.run("list", "--limit", 1).stderr


def test_an_empty_quarantine_is_said_to_be_empty(desk: Desk) -> None:
    assert desk.run("list").stdout == "nothing in quarantine\n"
    assert desk.run("retry", "--all").stdout == "nothing in quarantine\n"


def test_the_text_of_a_cut_event_is_evidence_and_only_listed_on_demand(desk: Desk) -> None:
    text = json.dumps(exec_event(77) | {"requestObject": {"x": "y" * 300}})[:-100] + "[Truncated...]"
    desk.send(json.dumps(cloudwatch([text])).encode())

    assert [line["_auditwire"]["flags"] for line in desk.archived(77)] == [["cut_off", "cluster_differs"]]
    assert desk.in_quarantine() == set()
    assert desk.run("retry", "--all").stdout == "nothing in quarantine\n"
    (row,) = desk.json("list", "--salvaged")
    assert (row["reason"], row["kind"], len(row["salvaged"])) == ("truncated", "item", 64)


def test_show_names_the_place_of_the_fault(desk: Desk) -> None:
    body = b'{"kind": "EventList", "items": [{"verb": "get\x1b[31m", "x": NaN}]}'
    digest = desk.send(body.replace(b"\x1b", b""))
    shown = desk.run("show", digest[:8]).stdout

    assert f"key       quarantine/cluster=demo/{digest}.gz" in shown
    assert "today     still bad, invalid_json: JSON is malformed: invalid character (byte 57)" in shown
    assert '"x": ⟨here⟩NaN}]}' in shown

    hostile = desk.run("show", desk.send(body))
    assert "\x1b" not in hostile.output
    assert r"get⟨here⟩\u001b[31m" in hostile.stdout


def test_show_never_prints_what_redaction_would_hide(desk: Desk) -> None:
    secret = {"kind": "Secret", "data": {"password": "aHVudGVyMg=="}, "stringData": {"pin": 123456}}
    event = {**exec_event(1), "objectRef": {"resource": "secrets"}, "requestObject": secret}
    body = body_of(event)

    for raw in (body[:-2], body.replace(b"123456}", b"123456} aHVudGVyMg== NaN"), body.replace(b"shop", b"\xff")):
        digest = desk.aside(raw)
        for how in ("text", "json"):
            shown = desk.run("show", digest, "--format", how).output
            assert "aHVudGVyMg" not in shown
            assert "123456" not in shown
        assert desk.json("show", digest)["excerpt"]["masked"]
    assert "values are masked" in desk.run("show", digest).stdout


def test_raw_shows_everything_with_a_warning(desk: Desk) -> None:
    body = b'{"kind": "Secret", "data": "aHVudGVyMg==" \xff'
    shown = desk.run("show", desk.aside(body), "--raw")

    assert shown.stdout_bytes == body
    assert shown.stderr == "these bytes are not redacted: they may have secrets\n"


def test_a_body_that_can_be_read_today_is_archived_alerted_and_leaves_the_quarantine(desk: Desk) -> None:
    digest = desk.aside(body_of(exec_event(11), exec_event(12, verb="list", objectRef={"resource": "pods"})))
    shown = desk.run("show", digest).stdout
    assert f"can be read: 2 events; next: `auditwire quarantine retry {digest[:12]} --state " in shown

    done = desk.run("retry", digest)

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"processed  {digest[:12]}  demo  2 events: 1 archived, 1 ignored; 1 alert",
        "1 processed, 0 still bad, 0 failed",
    ]
    (line,) = desk.archived(11)
    assert (line["cluster"], line["_auditwire"]["received"]) == ("demo", "2026-11-20T08:00:00.000000Z")
    assert line["_auditwire"]["batch"] == digest
    assert desk.in_quarantine() == set()
    until(lambda: desk.alerted(11))
    versions = desk.s3.list_object_versions(Bucket=desk.bucket, Prefix=f"quarantine/cluster=demo/{digest}")
    assert len(versions["Versions"]) == 1, "the bytes can be recovered"


def test_an_item_is_taken_up_alone(desk: Desk) -> None:
    digest = desk.aside(json.dumps(exec_event(13)).encode(), kind="item", reason="wrong_type")

    assert desk.run("retry", digest).exit_code == 0
    assert len(desk.archived(13)) == 1


def test_what_was_stored_before_is_not_stored_again(desk: Desk) -> None:
    # No later than it was received, or its time would not be believed and it would be filed under the receipt.
    earlier = "2026-11-19T22:05:00.000000Z"
    body = body_of(exec_event(14, requestReceivedTimestamp=earlier, stageTimestamp=earlier))
    desk.send(body)
    digest = desk.aside(body)

    done = desk.run("retry", digest)

    assert done.stdout.splitlines()[0].endswith("1 event: 1 archived; 1 alert; stored before")
    assert len(desk.archived(14)) == 1


def test_all_takes_up_what_can_be_read_and_leaves_the_rest(desk: Desk) -> None:
    good = desk.aside(gzip.compress(body_of(exec_event(15))), reason="invalid_utf8")
    still = desk.send(b'{"items": [' + b"," * 3)

    done = desk.run("retry", "--all")

    assert done.exit_code == 0
    assert f"processed  {good[:12]}  demo  1 event: 1 archived; 1 alert" in done.stdout
    assert f"still bad  {still[:12]}  demo  invalid_json: JSON is malformed" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 processed, 1 still bad, 0 failed"
    assert desk.in_quarantine() == {still}
    assert desk.run("retry", still).exit_code == 1


def test_bad_items_of_a_body_that_can_be_read_stay_one_by_one(desk: Desk) -> None:
    digest = desk.aside(body_of(exec_event(16), {"level": 5}))

    (done,) = desk.json("retry", digest)

    assert (done["outcome"], done["received"], done["archived"]) == ("taken", 2, 1)
    assert sum(done["quarantined"].values()) == 1
    assert desk.in_quarantine() == {batch_digest("demo", b'{"level": 5}')}


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    digest = desk.aside(body_of(exec_event(17)))

    done = desk.run("retry", "--all", "--dry-run")

    assert done.stdout.splitlines() == [
        f"processed  {digest[:12]}  demo  1 event: 1 archived; 1 alert",
        "1 processed, 0 still bad, 0 failed (dry run: nothing was changed)",
    ]
    assert desk.archived(17) == []
    assert desk.in_quarantine() == {digest}


def test_a_choice_among_all_is_of_cluster_reason_and_time(desk: Desk) -> None:
    one = desk.aside(body_of(exec_event(18)), cluster="demo-ks")
    two = desk.aside(body_of(exec_event(19)), reason="truncated")

    assert [done["outcome"] for done in desk.json("retry", "--all", "--cluster", "demo-ks")] == ["taken"]
    assert [line["cluster"] for line in desk.archived(18)] == ["demo-ks"]
    assert desk.in_quarantine() == {two}
    assert one != two


def test_rules_that_cannot_be_had_take_nothing_up(desk: Desk) -> None:
    digest = desk.aside(body_of(exec_event(20)))
    rules = desk.system.outputs["RulesBucket"]
    active = desk.s3.get_object(Bucket=rules, Key="active.json")["Body"].read()
    desk.s3.put_object(Bucket=rules, Key="active.json", Body=b"{}")
    try:
        done = desk.run("retry", digest)
    finally:
        desk.s3.put_object(Bucket=rules, Key="active.json", Body=active)

    assert done.exit_code == 1
    assert "auditwire: the rules in force cannot be read: " in done.stderr
    assert desk.archived(20) == []
    assert desk.in_quarantine() == {digest}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["retry"], 2, "it is not clear what to retry"),
        (["retry", "12345678", "--all"], 2, "it is not clear what to retry"),
        (["retry", "12345678", "--cluster", "demo"], 2, "are for --all"),
        (["retry", "12345678"], 1, "there is no 12345678 in quarantine"),
        (["show", "1234567"], 2, "1234567 is too short"),
        (["show", "quarantine/cluster=demo/x.gz"], 1, "there is no quarantine/"),
        (["list", "--since", "soon"], 2, "'soon' is not a time"),
        (["list", "--cluster", "../x"], 2, "'../x' is not a cluster name"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(desk: Desk, words: list[str], code: int, said: str) -> None:
    result = desk.run(*words)

    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_alerts_that_sns_does_not_take_go_to_the_outbox(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last tests but one: the topic does not come back."""
    digest = desk.aside(body_of(exec_event(21)))
    monkeypatch.setattr("auditwire_cli.quarantine.retry._PUBLISH_SECONDS", 0.2)
    desk.system.client("sns").delete_topic(TopicArn=desk.system.outputs["AlertsTopicArn"])

    (done,) = desk.json("retry", digest)

    assert (done["outcome"], done["archived"], done["alerts"], done["outboxed"]) == ("taken", 1, 0, 1)
    assert len(desk.archived(21)) == 1
    assert desk.in_quarantine() == set()
    again = desk.run("retry", desk.aside(body_of(exec_event(22))))
    assert again.stdout.splitlines()[0].endswith("1 event: 1 archived; 1 alert in the outbox")


def test_nothing_leaves_the_quarantine_before_everything_is_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (desk.aside(body_of(exec_event(number))) for number in (23, 24))
    monkeypatch.setattr("auditwire_cli.quarantine.retry._PUBLISH_SECONDS", 0.2)
    outbox = f"arn:aws:s3:::{desk.bucket}/outbox/*"
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": outbox}
    policy = {"Version": "2012-10-17", "Statement": [denied]}
    desk.s3.put_bucket_policy(Bucket=desk.bucket, Policy=json.dumps(policy))

    done = desk.run("retry", "--all")

    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "0 processed, 0 still bad, 1 failed"
    assert "could not be processed: SNS took 0 of 1 alerts in time, and s3://" in done.stderr
    assert "it stays in quarantine; 1 other was not tried; run the command again" in done.stderr
    assert desk.in_quarantine() == {first, second}
