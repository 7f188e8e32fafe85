"""The dashboard and the alarms: every metric they name is one that AWS or our own functions give."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from auditwire.ledger import SOURCES, TAKING
from template import ROOT, Document, of_type, source

OWN = "own"
GIVEN = {
    "AWS/ApiGateway": {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},
    "AWS/Lambda": {"Errors", "Throttles", "Duration", "Invocations"},
    "AWS/SQS": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
}
SERVICES = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()}
SEARCH = re.compile(
    r"""SEARCH\('\{"([^"]+)",service,cluster\} MetricName="(\w+)"', '(Sum|Maximum)', 300\)|(SUM)\(|\)$"""
)


@pytest.fixture(scope="module")
def template() -> Document:
    return source()


@pytest.fixture(scope="module")
def widgets(template: Document) -> list[dict[str, Any]]:
    text, names = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert names == {
        "Own": template["Outputs"]["MetricsNamespace"]["Value"],
        "Seal": {"Fn::If": ["HasSeals", {"Ref": "SealFunction"}, "-"]},
        "ImportObjects": {"Fn::If": ["HasImportBucket", {"Ref": "ImportObjectsFunction"}, "-"]},
        "Console": {"Fn::If": ["HasConsole", {"Ref": "ConsoleFunction"}, "-"]},
        "SubscribeEks": {"Fn::If": ["HasEksLogGroups", {"Ref": "SubscribeEksFunction"}, "-"]},
        "Relay": {"Fn::If": ["HasRelay", {"Ref": "RelayFunction"}, "-"]},
        "AlertsQueueName": {"Fn::If": ["HasRelay", {"Fn::GetAtt": ["AlertsQueue", "QueueName"]}, "-"]},
        "DeadLetterQueueName": {"Fn::If": ["HasRelay", {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}, "-"]},
    }
    # What CloudFormation puts in: names of resources and parameters, which need no escaping in JSON.
    functions = {"Seal": "${SealFunction}", "Relay": "${RelayFunction}", "SubscribeEks": "${SubscribeEksFunction}"}
    functions |= {"ImportObjects": "${ImportObjectsFunction}", "Console": "${ConsoleFunction}"}
    for name, value in {"Own": OWN, **functions}.items():
        text = text.replace(f"${{{name}}}", value)
    body: dict[str, Any] = json.loads(text.replace("${IngestMemoryMegabytes}", "1024"))
    return list(body["widgets"])


def graphs(widgets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [widget["properties"] for widget in widgets if widget["type"] == "metric"]


def shown(widgets: list[dict[str, Any]]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Namespace, name and dimensions of every metric on the dashboard."""
    for graph in graphs(widgets):
        for metric in graph["metrics"]:
            if isinstance(metric[0], str):
                namespace, name, *dimensions = [part for part in metric if isinstance(part, str)]
                yield namespace, name, tuple(dimensions)
            elif "SEARCH" in metric[0]["expression"]:
                for found in SEARCH.finditer(metric[0]["expression"]):
                    if found[1]:
                        yield found[1], found[2], ("cluster",)


def measured() -> dict[str, set[str]]:
    """Which metrics each function adds, with which dimension: the names it and the library's counts write down."""
    names: dict[str, set[str]] = {}
    for service in SERVICES:
        tree = ast.parse((ROOT / "functions" / service / "app.py").read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names[service] = {
            call.args[0].value
            for call in calls
            if isinstance(call.func, ast.Attribute) and call.func.attr == "add_metric"
            if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
        }
    ages = ast.parse((ROOT / "layers/auditwire/auditwire/bundles/active_rules.py").read_text(encoding="utf-8"))
    names["ingest"] |= texts(ages) & {"BundleAgeSeconds", "RulesPollAgeSeconds"}
    return names


def by_cluster() -> dict[str, set[str]]:
    """The metrics that are counted by cluster, with the services that count them."""
    account = ast.parse((ROOT / "layers/auditwire/auditwire/ingest/account.py").read_text(encoding="utf-8"))
    ingest = {name: {"ingest"} for name in texts(account) if re.fullmatch(r"([A-Z][A-Za-z]+){2,}", name)}
    return ingest | {name: set(services) for name, services in SOURCES.items() if name not in ingest}


def from_access_log(template: Document) -> set[str]:
    """The metrics that are counted from the access log; they have no dimensions."""
    filters = of_type(template, "AWS::Logs::MetricFilter").values()
    return {metric["MetricName"] for one in filters for metric in one["MetricTransformations"]}


def texts(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_metric_on_the_dashboard_is_one_that_is_given(widgets: list[dict[str, Any]], template: Document) -> None:
    own, clusters = measured(), by_cluster()
    filtered = from_access_log(template)
    wrong = []
    for namespace, name, dimensions in shown(widgets):
        if namespace != OWN:
            right = name in GIVEN[namespace]
        elif not dimensions:
            right = name in filtered
        elif dimensions == ("cluster",):
            right = name in clusters
        else:
            right = dimensions[0] == "service" and name in own[dimensions[1]]
        if not right:
            wrong.append((namespace, name, dimensions))
    assert wrong == []


def test_every_metric_of_an_alarm_is_one_that_is_given(template: Document) -> None:
    own = measured()
    filtered = from_access_log(template)
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        if isinstance(alarm["Namespace"], str):
            continue
        dimensions = alarm.get("Dimensions", [])
        if dimensions:
            assert [one["Name"] for one in dimensions] == ["service"], name
            assert alarm["MetricName"] in own[dimensions[0]["Value"]], name
        else:
            assert alarm["MetricName"] in filtered, name


def test_the_ledger_names_metrics_that_its_services_count() -> None:
    for name, services in SOURCES.items():
        assert set(services) <= SERVICES
        for service in services:
            path = ROOT / "functions" / service / "app.py"
            library = ROOT / "layers/auditwire/auditwire"
            sources = [
                path,
                library / "ingest/account.py",
                library / "alerts/relay.py",
                library / "alerts/publish_outbox.py",
            ]
            assert any(name in texts(ast.parse(each.read_text(encoding="utf-8"))) for each in sources), name
    publishers = {
        path.parent.name
        for path in (ROOT / "functions").glob("*/app.py")
        if "AlertsPublished" in texts(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(SOURCES["AlertsPublished"]) == {*TAKING} | publishers


def test_every_function_that_publishes_alerts_counts_them(template: Document) -> None:
    roles = template["Resources"]
    publishing = {
        name.removesuffix("Role")
        for name, role in roles.items()
        if role["Type"] == "AWS::IAM::Role" and "sns:Publish" in json.dumps(role)
    }
    named = {
        name.removesuffix("Function"): function["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for name, function in roles.items()
        if function["Type"] == "AWS::Serverless::Function"
    }
    assert {named[name] for name in publishing} == {*SOURCES["AlertsPublished"], *SOURCES["OutboxPublished"]}


def test_the_road_is_shown_left_to_right_and_nothing_overlaps(widgets: list[dict[str, Any]]) -> None:
    places = set()
    for widget in widgets:
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                assert (x, y) not in places
                assert 0 <= x < 24
                places.add((x, y))
    first = sorted((widget for widget in widgets if widget["y"] == 1), key=lambda widget: widget["x"])
    titles = [widget["properties"]["title"] for widget in first]
    assert titles == ["Requests", "Events", "Rules in force", "Alerts", "Alerts that wait"]


def test_expressions_are_well_formed_and_identifiers_unique(widgets: list[dict[str, Any]]) -> None:
    for graph in graphs(widgets):
        options = [part for metric in graph["metrics"] for part in metric if isinstance(part, dict)]
        identifiers = [one["id"] for one in options if "id" in one]
        assert len(identifiers) == len(set(identifiers)), graph["title"]
        for one in options:
            expression = one.get("expression", "")
            if "SEARCH" in expression:
                assert SEARCH.sub("", expression) == "", expression
            elif expression:
                assert expression.split()[0] in identifiers


def test_gigabyte_seconds_are_those_of_each_function(template: Document, widgets: list[dict[str, Any]]) -> None:
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    (cost,) = [graph for graph in graphs(widgets) if graph["title"].startswith("What costs")]
    functions = of_type(template, "AWS::Serverless::Function")
    durations = {metric[4]["id"]: metric[3] for metric in cost["metrics"] if metric[1:2] == ["Duration"]}
    assert set(durations.values()) == {f"${{{name}}}" for name in functions}
    factors = re.findall(r"\"(d[0-9]) / 1000 \* (\S+) / 1024\"", text)
    for identifier, factor in factors:
        memory = functions[durations[identifier][2:-1]]["MemorySize"]
        assert factor == ("${IngestMemoryMegabytes}" if memory == {"Ref": "IngestMemoryMegabytes"} else str(memory))
    assert {identifier for identifier, _ in factors} == set(durations)
