"""One batch of SQS messages: delivered, put aside, or back to the queue; never anything else."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alertmanagers import alertmanager, always, refuses
from auditwire.alerts import (
    NO_PEERS,
    AlertmanagerPeer,
    DeadLetterError,
    DeadLetters,
    MemoryDeadLetters,
    PeerSource,
    Relay,
    Relayed,
    SqsDeadLetters,
)
from auditwire.alerts.relay import relay

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def message(name: str) -> str:
    return json.dumps({"labels": {"alertname": name}, "auditwire": {"first": "2026-11-21T22:05:00.000000Z"}})


def batch(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def relayed(event: dict[str, Any], urls: list[str], letters: DeadLetters | None = None) -> Relayed:
    return relay(
        event,
        peers=[AlertmanagerPeer(url) for url in urls],
        dead_letters=letters or MemoryDeadLetters(),
        ttl=timedelta(minutes=15),
        seconds=5,
        now=lambda: NOW,
    )


@dataclass
class FullQueue:
    def send(self, body: str, reason: str, detail: str, attributes: Mapping[str, str] | None = None) -> None:
        raise DeadLetterError(f"no room for {reason}")


def test_delivered_messages_are_done() -> None:
    with alertmanager() as one, alertmanager() as two:
        done = relayed(batch(message("a"), message("b")), [one.url, two.url])
    assert done.as_response() == {"batchItemFailures": []}
    assert (done.alerts, done.delivered, done.failed, done.dead_lettered) == (2, 2, 0, 0)
    assert done.peers == {one.url: "ok", two.url: "ok"}
    assert [alert["endsAt"] for alert in one.posts[0]] == ["2026-11-22T09:15:00.000000Z"] * 2
    assert [alert["startsAt"] for alert in two.posts[0]] == ["2026-11-21T22:05:00.000000Z"] * 2


def test_what_no_peer_took_goes_back_to_the_queue() -> None:
    with alertmanager(always(503)) as one, alertmanager(always(401)) as two:
        done = relayed(batch(message("a"), message("b")), [one.url, two.url])
    assert done.as_response() == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    assert (done.delivered, done.failed, done.peer_failures) == (0, 2, 2)


def test_a_bad_alert_is_put_aside_with_the_reason_and_reported_as_done() -> None:
    letters = MemoryDeadLetters()
    with alertmanager(refuses("bad")) as fake:
        done = relayed(batch(message("a"), message("bad"), message("c")), [fake.url], letters)
    assert done.as_response() == {"batchItemFailures": []}
    assert (done.delivered, done.dead_lettered) == (2, 1)
    assert letters.letters == [(message("bad"), "refused", '400 "invalid label set"')]


def test_a_dead_letter_has_the_attributes_it_came_with() -> None:
    letters = MemoryDeadLetters()
    event = batch("not json")
    event["Records"][0]["messageAttributes"] = {
        "rule": {"dataType": "String", "stringValue": "PodShell"},
        "bytes": {"dataType": "Binary", "binaryValue": "AAE="},
    }
    relayed(event, [], letters)
    assert letters.attributes == [{"rule": "PodShell"}]


def test_a_message_that_is_no_alert_is_put_aside_even_while_every_peer_is_down() -> None:
    letters = MemoryDeadLetters()
    with alertmanager(always(500)) as fake:
        done = relayed(batch("not json", message("a")), [fake.url], letters)
    assert done.as_response() == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [(body, reason) for body, reason, _ in letters.letters] == [("not json", "malformed")]


def test_what_became_of_alerts_is_counted_by_cluster() -> None:
    def of(cluster: str, name: str = "a") -> str:
        return json.dumps({"labels": {"alertname": name, "cluster": cluster}})

    messages = batch(
        of("prod"),
        of("prod"),
        of("prod", "bad"),
        of("dev"),
        of(""),
        of("", "auditwire.RulesRefused"),
        of("x" * 64),
        "-",
    )
    with alertmanager(refuses("bad")) as fake:
        done = relayed(messages, [fake.url])
        unsent = relayed(batch(of("prod", "bad")), [fake.url, "http://127.0.0.1:9"], FullQueue())

    assert done.by_cluster == {
        "prod": {"AlertsDelivered": 2, "AlertsDeadLettered": 1},
        "dev": {"AlertsDelivered": 1},
        "_system": {"AlertsDelivered": 1},
        "_unknown": {"AlertsDelivered": 2, "AlertsDeadLettered": 1},
    }
    assert unsent.by_cluster == {}


def test_what_could_not_be_put_aside_goes_back_to_the_queue() -> None:
    with alertmanager(refuses("bad")) as fake:
        done = relayed(batch("not json", message("a"), message("bad")), [fake.url], FullQueue())
    assert {item["itemIdentifier"] for item in done.as_response()["batchItemFailures"]} == {"m0", "m2"}
    assert (done.delivered, done.failed, done.dead_lettered) == (1, 2, 0)
    assert done.problems == ("no room for malformed", "no room for refused")


def test_without_any_receiver_the_alerts_are_put_aside_and_the_log_says_what_to_set() -> None:
    letters = MemoryDeadLetters()
    done = Relay(PeerSource(()), letters, timedelta(minutes=15)).handle(batch(message("a"), "not json"), 5)
    assert done.as_response() == {"batchItemFailures": []}
    assert [(body, reason) for body, reason, _ in letters.letters] == [
        ("not json", "malformed"),
        (message("a"), "no_receiver"),
    ]
    assert done.log_fields() == {
        "alerts": 2,
        "delivered": 0,
        "failed": 0,
        "dead_lettered": 2,
        "peers": {},
        "problems": [NO_PEERS],
    }
    assert done.by_cluster == {"_unknown": {"AlertsDeadLettered": 2}}


def test_what_has_no_receiver_and_cannot_be_put_aside_goes_back_to_the_queue() -> None:
    done = Relay(PeerSource(()), FullQueue(), timedelta(minutes=15)).handle(batch(message("a")), 5)
    assert done.as_response() == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert done.problems == (NO_PEERS, "no room for no_receiver")


def test_alerts_stay_while_it_is_not_known_who_gets_them() -> None:
    letters = MemoryDeadLetters()
    unknown = Relay(PeerSource((), lambda: None), letters, timedelta(minutes=15))
    useless = Relay(PeerSource(["http://user:word@host"]), letters, timedelta(minutes=15))
    for relaying in (unknown, useless):
        done = relaying.handle(batch(message("a")), 5)
        assert done.as_response() == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert letters.letters == []


def test_a_password_changed_meanwhile_is_read_again_as_soon_as_a_peer_refuses_the_old_one() -> None:
    secrets = ['{"token": "old"}', '{"token": "new"}']
    with alertmanager(always(401, "Unauthorized")) as fake:
        source = PeerSource([fake.url], read_secret=lambda: secrets.pop(0))
        relaying = Relay(source, MemoryDeadLetters(), timedelta(minutes=15))
        for _ in range(2):
            done = relaying.handle(batch(message("a")), 5)
            assert done.peers == {fake.url: "401 Unauthorized"}
    assert [header["Authorization"] for header in fake.headers] == ["Bearer old", "Bearer new"]


def test_an_empty_event_is_no_work() -> None:
    assert relayed({}, []) == Relayed(0, 0, 0)


def test_a_hundred_messages_take_one_post() -> None:
    with alertmanager() as fake:
        assert relayed(batch(*(message(f"n{number}") for number in range(100))), [fake.url]).delivered == 100
    assert len(fake.posts) == 1


@pytest.mark.parametrize("reason", ["malformed", "refused", "no_receiver"])
def test_dead_letters_reach_their_queue_with_the_reason_as_attributes(reason: str) -> None:
    with mock_aws(), ExitStack():
        client = boto3.client("sqs", "eu-central-1")
        url = client.create_queue(QueueName="dead-letters")["QueueUrl"]
        letters = SqsDeadLetters(lambda: client, url)
        letters.send('{"a": 1}', reason, "why\n\ufffe")
        (found,) = client.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
        assert found["Body"] == '{"a": 1}'
        texts = {name: attribute["StringValue"] for name, attribute in found["MessageAttributes"].items()}
        assert texts == {"reason": reason, "detail": r"why\n\ufffe"}


def test_dead_letters_keep_as_many_attributes_as_fit() -> None:
    with mock_aws():
        client = boto3.client("sqs", "eu-central-1")
        url = client.create_queue(QueueName="dead-letters")["QueueUrl"]
        came_with = {f"name{number}": "text" for number in range(10)}
        SqsDeadLetters(lambda: client, url).send("{}", "refused", "400", {"reason": "theirs", **came_with})
        (found,) = client.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    texts = {name: attribute["StringValue"] for name, attribute in found["MessageAttributes"].items()}
    assert texts == {f"name{number}": "text" for number in range(7)} | {"reason": "refused", "detail": "400"}


def test_a_dead_letter_queue_that_fails_or_is_missing_is_an_error() -> None:
    with mock_aws():
        client = boto3.client("sqs", "eu-central-1")
        gone = SqsDeadLetters(lambda: client, "https://sqs.eu-central-1.amazonaws.com/123456789012/gone")
        with pytest.raises(DeadLetterError, match="could not be sent to the dead-letter queue: "):
            gone.send("{}", "malformed", "")
    with pytest.raises(DeadLetterError, match="no dead-letter queue is configured"):
        SqsDeadLetters(lambda: client, "").send("{}", "malformed", "")
