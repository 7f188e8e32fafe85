"""EventBridge rules, by pattern or schedule."""

from auditwire_local.resources.shim import Made, Request, as_json, resource


@resource("AWS::Events::Rule", name="Name", attributes=("Arn",))
def make_rule(request: Request) -> Made:
    """A rule of the default bus, with its targets. moto keeps it, and the local EventBridge applies it."""
    properties, events = request.properties, request.client("events")
    properties.record("Name")
    given = properties.select("ScheduleExpression", "State", "Description")
    if (pattern := properties.take("EventPattern")) is not None:
        given["EventPattern"] = as_json(pattern)
    arn = events.put_rule(Name=request.name, **given)["RuleArn"]
    targets = [{"Id": target.require("Id"), "Arn": target.require("Arn")} for target in properties.items("Targets")]
    events.put_targets(Rule=request.name, Targets=targets)
    return Made(request.name, {"Arn": arn})
