"""The relay's handler, cold and warm, with its environment, queue, rules bucket and secret in the in-process AWS."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

from alertmanagers import alertmanager, always, refuses
from auditwire.bundles.compile_rules import compile_rules
from auditwire.bundles.rules_bucket import ACTIVE_KEY, S3RulesBucket, document_key

APP = Path(__file__).parents[2] / "functions" / "relay" / "app.py"
REGION: Final = "eu-central-1"


@dataclass(frozen=True)
class Context:
    """As much of Lambda's context as the handler and its logger look at."""

    function_name: str = "relay"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:relay"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """An account with the function's resources, and its environment."""
    with mock_aws():
        sqs, s3 = boto3.client("sqs", REGION), boto3.client("s3", REGION)
        s3.create_bucket(Bucket="rules", CreateBucketConfiguration={"LocationConstraint": REGION})
        environment = {
            "AWS_DEFAULT_REGION": REGION,
            "RULES_BUCKET": "rules",
            "ALERTMANAGER_URLS": "",
            "ALERTMANAGER_SECRET_ARN": "",
            "ALERT_TTL_SECONDS": "900",
            "DEAD_LETTER_QUEUE_URL": sqs.create_queue(QueueName="dead-letters")["QueueUrl"],
            # A logger lives as long as the process and writes to what was standard output when it was made.
            "POWERTOOLS_SERVICE_NAME": request.node.name,
            "POWERTOOLS_METRICS_NAMESPACE": "auditwire",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield


def cold() -> ModuleType:
    """The handler's module, freshly loaded."""
    spec = importlib.util.spec_from_file_location("relay_app", APP)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batch(*names: str) -> dict[str, Any]:
    bodies = [json.dumps({"labels": {"alertname": name}}) for name in names]
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one log line ``relay`` of an invocation, and its metrics, which are on a line for each cluster."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (log,) = [line for line in lines if line.get("message") == "relay"]
    return log, {name: value for line in lines if "_aws" in line for name, value in line.items()}


def test_cold_and_warm_with_configured_addresses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with alertmanager(refuses("bad")) as one, alertmanager(always(503, "down")) as two:
        monkeypatch.setenv("ALERTMANAGER_URLS", f"{one.url},{two.url}")
        app = cold()
        for names in (("a", "bad"), ("b", "bad")):
            assert app.handler(batch(*names), Context()) == {"batchItemFailures": []}
            log, metrics = printed(capsys)
            expected = {"alerts": 2, "delivered": 1, "failed": 0, "dead_lettered": 1, "problems": []}
            assert {name: log[name] for name in expected} == expected
            assert log["peers"] == {one.url: "ok", two.url: "503 down"}
            assert log["level"] == "INFO"
            counts = [metrics[name] for name in ("AlertsDelivered", "AlertsDeadLettered", "PeerFailures")]
            assert counts == [[1.0], [1.0], [1.0]]
            assert metrics["cluster"] == "_unknown"
        assert one.taken == ["a", "b"]
    queue = boto3.client("sqs", REGION).get_queue_attributes(
        QueueUrl=boto3.client("sqs", REGION).get_queue_url(QueueName="dead-letters")["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    assert queue["Attributes"]["ApproximateNumberOfMessages"] == "2"


def test_without_addresses_the_receivers_of_the_webhook_document_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cold().handler(batch("a"), Context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    log, _ = printed(capsys)
    assert log["level"] == "WARNING"
    assert log["problems"][0].startswith("it is not known to which Alertmanagers alerts go")
    with alertmanager() as fake:
        document = f"""
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {{name: kube-auditing-webhook}}
spec:
  k8sAuditingEnabled: true
  receivers:
    - name: alert
      type: alertmanager
      config: {{url: "{fake.url}"}}
"""
        rules = put_in_force(document)
        assert cold().handler(batch("a"), Context()) == {"batchItemFailures": []}
        assert fake.taken == ["a"]
    assert letters() == []
    # A bundle that was read says that nobody is to get them; one that cannot be read says nothing.
    put_in_force(document.partition("  receivers:")[0])
    app = cold()
    assert app.handler(batch("a"), Context()) == {"batchItemFailures": []}
    assert letters() == ["no_receiver"]
    rules.write(ACTIVE_KEY, b"{}")
    assert cold().handler(batch("a"), Context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def put_in_force(document: str) -> S3RulesBucket:
    rules = S3RulesBucket(boto3.client("s3", REGION), "rules")
    rules.write(document_key("webhook.yaml"), document.encode())
    assert compile_rules(rules, now=lambda: datetime.now(UTC)).verdict == "accepted"
    return rules


def letters() -> list[str]:
    """The reasons of the dead letters, which are taken."""
    sqs = boto3.client("sqs", REGION)
    url = sqs.get_queue_url(QueueName="dead-letters")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return [message["MessageAttributes"]["reason"]["StringValue"] for message in messages.get("Messages", [])]


def test_credentials_come_from_the_secret_and_are_in_no_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = boto3.client("secretsmanager", REGION).create_secret(
        Name="alertmanager", SecretString='{"username": "auditwire", "password": "hunter2"}'
    )
    monkeypatch.setenv("ALERTMANAGER_SECRET_ARN", secret["ARN"])
    with alertmanager(always(401)) as fake:
        monkeypatch.setenv("ALERTMANAGER_URLS", fake.url)
        assert cold().handler(batch("a"), Context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert fake.headers[0]["Authorization"].startswith("Basic ")
    output = capsys.readouterr()
    assert "hunter2" not in output.out + output.err
    assert fake.headers[0]["Authorization"] not in output.out + output.err
