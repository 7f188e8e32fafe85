"""CloudWatch: alarms and dashboards."""

from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::CloudWatch::Alarm", name="AlarmName", attributes=("Arn",))
def make_alarm(request: Request) -> Made:
    """A metric alarm; nothing on one machine ever triggers it."""
    properties, cloudwatch = request.properties, request.client("cloudwatch")
    properties.record("AlarmName")
    given = properties.select(
        "AlarmDescription",
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
        "AlarmActions",
        "OKActions",
    )
    cloudwatch.put_metric_alarm(AlarmName=request.name, **given)
    arn = f"arn:aws:cloudwatch:{request.region}:{request.account}:alarm:{request.name}"
    return Made(request.name, {"Arn": arn})


@resource("AWS::CloudWatch::Dashboard", name="DashboardName")
def make_dashboard(request: Request) -> Made:
    """A dashboard; nobody looks at it on one machine, but its body must be JSON."""
    properties = request.properties
    properties.record("DashboardName")
    request.client("cloudwatch").put_dashboard(
        DashboardName=request.name, DashboardBody=properties.require("DashboardBody")
    )
    return Made(request.name)
