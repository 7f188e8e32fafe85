"""Lines in the embedded metric format, as metrics of the in-process CloudWatch."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from moto import mock_aws

from auditwire_local.embedded_metrics import EmbeddedMetrics, Metric, measured, mended_metrics

WHEN = datetime(2026, 11, 22, 2, 31, 17, tzinfo=UTC)
MINUTE = datetime(2026, 11, 22, 2, 31, tzinfo=UTC)
DIMENSIONS = (("cluster", "prod"), ("service", "relay"))


def line(name: str = "AlertsDelivered", value: Any = 2.0, **changes: Any) -> str:
    directive = {"Namespace": "auditwire/test", "Dimensions": [["service", "cluster"]], "Metrics": [{"Name": name}]}
    about = {"Timestamp": WHEN.timestamp() * 1000, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, "service": "relay", "cluster": "prod", name: value, **changes})


def test_a_line_says_metric_dimensions_minute_and_values() -> None:
    assert list(measured(line(value=[2, 3.5]))) == [
        (Metric("auditwire/test", "AlertsDelivered", "None", DIMENSIONS, int(MINUTE.timestamp() * 1000)), [2.0, 3.5])
    ]


def test_what_powertools_writes_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    provider = AmazonCloudWatchEMFProvider(namespace="auditwire/test", service="relay")
    metrics = Metrics(provider=provider)
    metrics.add_dimension("cluster", "prod")
    metrics.add_metric("AlertsDelivered", "Count", 7)
    metrics.flush_metrics()

    ((metric, values),) = measured(capsys.readouterr().out.strip())

    assert (metric.name, metric.unit, metric.dimensions, values) == ("AlertsDelivered", "Count", DIMENSIONS, [7.0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Traceback _aws",
        '{"_aws"',
        '{"message": "\\"_aws\\""}',
        '{"_aws": {"Timestamp": 1}}',
        '{"_aws": []}',
        '{"_aws": {"Timestamp": null, "CloudWatchMetrics": []}}',
        line(value="many"),
        line().replace('"cluster": "prod", ', ""),
    ],
)
def test_other_lines_hold_no_metric(text: str) -> None:
    assert list(measured(text)) == []


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with mock_aws(), mended_metrics():
        yield boto3.client("cloudwatch", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


def never() -> None:
    pytest.fail("there was trouble")


def test_sums_and_maxima_are_those_of_all_lines(cloudwatch: Any) -> None:
    with EmbeddedMetrics(cloudwatch, never, every=0.01) as metrics:
        for value in range(1, 11):
            metrics.add(["something else", line(value=value)])

    query = {"Namespace": "auditwire/test", "MetricName": "AlertsDelivered"}
    dimensions = [{"Name": name, "Value": value} for name, value in DIMENSIONS]
    (point,) = cloudwatch.get_metric_statistics(
        **query, Dimensions=dimensions, StartTime=MINUTE, EndTime=MINUTE + timedelta(minutes=1), Period=60,
        Statistics=["Sum", "Maximum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    assert (point["Sum"], point["Maximum"], point["SampleCount"]) == (55, 10, 10)


def test_each_metric_is_listed_once(cloudwatch: Any) -> None:
    for name in ("One", "Two", "One"):
        with EmbeddedMetrics(cloudwatch, never) as metrics:
            metrics.add([line(name), line(name, cluster="dev")])

    listed = cloudwatch.list_metrics(Namespace="auditwire/test")["Metrics"]
    of_dev = cloudwatch.list_metrics(Namespace="auditwire/test", Dimensions=[{"Name": "cluster", "Value": "dev"}])

    assert sorted((one["MetricName"], len(one["Dimensions"])) for one in listed) == [("One", 2)] * 2 + [("Two", 2)] * 2
    assert sorted(one["MetricName"] for one in of_dev["Metrics"]) == ["One", "Two"]


@pytest.mark.parametrize("cluster", ["a", "cluster", "relay", "service", "servicf", "zeta"])
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_metric_is_found_whatever_its_cluster_is_called(cloudwatch: Any, cluster: str, *, is_turned: bool) -> None:
    with EmbeddedMetrics(cloudwatch, never) as metrics:
        metrics.add([line(cluster=cluster), line(cluster="other")])

    dimensions = [{"Name": "cluster", "Value": cluster}, {"Name": "service", "Value": "relay"}]
    named = {
        "Namespace": "auditwire/test",
        "MetricName": "AlertsDelivered",
        "Dimensions": dimensions[:: -1 if is_turned else 1],
    }
    query = {"Id": "m", "MetricStat": {"Metric": named, "Period": 3600, "Stat": "Sum"}}
    hour = MINUTE.replace(minute=0)
    (found,) = cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=hour, EndTime=hour + timedelta(hours=1)
    )["MetricDataResults"]  # fmt: skip
    assert found["Values"] == [2]


def test_trouble_is_told_and_does_not_end_it(cloudwatch: Any) -> None:
    told: list[str] = []

    class Failing:
        def put_metric_data(self, **request: Any) -> None:
            raise ConnectionError(request["Namespace"])

    with EmbeddedMetrics(Failing(), lambda: told.append("once"), every=60) as metrics:
        metrics.add([line()])

    assert told == ["once"]
