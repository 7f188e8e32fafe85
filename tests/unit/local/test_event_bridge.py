"""The local EventBridge: patterns of the template, events in order, retries, schedules, a clean end."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from auditwire_local.assembly import event_rules
from auditwire_local.deploy import deploy
from auditwire_local.errors import DeployError, InvocationError
from auditwire_local.event_bridge import (
    Event,
    EventBridge,
    EventRule,
    check_pattern,
    matches,
    minute_of_hour,
    parse_schedule,
)
from auditwire_local.options import REPOSITORY
from auditwire_local.sandbox import sandbox
from waiting import HANG_SECONDS, until

EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "resources": ["arn:aws:s3:::b"],
    "detail": {"bucket": {"name": "b"}, "object": {"key": "rules/a.yaml", "size": 1}},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.s3"]}, True),
        ({"source": ["aws.ec2", "aws.s3"], "detail-type": ["Object Created"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"detail": {"object": {"key": [{"prefix": "rules/"}]}}}, True),
        ({"detail": {"object": {"key": [{"prefix": "rule/"}, "x"]}}}, False),
        ({"detail": {"object": {"etag": [{"prefix": ""}]}}}, False),
        ({"detail": {"object": {"size": [1]}}}, True),
        ({"detail": {"object": {"size": ["1", True]}}}, False),
        ({"detail": {"nothing": {"key": ["x"]}}}, False),
        ({"source": {"a": ["x"]}}, False),
        ({"resources": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}, True),
    ],
)
def test_a_pattern_matches_as_on_aws(pattern: dict[str, Any], expected: bool) -> None:
    check_pattern(pattern)
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize("operator", [{"anything-but": ["x"]}, {"prefix": "a", "suffix": "b"}, {"exists": True}])
def test_an_unknown_operator_is_refused(operator: dict[str, Any]) -> None:
    with pytest.raises(DeployError, match="in an event pattern"):
        check_pattern({"detail": {"object": {"key": [operator]}}})


def test_schedules_are_rates() -> None:
    assert [parse_schedule(text) for text in ("rate(1 minute)", "rate(5 minutes)", "rate(2 hours)")] == [60, 300, 7200]
    with pytest.raises(DeployError, match="cron"):
        parse_schedule("cron(0 12 * * ? *)")


@pytest.mark.parametrize(("now", "seconds"), [("12:00:00", 720), ("12:11:59", 1), ("12:12:00", 0), ("12:13:00", 3540)])
def test_an_hourly_schedule_has_its_minute(now: str, seconds: float) -> None:
    assert parse_schedule("cron(12 * * * ? *)") == 3600
    assert (minute_of_hour("cron(12 * * * ? *)"), minute_of_hour("rate(1 hour)")) == (12, None)
    hourly = rule(pattern=None, every=3600.0, minute=12)
    assert hourly.seconds_to_first(datetime.fromisoformat(f"2026-11-21T{now}Z")) == seconds
    assert rule(pattern=None, every=60.0).seconds_to_first(datetime.now(UTC)) == 60


def rule(**changes: Any) -> EventRule:
    given: dict[str, Any] = {"pattern": {"source": ["aws.s3"]}, "every": None, "retries": 0, **changes}
    return EventRule(name="r", arn="arn:r", targets=("f",), **given)


class Bridge:
    """A bridge with one rule, and a function that remembers its events."""

    def __init__(self, rule: EventRule, fail: Callable[[int], Exception | None] = lambda call: None) -> None:
        self.events: list[Event] = []
        self.given_up: list[Event] = []
        self.troubles = 0
        self.fail = fail
        self.bridge = EventBridge(
            [rule], self.invoke, failed=self.failed, trouble=self.trouble, account="1", region="r"
        )
        self.bridge.start()

    def invoke(self, target: str, event: Event) -> None:
        assert target == "f"
        self.events.append(event)
        error = self.fail(len(self.events))
        if error:
            raise error

    def failed(self, target: str, event: Event) -> None:
        assert target == "f"
        self.given_up.append(event)

    def trouble(self) -> None:
        self.troubles += 1


def test_events_are_delivered_in_order_and_the_rest_is_left_alone() -> None:
    world = Bridge(rule())
    for number in range(20):
        world.bridge.publish({**EVENT, "number": number})
        world.bridge.publish({**EVENT, "source": "aws.ec2"})
    until(world.bridge.idle)

    assert [event["number"] for event in world.events] == list(range(20))
    world.bridge.drain(time.monotonic() + HANG_SECONDS)


def test_an_event_that_fails_is_tried_again_as_often_as_the_function_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditwire_local.event_bridge._RETRY_SECONDS", 0.01)
    world = Bridge(rule(retries=2), lambda call: InvocationError("no") if call < 6 else None)
    world.bridge.publish({**EVENT, "number": 1})
    world.bridge.publish({**EVENT, "number": 2})
    until(world.bridge.idle)

    assert [event["number"] for event in world.events] == [1, 1, 1, 2, 2, 2]
    assert [event["number"] for event in world.given_up] == [1]
    assert world.troubles == 0
    world.bridge.drain(time.monotonic() + HANG_SECONDS)


def test_a_service_that_does_not_wait_has_a_function_called_in_turn() -> None:
    world = Bridge(rule())
    world.bridge.publish({**EVENT, "number": 1})
    world.bridge.call("f", {"number": 2}, retries=0)
    until(world.bridge.idle)

    assert [event["number"] for event in world.events] == [1, 2]
    world.bridge.drain(time.monotonic() + HANG_SECONDS)


def test_a_bug_in_the_local_system_stops_nothing() -> None:
    world = Bridge(rule(retries=2), lambda call: ZeroDivisionError() if call == 1 else None)
    world.bridge.publish(EVENT)
    world.bridge.publish(EVENT)
    until(world.bridge.idle)

    assert (len(world.events), world.troubles) == (2, 1)
    world.bridge.drain(time.monotonic() + HANG_SECONDS)


def test_schedules_come_round() -> None:
    world = Bridge(rule(pattern=None, every=0.05))
    until(lambda: len(world.events) >= 3)
    world.bridge.drain(time.monotonic() + HANG_SECONDS)

    assert {(event["source"], event["detail-type"]) for event in world.events} == {("aws.events", "Scheduled Event")}
    assert world.events[0]["resources"] == ["arn:r"]


def test_what_a_schedule_would_call_can_be_called_before_its_time() -> None:
    world = Bridge(rule(pattern=None, every=3600.0))
    world.bridge.run_schedules_of("g")
    world.bridge.run_schedules_of("f")
    until(world.bridge.idle)
    world.bridge.drain(time.monotonic() + HANG_SECONDS)

    assert [event["detail-type"] for event in world.events] == ["Scheduled Event"]


def test_the_end_delivers_what_is_waiting_and_leaves_no_thread() -> None:
    started = threading.active_count()
    published = threading.Event()

    def busy(call: int) -> None:
        assert published.wait(HANG_SECONDS)

    world = Bridge(rule(), busy)
    for _ in range(5):
        world.bridge.publish(EVENT)
    published.set()
    world.bridge.drain(time.monotonic() + HANG_SECONDS)

    assert len(world.events) == 5
    assert threading.active_count() == started


@pytest.mark.slow
def test_the_deployed_rules_are_read_back() -> None:
    with sandbox("us-east-1", "127.0.0.1", 0):
        stack = deploy(REPOSITORY / "template.yaml", stack="s", region="us-east-1", parameters={})
        rules = list(event_rules(stack, boto3.client("events")))

    (upload,) = [rule for rule in rules if rule.every is None]
    assert upload.pattern == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {"bucket": {"name": [stack.outputs["RulesBucket"]]}, "object": {"key": [{"prefix": "rules/"}]}},
    }
    names = {stack.resources[name].attributes["Arn"]: name for name in stack.code if name in stack.resources}
    called = {(rule.every, tuple(names[arn] for arn in rule.targets), rule.retries) for rule in rules}
    assert called == {
        (None, ("CompileRulesFunction",), 2),
        (300.0, ("CompileRulesFunction",), 2),
        (60.0, ("PublishOutboxFunction",), 0),
        (300.0, ("WatchFunction",), 0),
        (3600.0, ("SealFunction",), 2),
    }


def test_a_target_without_a_permission_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        """
Transform: AWS::Serverless-2016-10-31
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 minute)
      Targets: [{Id: a, Arn: "arn:aws:lambda:us-east-1:123456789012:function:f"}]
Outputs: {Arn: {Value: !GetAtt Rule.Arn}}
"""
    )
    with sandbox("us-east-1", "127.0.0.1", 0):
        stack = deploy(template, stack="s", region="us-east-1", parameters={})
        with pytest.raises(DeployError, match="without a permission"):
            list(event_rules(stack, boto3.client("events")))
