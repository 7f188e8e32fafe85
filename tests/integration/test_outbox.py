"""SNS failing for a while, in every way it can: batches are answered 200 and every alert arrives once it is back."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.s3.models import S3Backend
from moto.sns.exceptions import SNSException, TopicNotFound
from moto.sns.models import SNSBackend

from auditwire.alerts.message import Message
from auditwire.alerts.outbox import S3Outbox
from auditwire_local import LocalSystem, Options
from local_road import body_of, exec_event, post
from waiting import until

Answer = tuple[list[dict[str, str]], list[dict[str, Any]]]
Publish = Callable[[Any, str, list[dict[str, Any]]], Answer]

real_publish = SNSBackend.publish_batch
numbers = count(1)


class Unavailable(SNSException):
    code = "InternalError"
    message = "We are sorry"


class Denied(SNSException):
    code = "AuthorizationError"
    message = "no"


def fails_with(error: Exception) -> Publish:
    def publish(self: Any, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]) -> Answer:
        raise error

    return publish


def half_of_it(self: Any, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]) -> Answer:
    """Takes alerts about even numbers only."""

    def odd(entry: dict[str, Any]) -> bool:
        return int(json.loads(json.loads(entry["Message"])["default"])["labels"]["name"].rpartition("-")[2]) % 2 == 1

    taken, _ = real_publish(self, topic_arn, [entry for entry in publish_batch_request_entries if not odd(entry)])
    throttled = {"Code": "ThrottledException", "Message": "slow down", "SenderFault": False}
    return taken, [{"Id": entry["Id"], **throttled} for entry in publish_batch_request_entries if odd(entry)]


def the_answer_is_lost(self: Any, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]) -> Answer:
    """Takes everything, and nobody hears of it."""
    real_publish(self, topic_arn, publish_batch_request_entries)
    raise ConnectionClosedError(endpoint_url="https://sns")


FAULTS = {
    "down": fails_with(Unavailable()),
    "topic gone": fails_with(TopicNotFound()),
    "denied": fails_with(Denied()),
    "timeout": fails_with(ReadTimeoutError(endpoint_url="https://sns")),
    "half of it": half_of_it,
    "answer lost": the_answer_is_lost,
}


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    with LocalSystem.start(options=Options(schedules=False)) as system:
        yield system


def events(number: int) -> list[dict[str, Any]]:
    """So many events that nobody has sent yet; each becomes an alert of its own."""
    return [exec_event(next(numbers)) for _ in range(number)]


def names(sent: Sequence[dict[str, Any]]) -> set[str]:
    return {event["objectRef"]["name"] for event in sent}


def arrived(system: LocalSystem) -> set[str]:
    assert system.alert_receiver is not None
    return {alert["labels"].get("name", "") for alert in system.alert_receiver.active()}


def outbox(system: LocalSystem) -> list[str]:
    listed = system.client("s3").list_objects_v2(Bucket=system.outputs["ArchiveBucket"], Prefix="outbox/")
    return [found["Key"] for found in listed.get("Contents", [])]


def run(system: LocalSystem) -> dict[str, int]:
    answer: dict[str, int] = system.function("publish_outbox").invoke({})
    return answer


def told(system: LocalSystem, function: str, message: str) -> Counter[str]:
    """The sums of all numbers in a function's log lines of this kind."""
    sums: Counter[str] = Counter()
    for line in system.logs(function):
        entry = json.loads(line) if line.startswith("{") else {}
        if entry.get("message") == message:
            sums.update({name: value for name, value in entry.items() if type(value) is int})
    return sums


@pytest.mark.parametrize("fault", FAULTS)
def test_every_alert_arrives_once_sns_is_back(system: LocalSystem, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    before = [told(system, "ingest", "batch"), told(system, "publish_outbox", "outbox"), told(system, "relay", "relay")]
    batches = [events(1), events(12)]
    with monkeypatch.context() as patch:
        patch.setattr(SNSBackend, "publish_batch", FAULTS[fault])
        for batch in batches:
            assert post(system, body_of(*batch), system.clusters["demo"].credential) == (200, b"")
        assert outbox(system)
        if fault in {"timeout", "half of it"}:
            run(system)
            assert outbox(system), "what was not taken stays"

    run(system)
    assert outbox(system) == []
    until(lambda: names([event for batch in batches for event in batch]) <= arrived(system))

    # Every alert is counted once as published: at the first attempt, or from the outbox.
    def since(index: int, function: str, message: str) -> Counter[str]:
        return Counter({name: value - before[index][name] for name, value in told(system, function, message).items()})

    ingest, publisher = since(0, "ingest", "batch"), since(1, "publish_outbox", "outbox")
    assert ingest["published"] + ingest["outboxed"] == 13
    assert ingest["unpublished"] == ingest["refused"] == 0
    assert publisher["published"] == ingest["outboxed"]
    until(lambda: since(2, "relay", "relay")["delivered"] >= 13)
    if fault != "answer lost":
        assert since(2, "relay", "relay")["delivered"] == 13


def test_what_can_neither_be_published_nor_kept_is_503_and_arrives_when_it_is_sent_again(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_put = S3Backend.put_object

    def full(self: Any, bucket_name: str, key_name: str, *args: Any, **named: Any) -> Any:
        if key_name.startswith("outbox/"):
            raise ConnectionClosedError(endpoint_url="https://s3")
        return real_put(self, bucket_name, key_name, *args, **named)

    batch = events(2)
    with monkeypatch.context() as patch:
        patch.setattr(SNSBackend, "publish_batch", FAULTS["down"])
        patch.setattr(S3Backend, "put_object", full)
        assert post(system, body_of(*batch), system.clusters["demo"].credential)[0] == 503
    assert outbox(system) == []
    assert post(system, body_of(*batch), system.clusters["demo"].credential)[0] == 200
    until(lambda: names(batch) <= arrived(system))


def test_a_batch_sent_again_while_sns_is_down_is_in_the_outbox_once(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = events(2)
    with monkeypatch.context() as patch:
        patch.setattr(SNSBackend, "publish_batch", FAULTS["down"])
        for _ in range(2):
            assert post(system, body_of(*batch), system.clusters["demo"].credential)[0] == 200
        assert len(outbox(system)) == 1
    run(system)
    until(lambda: names(batch) <= arrived(system))


def test_a_run_that_ends_between_publishing_and_letting_go_is_made_up_for(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Any, *args: Any, **named: Any) -> Any:
        raise ConnectionClosedError(endpoint_url="https://s3")

    batch = events(2)
    with monkeypatch.context() as patch:
        patch.setattr(SNSBackend, "publish_batch", FAULTS["down"])
        assert post(system, body_of(*batch), system.clusters["demo"].credential)[0] == 200
    with monkeypatch.context() as patch:
        patch.setattr(S3Backend, "delete_object", killed)
        assert run(system) == {"published": 2, "refused": 0, "waiting": 1}
    assert run(system) == {"published": 2, "refused": 0, "waiting": 0}
    until(lambda: names(batch) <= arrived(system))
    assert outbox(system) == []


def test_a_message_that_sns_refuses_lies_aside(system: LocalSystem) -> None:
    s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
    # moto refuses a text that is longer than SNS takes, as SNS does.
    S3Outbox(s3, bucket).hold([Message("x" * 300_000, {}), Message('{"labels":{"alertname":"A"}}', {})])

    assert run(system) == {"published": 1, "refused": 1, "waiting": 0}
    (key,) = outbox(system)
    assert key.startswith("outbox/refused/")
    assert run(system) == {"published": 0, "refused": 0, "waiting": 0}
    (metrics,) = [json.loads(line) for line in system.logs("publish_outbox")[-2:] if '"_aws"' in line]
    assert (metrics["RefusedObjects"], metrics["OutboxObjects"], metrics["OutboxAgeSeconds"]) == ([1.0], [0.0], [0.0])
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    [alarm] = [
        resource.properties
        for resource in system.deployed.of_type("AWS::CloudWatch::Alarm")
        if resource.properties["MetricName"] == "OutboxAgeSeconds"
    ]
    wanted = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert directive["Namespace"] == alarm["Namespace"]
    assert [set(names) for names in directive["Dimensions"]] == [set(wanted)]
    assert {name: metrics[name] for name in wanted} == wanted
    s3.delete_object(Bucket=bucket, Key=key)
