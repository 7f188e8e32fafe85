"""Reads back from a deployed stack what is to run: its functions and its event source mappings."""

from collections.abc import Iterator
from typing import Any

from auditwire_local.deploy import Stack
from auditwire_local.errors import DeployError
from auditwire_local.poller import EventSourceMapping
from auditwire_local.runtime import Configuration

# What AWS takes where a queue or a mapping says nothing.
_BATCH_SIZE = 10
_VISIBILITY_SECONDS = 30


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


def mappings(stack: Stack, visibility_timeout: int | None) -> Iterator[EventSourceMapping]:
    """The deployed event source mappings; ``visibility_timeout`` replaces the queues' own.

    DeployError for a mapping of anything but a queue of the template.
    """
    queues = {queue.attributes["Arn"]: queue for queue in stack.of_type("AWS::SQS::Queue")}
    for deployed in stack.of_type("AWS::Lambda::EventSourceMapping"):
        properties = deployed.properties
        queue = queues.get(properties["EventSourceArn"])
        if queue is None:
            msg = f"{deployed.logical_id} polls something other than a queue of the template"
            raise DeployError(msg)
        own_visibility = int(queue.properties.get("VisibilityTimeout", _VISIBILITY_SECONDS))
        yield EventSourceMapping(
            function=properties["FunctionName"],
            queue_url=queue.physical_id,
            queue_arn=queue.attributes["Arn"],
            region=stack.region,
            batch_size=int(properties.get("BatchSize", _BATCH_SIZE)),
            window_seconds=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
            visibility_seconds=own_visibility if visibility_timeout is None else visibility_timeout,
            reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )
