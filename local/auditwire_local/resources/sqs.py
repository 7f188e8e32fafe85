"""SQS queues and their policies."""

from typing import Any

from auditwire_local.resources.shim import Made, Request, as_json, as_tags, resource


@resource("AWS::SQS::Queue", name="QueueName", attributes=("Arn", "QueueName", "QueueUrl"))
def make_queue(request: Request) -> Made:
    """A queue, standard or FIFO. moto itself moves messages to its dead-letter queue after maxReceiveCount."""
    properties, sqs = request.properties, request.client("sqs")
    properties.record("QueueName")
    attributes = {
        name: _text(value)
        for name, value in properties.select(
            "VisibilityTimeout",
            "MessageRetentionPeriod",
            "MaximumMessageSize",
            "ReceiveMessageWaitTimeSeconds",
            "DelaySeconds",
            "SqsManagedSseEnabled",
            "KmsMasterKeyId",
            "FifoQueue",
        ).items()
    }
    redrive = properties.nested("RedrivePolicy")
    if dead_letters := redrive.take("deadLetterTargetArn"):
        policy = {
            "deadLetterTargetArn": dead_letters,
            "maxReceiveCount": int(redrive.require("maxReceiveCount")),
        }
        attributes["RedrivePolicy"] = as_json(policy)
    # CloudFormation ends the name that it gives a FIFO queue so, as SQS wants it.
    name = f"{request.name}.fifo" if attributes.get("FifoQueue") == "true" else request.name
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=as_tags(properties.take("Tags")))["QueueUrl"]
    arn = f"arn:aws:sqs:{request.region}:{request.account}:{name}"
    return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


@resource("AWS::SQS::QueuePolicy", attributes=("Id",))
def make_queue_policy(request: Request) -> Made:
    """The policy of queues. It is stored; moto does not apply it."""
    properties = request.properties
    document = as_json(properties.require("PolicyDocument"))
    for url in properties.require("Queues"):
        request.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    return Made(request.name, {"Id": request.name})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
