"""The dead-letter commands against a running local system: alerts refused, looked at, sent again, delivered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from alertmanagers import Fake, alertmanager
from dev_process import Dev, dev
from local_road import body_of, exec_event
from waiting import until


class Desk:
    """Somebody at a terminal with a running system, whose Alertmanager refuses what ``refusing`` names."""

    def __init__(self, system: Dev, alertmanager: Fake, refusing: set[str]) -> None:
        self.system, self.alertmanager, self.refusing = system, alertmanager, refusing
        self.sqs, self.dead = system.client("sqs"), system.outputs["DeadLetterQueueUrl"]

    def run(self, *words: object) -> Any:
        return self.system.run("dlq", *words)

    def json(self, *words: object) -> Any:
        return self.system.json("dlq", *words)

    def letters(self) -> list[dict[str, Any]]:
        return list(self.json("list")["letters"])

    def refuse(self, number: int) -> None:
        """Sends an event whose alert Alertmanager refuses, and waits until the relay has put it aside."""
        self.refusing.add(f"web-{number}")
        self.system.send(body_of(exec_event(number)))
        until(lambda: any(letter["labels"]["name"] == f"web-{number}" for letter in self.letters()))

    def die(self, number: int, **attributes: str) -> str:
        """Puts an alert among the dead letters as SQS does after too many receipts; its id."""
        labels = {"alertname": "Waited", "cluster": "demo", "name": f"web-{number}"}
        sent = self.sqs.send_message(
            QueueUrl=self.dead,
            MessageBody=json.dumps({"labels": labels}),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in {"rule": "own.Waited", **attributes}.items()
            },
        )
        return str(sent["MessageId"])

    def delivered(self, number: int) -> bool:
        posts = self.alertmanager.posts[:]
        return any(
            alert["labels"].get("name") == f"web-{number}"
            for posted in posts
            for alert in posted
            if not {each["labels"].get("name") for each in posted} & self.refusing
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    refusing: set[str] = set()

    def respond(alerts: list[Any]) -> tuple[int, str]:
        refused = any(alert["labels"].get("name") in refusing for alert in alerts)
        return (400, '"invalid label set"') if refused else (200, "")

    with alertmanager(respond) as fake, dev(tmp_path_factory.mktemp("dev"), "--alertmanager", fake.url) as system:
        yield Desk(system, fake, refusing)


@pytest.fixture
def desk(running: Desk) -> Iterator[Desk]:
    yield running
    running.refusing.clear()
    while found := running.sqs.receive_message(QueueUrl=running.dead, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            running.sqs.delete_message(QueueUrl=running.dead, ReceiptHandle=message["ReceiptHandle"])


def test_an_alert_that_was_refused_is_listed_redriven_and_delivered(desk: Desk) -> None:
    desk.refuse(1)

    listed = desk.run("list").stdout
    (letter,) = desk.letters()
    kept = desk.run("redrive", "--all")
    desk.refusing.clear()
    moved = desk.run("redrive", letter["id"][:8], "--include-bad")

    assert listed.splitlines()[0].split() == ["SENT", "REASON", "ALERT", "CLUSTER", "ID", "DETAIL"]
    assert "refused  AttachOrExecPod  demo" in listed
    assert "refused: Alertmanager refused this one alert (400, 422), and would refuse it again" in listed
    assert (letter["reason"], letter["proven_bad"], letter["labels"]["user"]) == ("refused", True, "mallory")
    assert kept.exit_code == 0
    assert f"stays  {letter['id']}  AttachOrExecPod  demo  refused: 400" in kept.stdout
    assert kept.stdout.endswith("0 dead letters went back to the alerts queue, 1 proven bad and kept\n")
    assert moved.exit_code == 0
    assert moved.stdout.endswith("1 dead letter went back to the alerts queue\n")
    until(lambda: desk.delivered(1))
    assert desk.letters() == []


def test_alerts_nobody_took_are_redriven_with_their_attributes_and_delivered(desk: Desk) -> None:
    desk.die(2)
    desk.die(3, ErrorCode="KMSAccessDenied")

    done = desk.json("redrive", "--all")

    assert {letter["detail"] for letter in done["moved"]} == {"", "KMSAccessDenied"}
    assert (done["bad"], done["failed"], done["others"]) == ([], [], 0)
    until(lambda: desk.delivered(2) and desk.delivered(3))
    assert desk.run("list").stdout == "no dead letters\n"


def test_looking_consumes_nothing(desk: Desk) -> None:
    ids = {desk.die(number) for number in range(10, 25)}

    for _ in range(2):
        found = desk.json("list")
        assert {letter["id"] for letter in found["letters"]} == ids
        assert found["waiting"] == 15
    assert "5 dead letters of about 15; --limit shows more" in desk.run("list", "--limit", 5).stdout


def test_a_dry_run_moves_nothing(desk: Desk) -> None:
    identifier = desk.die(4)

    done = desk.run("redrive", "--all", "--dry-run")

    assert done.stdout == (f"would move  {identifier}  Waited  demo\n1 dead letter would go back to the alerts queue\n")
    assert [letter["id"] for letter in desk.letters()] == [identifier]


def test_what_holds_no_alert_is_shown_escaped_and_stays(desk: Desk) -> None:
    alerts = desk.system.outputs["AlertsQueueUrl"]
    desk.sqs.send_message(QueueUrl=alerts, MessageBody='no JSON \u202e "')
    until(lambda: bool(desk.letters()))

    listed = desk.run("list").stdout
    (letter,) = desk.letters()

    assert (letter["reason"], letter["labels"]) == ("malformed", None)
    assert "malformed: the message has no alert in it" in listed
    assert "\u202e" not in listed
    named = desk.run("redrive", letter["id"])
    assert named.exit_code == 1
    assert "auditwire: 1 letter proven bad stayed\n  hint: --include-bad sends" in named.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["redrive"], 2, "it is not clear what to redrive"),
        (["redrive", "--all", "12345678"], 2, "it is not clear what to redrive"),
        (["redrive", "1234567"], 2, "1234567 is too short"),
        (["redrive", "12345678"], 1, "there is no dead letter 12345678"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(desk: Desk, words: list[str], code: int, said: str) -> None:
    result = desk.run(*words)

    assert result.exit_code == code
    assert said in result.stderr
