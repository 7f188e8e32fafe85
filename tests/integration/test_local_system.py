"""The deployed template at work: what was deployed is read back, and batches take the whole road."""

import gzip
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from auditwire.senders.kind import SenderKind
from auditwire_local import ClusterCredential, LocalSystem, Options
from local_road import EVENT_PATH, body_of, exec_event, post
from waiting import HANG_SECONDS, until

EXTRA = ClusterCredential("a-credential-from-the-test", SenderKind.ANY)


def _active(system: LocalSystem) -> list[dict[str, Any]]:
    assert system.alert_receiver is not None
    return system.alert_receiver.active()


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    with LocalSystem.start(options=Options(clusters={"extra": EXTRA})) as system:
        yield system


class TestDeployed:
    """Names, environments and properties, read back from the resources themselves."""

    def test_every_resource_of_the_template_is_there(self, system: LocalSystem) -> None:
        stack = system.client("cloudformation").describe_stack_resources(StackName=system.stack)
        # moto leaves a nameless place for a resource whose condition does not hold.
        there = {name for resource in stack["StackResources"] if (name := resource.get("LogicalResourceId"))}

        assert there == set(system.deployed.resources)
        assert {"HttpApi", "IngestFunction", "RelayFunction", "AlertsSubscription", "QueueAgeAlarm"} <= there

    def test_ingest_is_told_the_deployed_names(self, system: LocalSystem) -> None:
        variables = system.function("ingest").configuration.variables

        assert (
            variables.items()
            >= {
                "RULES_BUCKET": system.outputs["RulesBucket"],
                "RULES_POLL_SECONDS": "30",
                "ARCHIVE_BUCKET": system.outputs["ArchiveBucket"],
                "ALERTS_TOPIC_ARN": system.outputs["AlertsTopicArn"],
                "ARCHIVE_TABLE": "",
                "ARCHIVE_RETENTION_DAYS": "365",
                "CLUSTERS_TABLE": system.outputs["ClustersTable"],
                "POWERTOOLS_SERVICE_NAME": "ingest",
                "POWERTOOLS_METRICS_NAMESPACE": "auditwire/auditwire",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            }.items()
        )

    def test_the_relay_is_told_the_deployed_names(self, system: LocalSystem) -> None:
        variables = system.function("relay").configuration.variables
        assert system.alert_receiver is not None

        assert (
            variables.items()
            >= {
                "RULES_BUCKET": system.outputs["RulesBucket"],
                "ALERTMANAGER_URLS": system.alert_receiver.url,
                "ALERTMANAGER_SECRET_ARN": "",
                "ALERT_TTL_SECONDS": "900",
                "DEAD_LETTER_QUEUE_URL": system.outputs["DeadLetterQueueUrl"],
                "POWERTOOLS_SERVICE_NAME": "relay",
            }.items()
        )

    def test_functions_run_on_the_layer_and_architecture_of_the_template(self, system: LocalSystem) -> None:
        timeouts = {"ingest": 10, "relay": 30, "compile_rules": 120, "publish_outbox": 55, "seal": 900, "watch": 55}
        for name, seconds in timeouts.items():
            function_name = system.function(name).configuration.function_name
            described = system.client("lambda").get_function_configuration(FunctionName=function_name)
            assert (described["Runtime"], described["Handler"]) == ("python3.13", "app.handler")
            assert described["Timeout"] == seconds
            assert described["Architectures"] == ["arm64"]
            layers = ["AuditwireLayer", "SearchLayer"] if name == "seal" else ["AuditwireLayer"]
            assert [layer["Arn"].split(":layer:")[1] for layer in described["Layers"]] == [f"{one}:1" for one in layers]

    def test_the_buckets_are_versioned_private_and_encrypted(self, system: LocalSystem) -> None:
        s3 = system.client("s3")
        for output in ("RulesBucket", "ArchiveBucket"):
            bucket = system.outputs[output]
            assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
            block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
            assert set(block.values()) == {True}
            encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
            [rule] = encryption["Rules"]
            assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
            policy = system.resource(f"{output}Policy").properties["PolicyDocument"]
            assert policy["Statement"][0]["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]

    def test_the_archive_expires_by_prefix(self, system: LocalSystem) -> None:
        lifecycle = system.client("s3").get_bucket_lifecycle_configuration(Bucket=system.outputs["ArchiveBucket"])
        days = {rule["ID"]: rule.get("Expiration", {}).get("Days") for rule in lifecycle["Rules"]}

        assert (days["events"], days["quarantine"]) == (365, 90)

    def test_the_clusters_table_is_recoverable(self, system: LocalSystem) -> None:
        backups = system.client("dynamodb").describe_continuous_backups(TableName=system.outputs["ClustersTable"])
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]

        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"

    def test_the_queue_redrives_to_the_dead_letters_and_the_topic_feeds_it(self, system: LocalSystem) -> None:
        queue = system.client("sqs").get_queue_attributes(
            QueueUrl=system.outputs["AlertsQueueUrl"], AttributeNames=["All"]
        )["Attributes"]
        redrive = json.loads(queue["RedrivePolicy"])
        subscription = system.client("sns").get_subscription_attributes(
            SubscriptionArn=system.resource("AlertsSubscription").physical_id
        )["Attributes"]

        assert redrive["deadLetterTargetArn"] == system.resource("DeadLetterQueue").attributes["Arn"]
        assert (redrive["maxReceiveCount"], queue["VisibilityTimeout"]) == (480, "180")
        assert (subscription["Endpoint"], subscription["RawMessageDelivery"]) == (queue["QueueArn"], "true")

    def test_the_api_has_the_routes_of_the_contract_and_is_throttled(self, system: LocalSystem) -> None:
        paths = system.resource("HttpApi").properties["Body"]["paths"]
        stage = system.resource("HttpApiApiGatewayDefaultStage").properties

        assert {(path, *methods) for path, methods in paths.items()} == {
            (EVENT_PATH, "post"),
            ("/audit/firehose", "post"),
            ("/audit/gke", "post"),
            (f"{EVENT_PATH}/{{credential+}}", "post"),
            ("/healthz", "get"),
        }
        assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 500, "ThrottlingBurstLimit": 1000}

    def test_only_the_api_of_the_stack_may_call_ingest(self, system: LocalSystem) -> None:
        api = system.resource("HttpApi").physical_id
        permissions = [resource.properties for resource in system.deployed.of_type("AWS::Lambda::Permission")]
        of_the_api = [one for one in permissions if one["Principal"] == "apigateway.amazonaws.com"]

        assert len(of_the_api) == 5
        for permission in of_the_api:
            assert f":{api}/" in permission["SourceArn"]

    @pytest.mark.parametrize(
        ("logical_id", "number"), [("CompileRulesFunction", 2), ("PublishOutboxFunction", 1), ("WatchFunction", 1)]
    )
    def test_only_its_event_rules_may_call_a_function(self, system: LocalSystem, logical_id: str, number: int) -> None:
        rules = [rule for rule in system.deployed.of_type("AWS::Events::Rule") if logical_id in rule.logical_id]
        permissions = [resource.properties for resource in system.deployed.of_type("AWS::Lambda::Permission")]
        function = system.resource(logical_id).physical_id

        callers = {one["SourceArn"] for one in permissions if one["FunctionName"] == function}
        assert callers == {rule.attributes["Arn"] for rule in rules}
        assert len(rules) == number

    def test_logs_are_kept_for_a_limited_time(self, system: LocalSystem) -> None:
        groups = system.client("logs").describe_log_groups()["logGroups"]

        assert {group["retentionInDays"] for group in groups} == {30}
        assert {group["logGroupName"] for group in groups} == {
            resource.physical_id for resource in system.deployed.of_type("AWS::Logs::LogGroup")
        }

    def test_alarms_report_to_the_operations_topic(self, system: LocalSystem) -> None:
        alarms = system.client("cloudwatch").describe_alarms()["MetricAlarms"]

        assert len(alarms) >= 8
        assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {
            system.outputs["OperationsTopicArn"]
        }


class TestRoad:
    """Batches through the endpoint."""

    def test_a_batch_is_archived_and_its_alert_arrives(self, system: LocalSystem) -> None:
        before = system.status()
        assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential) == (200, b"")

        lines = [json.loads(line) for line in system.archive_lines()]
        [archived] = [line for line in lines if line["auditID"] == exec_event(1)["auditID"]]
        assert archived["cluster"] == "demo"
        assert archived["user"]["username"] == "mallory"
        until(lambda: any(alert["labels"].get("name") == "web-1" for alert in _active(system)))
        [alert] = [alert for alert in _active(system) if alert["labels"].get("name") == "web-1"]
        assert alert["labels"].items() >= {"cluster": "demo", "namespace": "shop", "user": "mallory"}.items()
        # The relay reports what it delivered a moment after Alertmanager has it.
        peer = system.function("relay").configuration.variables["ALERTMANAGER_URLS"]
        until(lambda: system.status().peers == {peer: "ok"})
        status = system.status()
        assert status.received - before.received == status.archived - before.archived == 1
        assert status.alerted - before.alerted == 1
        assert [alert["labels"]["name"] for alert in status.latest_alerts[len(before.latest_alerts) :]] == ["web-1"]
        # No link into a console that knows nothing of this archive; the key says where the evidence is.
        assert not status.latest_alerts[-1]["generatorURL"]
        assert status.latest_alerts[-1]["annotations"]["archive_key"].startswith("events/cluster=demo/")

    def test_a_second_sending_changes_no_object(self, system: LocalSystem) -> None:
        s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
        body = body_of(exec_event(2))
        versions = []
        for _ in range(2):
            assert post(system, body, system.clusters["demo"].credential)[0] == 200
            listed = s3.list_object_versions(Bucket=bucket, Prefix="events/")["Versions"]
            versions.append({(version["Key"], version["VersionId"], version["ETag"]) for version in listed})

        assert versions[0] == versions[1]
        assert system.status().repeated >= 1

    def test_a_credential_in_the_path_and_a_gzipbody_of(self, system: LocalSystem) -> None:
        before = system.status()
        body = gzip.compress(body_of(exec_event(3)))
        path = f"{EVENT_PATH}/{EXTRA.credential}/"
        headers = {"Content-Type": "application/gzip", "Content-Encoding": "gzip"}

        assert post(system, body, None, path, **headers) == (200, b"")
        assert system.status().archived - before.archived == 1

    def test_a_body_that_cannot_be_read_is_put_in_quarantine(self, system: LocalSystem) -> None:
        s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
        assert post(system, b'{"kind": "Ev', system.clusters["demo"].credential) == (200, b"")

        [item] = s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/cluster=demo/")["Contents"]
        kept = s3.get_object(Bucket=bucket, Key=item["Key"])
        assert gzip.decompress(kept["Body"].read()) == b'{"kind": "Ev'
        assert sum(system.status().quarantined.values()) == 1

    @pytest.mark.parametrize("credential", [None, "wrong", ""], ids=["missing", "wrong", "empty"])
    def test_a_credential_that_does_not_hold_is_refused(self, system: LocalSystem, credential: str | None) -> None:
        refused = system.status().unauthorized

        assert post(system, body_of(exec_event(4)), credential) == (401, b"")
        assert system.status().unauthorized == refused + 1
        assert b"-000000000004" not in b"".join(system.archive_lines())

    def test_health_needs_no_credential_and_other_paths_are_not_there(self, system: LocalSystem) -> None:
        connection = HTTPConnection(urlsplit(system.url).netloc, timeout=HANG_SECONDS)
        answers = {}
        for path in ("/healthz", "/", EVENT_PATH):
            connection.request("GET", path)
            response = connection.getresponse()
            answers[path] = response.status, response.read()
        connection.close()

        not_found = (404, b'{"message":"Not Found"}')
        assert answers == {"/healthz": (200, b"ok"), "/": not_found, EVENT_PATH: not_found}

    def test_a_body_that_lambda_would_not_take_is_413(self, system: LocalSystem) -> None:
        answer = post(system, b'"' + b"x" * 6 * 1024 * 1024 + b'"', system.clusters["demo"].credential)

        assert answer == (413, b'{"message":"Request Entity Too Large"}')

    def test_the_counters_balance(self, system: LocalSystem) -> None:
        status = system.status()

        assert status.received == sum(status.ignored.values()) + status.archived + sum(status.quarantined.values())
        assert status.failures == {}

    def test_the_log_holds_no_credential(self, system: LocalSystem) -> None:
        post(system, body_of(exec_event(6)), system.clusters["demo"].credential)
        post(system, body_of(exec_event(6)), None, f"{EVENT_PATH}/{EXTRA.credential}")
        logged = "\n".join(system.logs())

        assert system.clusters["demo"].credential not in logged
        assert EXTRA.credential not in logged
        assert repr(system.clusters).count(EXTRA.credential) == 0


class TestStateFile:
    """What other programs read."""

    @pytest.fixture
    def state(self, system: LocalSystem, tmp_path: Path) -> Path:
        path = tmp_path / "run.json"
        system.write_state(path)
        return path

    def test_it_says_where_everything_is(self, system: LocalSystem, state: Path) -> None:
        assert json.loads(state.read_text()) == {
            "url": system.url,
            "ca_file": None,
            "aws_endpoint_url": system.aws_endpoint_url,
            "region": "us-east-1",
            "stack": "auditwire",
            "outputs": system.outputs,
            "clusters": {
                "demo": {"credential": system.clusters["demo"].credential, "sender": "kubernetes"},
                "demo-ks": {"credential": system.clusters["demo-ks"].credential, "sender": "kubesphere"},
                "extra": {"credential": EXTRA.credential, "sender": "any"},
            },
        }
        assert {path.name: path.stat().st_mode & 0o777 for path in state.parent.iterdir()} == {
            "run.json": 0o600,
            "run.env-vars.json": 0o600,
            "run.issuer.json": 0o600,
        }

    def test_another_program_reaches_the_in_process_aws_with_it(self, state: Path) -> None:
        run = json.loads(state.read_text())
        s3 = boto3.client("s3", endpoint_url=run["aws_endpoint_url"], region_name=run["region"])

        listed = s3.list_objects_v2(Bucket=run["outputs"]["RulesBucket"])["Contents"]

        assert "rules/alerting-rule.yaml" in {item["Key"] for item in listed}

    def test_the_archive_can_be_listed_without_credentials_as_the_summary_says(self, system: LocalSystem) -> None:
        post(system, body_of(exec_event(7)), system.clusters["demo"].credential)
        place = system.status().archive
        unsigned = Config(signature_version=UNSIGNED)
        s3 = boto3.client("s3", endpoint_url=system.aws_endpoint_url, region_name="us-east-1", config=unsigned)

        assert place.command == (
            f"aws s3 ls --recursive --no-sign-request --endpoint-url {system.aws_endpoint_url} {place.name}/"
        )
        assert s3.list_objects_v2(Bucket=place.name.removeprefix("s3://"), Prefix="events/")["KeyCount"] > 0

    def test_sam_local_invoke_gets_every_variable_of_the_template(self, system: LocalSystem, state: Path) -> None:
        variables = json.loads(state.with_name("run.env-vars.json").read_text())

        functions = ("Ingest", "Relay", "CompileRules", "PublishOutbox", "Seal", "Watch")
        assert set(variables) == {f"{function}Function" for function in functions}
        assert variables["IngestFunction"]["ARCHIVE_BUCKET"] == system.outputs["ArchiveBucket"]
        port = urlsplit(system.aws_endpoint_url).port
        assert variables["RelayFunction"]["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{port}"
        assert "127.0.0.1" not in json.dumps(variables)
