"""Reads from a deployed stack what must run: its functions, its event source mappings and its event rules."""

import json
from collections.abc import Iterator
from typing import Any

from auditwire_local.deploy import Stack
from auditwire_local.errors import DeployError
from auditwire_local.event_bridge import EventRule, check_pattern, minute_of_hour, parse_schedule
from auditwire_local.poller import EventSourceMapping
from auditwire_local.runtime import Configuration

# The defaults of AWS for a queue and a mapping.
_BATCH_SIZE = 10
_VISIBILITY_SECONDS = 30
_RETRIES = 2


def configurations(stack: Stack, functions: Any) -> Iterator[Configuration]:
    """The deployed functions, each as the Lambda service (the client ``functions``) describes it."""
    for deployed in stack.of_type("AWS::Lambda::Function"):
        described = functions.get_function_configuration(FunctionName=deployed.physical_id)
        folder = stack.code[deployed.logical_id]
        yield Configuration(
            name=folder.name,
            logical_id=deployed.logical_id,
            function_name=described["FunctionName"],
            arn=described["FunctionArn"],
            role=described["Role"],
            handler=described["Handler"],
            memory=described["MemorySize"],
            timeout=described["Timeout"],
            variables=described.get("Environment", {}).get("Variables", {}),
            code=folder,
        )


def mappings(
    stack: Stack, visibility_timeout: int | None, batching_window: float | None
) -> Iterator[EventSourceMapping]:
    """The deployed event source mappings; ``visibility_timeout`` replaces that of the queues, ``batching_window``
    theirs.

    Raises DeployError for a mapping of anything but a queue of the template.
    """
    queues = {queue.attributes["Arn"]: queue for queue in stack.of_type("AWS::SQS::Queue")}
    for deployed in stack.of_type("AWS::Lambda::EventSourceMapping"):
        properties = deployed.properties
        queue = queues.get(properties["EventSourceArn"])
        if queue is None:
            msg = f"{deployed.logical_id} polls something other than a queue of the template"
            raise DeployError(msg)
        own_window = float(properties.get("MaximumBatchingWindowInSeconds", 0))
        own_visibility = int(queue.properties.get("VisibilityTimeout", _VISIBILITY_SECONDS))
        yield EventSourceMapping(
            function=properties["FunctionName"],
            queue_url=queue.physical_id,
            queue_arn=queue.attributes["Arn"],
            region=stack.region,
            batch_size=int(properties.get("BatchSize", _BATCH_SIZE)),
            window_seconds=own_window if batching_window is None else batching_window,
            visibility_seconds=own_visibility if visibility_timeout is None else visibility_timeout,
            reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )


def event_rules(stack: Stack, events: Any) -> Iterator[EventRule]:
    """The deployed rules that are enabled, as EventBridge (the client ``events``) describes them.

    Raises DeployError for a pattern or a schedule that the local EventBridge does not know, and for a target that no
    permission of the template allows it to call.
    """
    permissions = [
        permission.properties
        for permission in stack.of_type("AWS::Lambda::Permission")
        if permission.properties["Principal"] == "events.amazonaws.com"
    ]
    for deployed in stack.of_type("AWS::Events::Rule"):
        rule = events.describe_rule(Name=deployed.physical_id)
        if rule["State"] != "ENABLED":
            continue
        pattern = json.loads(rule["EventPattern"]) if "EventPattern" in rule else None
        if pattern is not None:
            check_pattern(pattern)
        arns = tuple(target["Arn"] for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"])
        allowed = [one["FunctionName"] for one in permissions if one["SourceArn"] == rule["Arn"]]
        for arn in arns:
            is_called = any(arn == name or arn.endswith(f":function:{name}") for name in allowed)
            if not is_called and not _may_send(stack, arn, rule["Arn"]):
                msg = f"{deployed.logical_id} calls {arn} without a permission"
                raise DeployError(msg)
        yield EventRule(
            name=rule["Name"],
            arn=rule["Arn"],
            pattern=pattern,
            every=parse_schedule(rule["ScheduleExpression"]) if "ScheduleExpression" in rule else None,
            minute=minute_of_hour(rule.get("ScheduleExpression", "")),
            targets=arns,
            retries=max((asynchronous(stack, arn)[0] for arn in arns), default=0),
        )


def _may_send(stack: Stack, queue: str, rule: str) -> bool:
    """Whether the policy of a queue lets EventBridge send what a rule matches."""
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "events.amazonaws.com"}
        and statement["Resource"] == queue
        and statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}
        for policy in stack.of_type("AWS::SQS::QueuePolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
    )


def asynchronous(stack: Stack, arn: str) -> tuple[int, str | None]:
    """How often Lambda tries an event again after this function has failed, and the URL of the queue that gets it then;
    None for none."""
    for config in stack.of_type("AWS::Lambda::EventInvokeConfig"):
        if arn.endswith(f":function:{config.properties['FunctionName']}"):
            destination = config.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            queues = {queue.attributes["Arn"]: queue.physical_id for queue in stack.of_type("AWS::SQS::Queue")}
            return int(config.properties.get("MaximumRetryAttempts", _RETRIES)), queues.get(destination)
    return _RETRIES, None
