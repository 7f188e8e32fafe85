"""SNS topics, their policies and subscriptions."""

from auditwire_local.resources.shim import Made, Request, as_json, resource


@resource("AWS::SNS::Topic", name="TopicName", attributes=("TopicArn", "TopicName"))
def make_topic(request: Request) -> Made:
    """A standard topic."""
    properties = request.properties
    properties.record("TopicName")
    attributes = properties.select("DisplayName", "KmsMasterKeyId")
    arn = request.client("sns").create_topic(
        Name=request.name, Attributes=attributes, Tags=properties.take("Tags", [])
    )["TopicArn"]
    return Made(arn, {"TopicArn": arn, "TopicName": request.name})


@resource("AWS::SNS::TopicPolicy", attributes=("Id",))
def make_topic_policy(request: Request) -> Made:
    """The policy of topics. It is stored; moto does not apply it."""
    properties = request.properties
    document = as_json(properties.require("PolicyDocument"))
    for topic in properties.require("Topics"):
        request.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    return Made(request.name, {"Id": request.name})


@resource("AWS::SNS::Subscription", attributes=("Arn",))
def make_subscription(request: Request) -> Made:
    """A subscription. In moto, messages to a queue really flow, with raw delivery and filter policies."""
    properties = request.properties
    attributes = {}
    if (raw := properties.take("RawMessageDelivery")) is not None:
        attributes["RawMessageDelivery"] = str(raw).lower()
    if (filter_policy := properties.take("FilterPolicy")) is not None:
        attributes["FilterPolicy"] = as_json(filter_policy)
    redrive = properties.nested("RedrivePolicy")
    if dead_letters := redrive.take("deadLetterTargetArn"):
        attributes["RedrivePolicy"] = as_json({"deadLetterTargetArn": dead_letters})
    arn = request.client("sns").subscribe(
        TopicArn=properties.require("TopicArn"),
        Protocol=properties.require("Protocol"),
        Endpoint=properties.require("Endpoint"),
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Made(arn, {"Arn": arn})
