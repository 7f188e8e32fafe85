"""Dead letters are looked at without being consumed, and go back to the alerts queue without being lost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from auditwire.alerts import DeadLetterError, SqsDeadLetters
from auditwire.alerts.redrive import DeadLetter, Redriven, peek, redrive, waiting


def body(name: str) -> str:
    return json.dumps({"labels": {"alertname": name, "cluster": "prod"}})


@dataclass
class Queues:
    client: Any
    dead: str
    alerts: str

    def die(self, name: str, **attributes: str) -> None:
        """A message as SQS itself moves it: with the attributes it had."""
        self.client.send_message(
            QueueUrl=self.dead,
            MessageBody=body(name),
            MessageAttributes={key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()},
        )

    def redrive(self, **how: Any) -> Redriven:
        return redrive(self.client, self.dead, self.alerts, **{"wanted": lambda letter: True, "wait": 0, **how})

    def delivered(self) -> list[dict[str, Any]]:
        """Messages of the alerts queue, by alert name."""
        got: list[dict[str, Any]] = []
        while more := self.client.receive_message(
            QueueUrl=self.alerts, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            got += more
        return sorted(got, key=lambda message: name_of(message["Body"]))


def name_of(text: str) -> str:
    return str(json.loads(text)["labels"]["alertname"])


def names(letters: list[DeadLetter]) -> list[str]:
    return sorted(name_of(letter.body) for letter in letters)


@pytest.fixture
def queues() -> Iterator[Queues]:
    with mock_aws():
        client = boto3.client("sqs", "us-east-1")
        urls = [client.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "alerts")]
        yield Queues(client, *urls)


def test_a_peek_consumes_nothing_and_leaves_everything_visible(queues: Queues) -> None:
    for number in range(23):
        queues.die(f"A{number:02}")

    first = peek(queues.client, queues.dead, 100, wait=0)
    second = peek(queues.client, queues.dead, 100, wait=0)

    assert names(first) == names(second) == [f"A{number:02}" for number in range(23)]
    assert waiting(queues.client, queues.dead) == 23


def test_a_peek_is_bounded(queues: Queues) -> None:
    for number in range(12):
        queues.die(f"A{number}")

    assert len(peek(queues.client, queues.dead, 11, wait=0)) == 11


def test_a_letter_says_why_it_is_dead(queues: Queues) -> None:
    queues.die("Waited", rule="a.Waited")
    queues.die("FromSns", RequestID="r", ErrorCode="KMSAccessDenied", ErrorMessage="no key")
    SqsDeadLetters(lambda: queues.client, queues.dead).send(body("Refused"), "refused", "400 bad label")
    SqsDeadLetters(lambda: queues.client, queues.dead).send("no JSON", "malformed", "the message is not JSON")

    letters = peek(queues.client, queues.dead, 10, wait=0)
    told = {(letter.reason, letter.detail, letter.proven_bad, letter.alert is not None) for letter in letters}

    assert told == {
        ("undelivered", "", False, True),
        ("undelivered", "KMSAccessDenied no key", False, True),
        ("refused", "400 bad label", True, True),
        ("malformed", "the message is not JSON", True, False),
    }


def test_everything_but_the_bad_goes_back_with_its_attributes(queues: Queues) -> None:
    for number in range(23):
        queues.die(f"A{number:02}", rule=f"a.A{number:02}", priority="WARNING")
    SqsDeadLetters(lambda: queues.client, queues.dead).send(body("Refused"), "refused", "400")

    done = queues.redrive()

    assert (len(done.moved), names(done.bad), done.failed, done.others) == (23, ["Refused"], [], 0)
    delivered = queues.delivered()
    assert [name_of(message["Body"]) for message in delivered] == [f"A{number:02}" for number in range(23)]
    for message in delivered:
        texts = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert texts == {"rule": f"a.{name_of(message['Body'])}", "priority": "WARNING"}
    assert names(peek(queues.client, queues.dead, 100, wait=0)) == ["Refused"]


def test_only_the_wanted_go_back(queues: Queues) -> None:
    for name in "ABC":
        queues.die(name)

    done = queues.redrive(wanted=lambda letter: name_of(letter.body) == "B")

    assert (names(done.moved), done.others) == (["B"], 2)
    assert names(peek(queues.client, queues.dead, 100, wait=0)) == ["A", "C"]


def test_the_bad_go_back_when_asked_for_without_what_was_said_of_them(queues: Queues) -> None:
    SqsDeadLetters(lambda: queues.client, queues.dead).send(body("Refused"), "refused", "400")

    done = queues.redrive(include_bad=True)

    assert (names(done.moved), done.bad) == (["Refused"], [])
    assert [message.get("MessageAttributes") for message in queues.delivered()] == [None]


def test_what_had_no_receiver_goes_back_without_what_was_said_of_it(queues: Queues) -> None:
    letters = SqsDeadLetters(lambda: queues.client, queues.dead)
    letters.send(body("Nobodys"), "no_receiver", "", {"rule": "own.Nobodys"})

    (seen,) = peek(queues.client, queues.dead, 10, wait=0)
    assert (seen.reason, seen.proven_bad, seen.by_relay) == ("no_receiver", False, True)
    done = queues.redrive()

    assert (names(done.moved), done.bad) == (["Nobodys"], [])
    assert [sorted(message["MessageAttributes"]) for message in queues.delivered()] == [["rule"]]


def test_a_dry_run_moves_nothing(queues: Queues) -> None:
    queues.die("A")

    assert names(queues.redrive(dry_run=True).moved) == ["A"]
    assert queues.delivered() == []
    assert names(peek(queues.client, queues.dead, 10, wait=0)) == ["A"]


class Failing:
    """The real client but for one operation, which answers as told."""

    def __init__(self, client: Any, operation: str, answer: Any) -> None:
        self._client, self._operation, self._answer = client, operation, answer

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._client, name)

        def call(**request: Any) -> Any:
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer(request)

        return call


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessageBatch")


def refuse_all(request: dict[str, Any]) -> dict[str, Any]:
    failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in request["Entries"]]
    return {"Successful": [], "Failed": failed}


@pytest.mark.parametrize("answer", [DENIED, refuse_all], ids=["refused whole", "entry by entry"])
def test_what_the_alerts_queue_does_not_take_stays_a_dead_letter(queues: Queues, answer: Any) -> None:
    queues.die("A")
    client: Any = Failing(queues.client, "send_message_batch", answer)

    done = redrive(client, queues.dead, queues.alerts, wanted=lambda letter: True, wait=0)

    assert done.moved == []
    assert [why.partition(":")[0] for _, why in done.failed] == ["the alerts queue does not take it"]
    assert names(peek(queues.client, queues.dead, 10, wait=0)) == ["A"]


@pytest.mark.parametrize("answer", [DENIED, refuse_all], ids=["refused whole", "entry by entry"])
def test_what_cannot_be_deleted_is_there_twice_and_said_so(queues: Queues, answer: Any) -> None:
    queues.die("A")
    client: Any = Failing(queues.client, "delete_message_batch", answer)

    done = redrive(client, queues.dead, queues.alerts, wanted=lambda letter: True, wait=0)

    assert done.moved == []
    assert [why.partition(":")[0] for _, why in done.failed] == [
        "it was sent to the alerts queue but is still a dead letter too"
    ]
    assert len(queues.delivered()) == 1
    assert names(peek(queues.client, queues.dead, 10, wait=0)) == ["A"]


def test_large_messages_go_in_several_requests(queues: Queues) -> None:
    for name in "ABC":
        queues.client.send_message(
            QueueUrl=queues.dead,
            MessageBody=json.dumps({"labels": {"alertname": name}, "annotations": {"x": "y" * 150_000}}),
        )

    assert names(queues.redrive().moved) == ["A", "B", "C"]
    assert len(queues.delivered()) == 3


@pytest.mark.parametrize("look", [lambda client: peek(client, "u", 1), lambda client: waiting(client, "u")])
def test_a_queue_that_cannot_be_read_is_said_so(queues: Queues, look: Any) -> None:
    client: Any = Failing(Failing(queues.client, "receive_message", DENIED), "get_queue_attributes", DENIED)

    with pytest.raises(DeadLetterError, match="the dead-letter queue cannot be read: "):
        look(client)


@dataclass
class LookedAt:
    """A client of a queue whose messages somebody else hides until this one has asked whether they are all there."""

    client: Any
    other: list[DeadLetter]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_queue_attributes(self, **request: Any) -> Any:
        answer = self.client.get_queue_attributes(**request)
        for letter in self.other:
            self.client.change_message_visibility(
                QueueUrl=request["QueueUrl"], ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )
        self.other.clear()
        return answer


@pytest.mark.parametrize("seen_before", [0, 1])
def test_what_somebody_else_looks_at_is_waited_for(queues: Queues, seen_before: int) -> None:
    queues.die("Hidden")
    hidden = queues.client.receive_message(
        QueueUrl=queues.dead, VisibilityTimeout=600, MessageSystemAttributeNames=["SentTimestamp"]
    )["Messages"]
    for number in range(seen_before):
        queues.die(f"Visible{number}")
    other: Any = LookedAt(queues.client, [letter_of(message) for message in hidden])
    assert len(peek(other, queues.dead, 10, wait=1)) == 1 + seen_before

    hidden = queues.client.receive_message(
        QueueUrl=queues.dead, VisibilityTimeout=600, MessageSystemAttributeNames=["SentTimestamp"]
    )["Messages"]
    other = LookedAt(queues.client, [letter_of(message) for message in hidden])
    moved = redrive(other, queues.dead, queues.alerts, wanted=lambda letter: True, wait=1)
    assert len(moved.moved) == 1 + seen_before


def letter_of(message: Any) -> DeadLetter:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(message["MessageId"], message["Body"], "undelivered", "", sent, message["ReceiptHandle"])
