"""The ingest function's module: ready at import, nobody asked by then, and renewed after a restore from a snapshot."""

import importlib.util
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import boto3
import pytest
import snapshot_restore_py  # type: ignore[import-untyped]
from moto import mock_aws

from auditwire.aws.environment import ConfigurationError
from auditwire.aws.snapshots import after_restore
from auditwire.bundles.compile_rules import compile_rules
from auditwire.bundles.rules_bucket import S3RulesBucket, document_key
from auditwire.clusters import Cluster, ClustersTable, Registration, credential_digest
from local_road import EVENT_PATH, body_of, exec_event
from rule_texts import one_rule
from template import ROOT

APP: Final = ROOT / "functions/ingest/app.py"
REGION: Final = "eu-central-1"
ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": REGION,
    "RULES_BUCKET": "rules",
    "RULES_POLL_SECONDS": "30",
    "ARCHIVE_BUCKET": "archive",
    "ARCHIVE_RETENTION_DAYS": "1",
    "CLUSTERS_TABLE": "clusters",
    "THRESHOLDS_TABLE": "thresholds",
    "RUNBOOKS_URL": "docs/runbooks.md",
    "POWERTOOLS_SERVICE_NAME": "ingest",
    "POWERTOOLS_METRICS_NAMESPACE": "auditwire",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with mock_aws():
        s3, dynamodb = boto3.client("s3", REGION), boto3.client("dynamodb", REGION)
        for bucket in ("rules", "archive"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        dynamodb.create_table(
            TableName="clusters",
            KeySchema=[{"AttributeName": "credential", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "credential", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        topic = boto3.client("sns", REGION).create_topic(Name="alerts")["TopicArn"]
        for name, value in {**ENVIRONMENT, "ALERTS_TOPIC_ARN": topic}.items():
            monkeypatch.setenv(name, value)
        ClustersTable(dynamodb, "clusters").add(
            Registration(credential=credential_digest("good"), cluster=Cluster("prod"))
        )
        yield


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a module registers with Lambda's runtime, to be called as after a restore."""
    hooks: list[Any] = []
    monkeypatch.setattr(snapshot_restore_py, "register_after_restore", hooks.append)
    return hooks


class Environment:
    """An execution environment: the freshly imported module, and what it asked AWS for."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("ingest_app", APP)
        assert spec
        assert spec.loader
        self.module: Any = importlib.util.module_from_spec(spec)
        self.asked: list[str] = []
        spec.loader.exec_module(self.module)
        for client in (self.module._clients.rules, self.module._clients.dynamodb):
            client.meta.events.register("before-call", self._note)

    def _note(self, model: Any, params: Any, **_: Any) -> None:
        self.asked.append(f"{model.name} {params['url_path'].rpartition('/')[2]}".strip())

    def post(self) -> int:
        moment = int(datetime.now(UTC).timestamp() * 1_000)
        event = {
            "version": "2.0",
            "routeKey": f"POST {EVENT_PATH}",
            "rawPath": EVENT_PATH,
            "requestContext": {"http": {"method": "POST"}, "timeEpoch": moment},
            "headers": {"authorization": "Bearer good", "content-type": "application/json"},
            "body": body_of(exec_event(1)).decode(),
            "isBase64Encoded": False,
        }
        return int(self.module.handler(event, None)["statusCode"])


def test_everything_is_ready_at_import_and_nobody_was_asked(restored: list[Any]) -> None:
    environment = Environment()
    assert environment.module._ingest.cache_info().currsize == 1
    assert environment.asked == []
    assert len(restored) == 1
    assert environment.post() == 200
    assert environment.asked[:2] == ["GetItem", "GetObject active.json"]


def test_a_restored_environment_looks_for_rules_and_credentials_anew(restored: list[Any]) -> None:
    environment = Environment()
    assert environment.post() == environment.post() == 200
    reads = [name for name in environment.asked if name.startswith("Get")]
    assert reads == ["GetItem", "GetObject active.json"]

    rules = S3RulesBucket(boto3.client("s3", REGION), "rules")
    rules.write(document_key("mine.yaml"), one_rule("mine", 'Verb = "x"').encode())
    compiled = compile_rules(rules, now=lambda: datetime.now(UTC))
    environment.asked.clear()
    (renew,) = restored
    renew()
    assert environment.post() == 200
    reads = [name for name in environment.asked if name.startswith("Get")]
    assert reads[:2] == ["GetItem", "GetObject active.json"]
    assert environment.module._ingest().rules.current().digest == compiled.digest


def test_environments_of_one_snapshot_do_not_draw_the_same_numbers(restored: list[Any]) -> None:
    assert after_restore(lambda: None)
    (hook,) = restored
    drawn = []
    for _ in range(2):
        random.seed(1)
        hook()
        drawn.append(random.random())
    assert drawn[0] != drawn[1]


def test_pooled_connections_are_closed_after_a_restore(restored: list[Any]) -> None:
    environment = Environment()
    environment.post()
    pool = environment.module._clients.rules._endpoint.http_session._manager
    pool.connection_from_host("192.0.2.1", 443, "https")
    assert len(pool.pools) == 1
    (renew,) = restored
    renew()
    assert len(pool.pools) == 0


@pytest.mark.parametrize("missing", ["RULES_BUCKET", "CLUSTERS_TABLE", "ARCHIVE_RETENTION_DAYS"])
def test_a_missing_variable_is_named_by_the_request_and_not_by_the_start(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)
    environment = Environment()
    with pytest.raises(ConfigurationError, match=missing):
        environment.post()


def test_a_runtime_that_makes_no_snapshots_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    assert not after_restore(lambda: None)
