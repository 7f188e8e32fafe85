"""The filter policies of docs/notifications.md and of the template, against the topic of the in-process AWS."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditwire.alerts import SnsPublisher, encode_message, fold
from occurrences import occurrence, rule_of
from pages import ROOT
from template import of_type, source

PAGE = (ROOT / "docs/notifications.md").read_text(encoding="utf-8")
POLICIES = [json.loads(text) for text in re.findall(r"^\| `(\{.*\})` \|", PAGE, re.MULTILINE)]
REGION = "eu-central-1"
# Name, priority, cluster and namespace.
ALERTS = (
    ("Shell", "WARNING", "prod", "shop"),
    ("Shell", "INFO", "prod", "shop"),
    ("Nodes", "WARNING", "dev", "kube-system"),
    ("auditwire.ClusterSilent", "WARNING", "prod-eu", ""),
    ("auditwire.BodyMissing", "INFO", "prod", ""),
)
PASSING = {
    0: {"Shell/WARNING", "Nodes/WARNING", "auditwire.ClusterSilent/WARNING"},
    1: {"Shell/WARNING", "Shell/INFO", "auditwire.ClusterSilent/WARNING", "auditwire.BodyMissing/INFO"},
    2: {"auditwire.ClusterSilent/WARNING", "auditwire.BodyMissing/INFO"},
    3: {"Shell/WARNING", "Shell/INFO"},
    4: {"Nodes/WARNING"},
    5: {"Shell/WARNING", "Shell/INFO", "Nodes/WARNING", "auditwire.ClusterSilent/WARNING"},
}


def clients() -> tuple[Any, Any]:
    return boto3.client("sqs", REGION), boto3.client("sns", REGION)


@pytest.fixture(scope="module")
def received() -> Iterator[list[list[dict[str, Any]]]]:
    """What a queue gets that is subscribed with each policy of the page, and at last with that of the template."""
    with mock_aws():
        sqs, sns = clients()
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        policies = [*POLICIES, of_type(source(), "AWS::SNS::Subscription")["AlertsByMail"]["FilterPolicy"]]
        queues = []
        for number, policy in enumerate(policies):
            url = sqs.create_queue(QueueName=f"q{number}")["QueueUrl"]
            queues.append(url)
            arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            attributes = {"FilterPolicy": json.dumps(policy), "RawMessageDelivery": "true"}
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        (one,) = fold([occurrence(rule=rule_of())], cluster="prod", bundle="b")
        alerts = [
            replace(
                one, rule=name, priority=priority, labels={**one.labels, "cluster": cluster, "namespace": namespace}
            )
            for name, priority, cluster, namespace in ALERTS
        ]
        assert SnsPublisher(sns, topic).publish(alerts, 4_000_000_000).sent == len(alerts)
        bodies = {encode_message(alert).decode() for alert in alerts}
        found = []
        for url in queues:
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            found.append(messages.get("Messages", []))
            # Whatever is sent beside it, a queue gets the alert byte for byte.
            assert {message["Body"] for message in found[-1]} <= bodies
        yield found


def passed(messages: list[dict[str, Any]]) -> set[str]:
    attributes = [message["MessageAttributes"] for message in messages]
    return {f"{one['rule']['StringValue']}/{one['priority']['StringValue']}" for one in attributes}


@pytest.mark.parametrize("number", sorted(PASSING))
def test_a_policy_of_the_page_lets_pass_what_it_says(received: list[list[dict[str, Any]]], number: int) -> None:
    assert len(POLICIES) == len(PASSING)
    assert passed(received[number]) == PASSING[number]


def test_mail_is_for_warnings(received: list[list[dict[str, Any]]]) -> None:
    assert passed(received[-1]) == PASSING[0]
    subscription = of_type(source(), "AWS::SNS::Subscription")["AlertsByMail"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", {"Ref": "AlertEmail"})


def test_who_is_told_of_alarms_is_subscribed_to_all_of_them() -> None:
    subscription = of_type(source(), "AWS::SNS::Subscription")["OperationsByMail"]
    assert subscription == {
        "TopicArn": {"Ref": "OperationsTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "OperationsEmail"},
    }
