"""CloudWatch Logs: groups and metric filters."""

from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::Logs::LogGroup", name="LogGroupName", attributes=("Arn",))
def make_log_group(request: Request) -> Made:
    """A log group with its retention; ``Arn`` ends in ``:*`` as CloudFormation's does."""
    properties, logs = request.properties, request.client("logs")
    properties.record("LogGroupName")
    logs.create_log_group(logGroupName=request.name)
    if (days := properties.take("RetentionInDays")) is not None:
        logs.put_retention_policy(logGroupName=request.name, retentionInDays=int(days))
    arn = f"arn:aws:logs:{request.region}:{request.account}:log-group:{request.name}:*"
    return Made(request.name, {"Arn": arn})


@resource("AWS::Logs::MetricFilter", name="FilterName")
def make_metric_filter(request: Request) -> Made:
    """A metric filter; moto stores it and counts nothing."""
    properties = request.properties
    properties.record("FilterName")
    transformations = [
        {
            "metricNamespace": transformation.require("MetricNamespace"),
            "metricName": transformation.require("MetricName"),
            "metricValue": transformation.require("MetricValue"),
        }
        for transformation in properties.items("MetricTransformations")
    ]
    request.client("logs").put_metric_filter(
        logGroupName=properties.require("LogGroupName"),
        filterName=request.name,
        filterPattern=properties.require("FilterPattern"),
        metricTransformations=transformations,
    )
    return Made(request.name)
