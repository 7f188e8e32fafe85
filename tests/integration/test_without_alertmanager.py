"""A stack with Alertmanager=off: no relay, no queues; alerts go to whoever subscribes to the topic."""

from pathlib import Path

import pytest

from auditwire.ledger.reading import waiting_now
from auditwire_cli.errors import CommandError
from auditwire_cli.ledger.ledger import counters_of
from auditwire_cli.stack import Stack
from auditwire_local import LocalSystem, Options
from auditwire_local.errors import DeployError
from auditwire_local.template_rules import check_rules
from local_road import body_of, exec_event, post
from template import of_type, references, source


def test_alerts_end_on_the_topic(tmp_path: Path) -> None:
    mail = {"AlertEmail": "soc@example.com", "OperationsEmail": "ops@example.com"}
    off = {"Alertmanager": "off", "AlertmanagerUrls": "", "SealKeyArn": "none"}
    options = Options(parameters={**off, **mail}, schedules=False)
    with LocalSystem.start(options=options) as system:
        sqs, sns = system.client("sqs"), system.client("sns")
        own = sqs.create_queue(QueueName="of-somebody")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=own, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        raw = {"RawMessageDelivery": "true"}
        topic = system.outputs["AlertsTopicArn"]
        for arn_of, address in (
            ("AlertsTopicArn", mail["AlertEmail"]),
            ("OperationsTopicArn", mail["OperationsEmail"]),
        ):
            (one,) = sns.list_subscriptions_by_topic(TopicArn=system.outputs[arn_of])["Subscriptions"]
            assert (one["Protocol"], one["Endpoint"]) == ("email", address)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)

        assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential)[0] == 200
        assert system.function("watch").invoke({}) == {"silent": 0, "stale": 0, "published": 0}
        (message,) = sqs.receive_message(QueueUrl=own)["Messages"]
        assert '"alertname":"AttachOrExecPod"' in message["Body"]

        there = {deployed.logical_id for deployed in system.deployed.resources.values()}
        assert not [name for name in there if name.startswith(("Relay", "DeadLetter", "AlertsQueue"))]
        state = tmp_path / "state.json"
        system.write_state(state)
        found = Stack(state=state).find()
        assert waiting_now(counters_of(found)).queue == 0
        with pytest.raises(CommandError, match="has no relay and no queues"):
            found.output("DeadLetterQueueUrl")


def test_addresses_for_a_relay_that_is_not_there_are_refused() -> None:
    values = {name: str(parameter["Default"]) for name, parameter in source()["Parameters"].items()}
    for name, value in {"AlertmanagerUrls": "http://a:9093", "RelaySubnetIds": "subnet-0123456789abcdef0"}.items():
        with pytest.raises(DeployError, match="Alertmanager off"):
            check_rules(
                source(), {**values, "Alertmanager": "off", name: value, "RelaySecurityGroupIds": "sg-01234567"}
            )


def test_every_alarm_about_the_relay_goes_with_it() -> None:
    template = source()
    gone = {name for name, one in template["Resources"].items() if one.get("Condition") == "HasRelay"}
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        is_of_relay = bool(gone & set(references(alarm["Dimensions"]))) if "Dimensions" in alarm else False
        is_of_relay |= {"Name": "service", "Value": "relay"} in alarm.get("Dimensions", [])
        is_of_relay |= "DeadLetter" in str(alarm["MetricName"])
        assert is_of_relay <= (name in gone), name
    assert {"OldestAlertAlarm", "NoReceiversAlarm", "DeadLettersAlarm", "PeerFailuresAlarm", "QueueAgeAlarm"} <= gone
