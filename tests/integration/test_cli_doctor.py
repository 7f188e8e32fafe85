"""``auditwire doctor`` on a running system: well, and ill in each way it can be; and what it leaves behind."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from alertmanagers import alertmanager, always
from auditwire.bundles.rules_bucket import MARKER_KEY
from auditwire.clusters import DOCTOR_CLUSTER, Cluster, ClustersTable, Registration
from auditwire_cli.doctor.checks import concurrency, key_access, receivers
from auditwire_cli.doctor.finding import Finding, Health, looked_at
from auditwire_cli.doctor.journey import journey
from auditwire_cli.doctor.patient import Patient
from auditwire_cli.stack import Deployment, Stack
from dev_process import AUDITWIRE, Dev, dev

KEY_POLICY = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with dev(tmp_path_factory.mktemp("dev")) as running:
        yield running


def rows(system: Dev) -> list[Registration]:
    table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
    return table.list().of(DOCTOR_CLUSTER)


def doctor(system: Dev, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by check, of each the worst."""
    done = system.run("doctor", *words, "--format", "json")
    answer = json.loads(done.stdout)
    assert answer["healthy"] is (done.exit_code == 0)
    worst: dict[str, dict[str, Any]] = {}
    for finding in answer["findings"]:
        if finding["check"] not in worst or finding["health"] == "ill":
            worst[finding["check"]] = finding
    return done.exit_code, worst


def patient(system: Dev, **parameters: str) -> Patient:
    found = Stack(state=system.state).find()
    return Patient(replace(found, parameters={**found.parameters, **parameters}), datetime.now(UTC), local=True)


def test_a_healthy_system_is_well_and_nothing_is_left_behind(system: Dev) -> None:
    code, found = doctor(system)
    assert (code, {one["check"] for one in found.values() if one["health"] == "ill"}) == (0, set())
    steps = ["credential", "event answered 200", "event archived", "alert delivered", "credential revoked"]
    assert [name for name in found if found[name]["seconds"] is not None] == steps
    assert found["alert delivered"]["says"].startswith("auditwire.DoctorTest is active in http://127.0.0.1:")
    assert rows(system) == []

    text = system.run("doctor")
    assert (text.exit_code, text.stdout.splitlines()[-1]) == (0, "well")
    assert "ok       event answered 200: by http" in text.stdout


def test_the_test_alert_pages_nobody_and_ends_within_a_minute(system: Dev) -> None:
    doctor(system)
    (peer,) = patient(system).peers
    alerts = [one for one in peer.find("alertname", "auditwire.DoctorTest", 5) if one["labels"].get("run")]
    newest = max(alerts, key=lambda alert: str(alert["updatedAt"]))
    assert (newest["labels"]["severity"], newest["labels"]["cluster"]) == ("none", DOCTOR_CLUSTER)
    lasts = datetime.fromisoformat(newest["endsAt"]) - datetime.fromisoformat(newest["updatedAt"])
    assert timedelta(0) < lasts <= timedelta(minutes=1)
    assert newest["annotations"]["runbook_url"].endswith("#auditwiredoctortest")


def test_read_only_changes_nothing(system: Dev) -> None:
    def archived() -> int:
        listed = system.client("s3").list_objects_v2(
            Bucket=system.outputs["ArchiveBucket"], Prefix=f"events/cluster={DOCTOR_CLUSTER}/"
        )
        return int(listed["KeyCount"])

    before = archived()
    code, found = doctor(system, "--read-only")
    assert (code, "credential" in found, archived()) == (0, False, before)


def test_the_name_of_its_cluster_is_reserved(system: Dev) -> None:
    done = system.run("cluster", "add", DOCTOR_CLUSTER, "--show")
    assert done.exit_code == 2
    assert "is reserved" in done.stderr


@contextmanager
def rules_lost(system: Dev) -> Iterator[None]:
    s3, bucket = system.client("s3"), system.outputs["RulesBucket"]
    # While somebody publishes, compile_rules puts nothing right.
    s3.put_object(Bucket=bucket, Key=MARKER_KEY, Body=b"")
    active = s3.get_object(Bucket=bucket, Key="active.json")["Body"].read()
    s3.put_object(Bucket=bucket, Key="active.json", Body=b"{}")
    yield
    s3.put_object(Bucket=bucket, Key="active.json", Body=active)
    s3.delete_object(Bucket=bucket, Key=MARKER_KEY)


@contextmanager
def upload_refused(system: Dev) -> Iterator[None]:
    s3, bucket = system.client("s3"), system.outputs["RulesBucket"]
    s3.put_object(Bucket=bucket, Key=MARKER_KEY, Body=b"")
    status = s3.get_object(Bucket=bucket, Key="status.json")["Body"].read()
    s3.put_object(
        Bucket=bucket, Key="status.json", Body=json.dumps({**json.loads(status), "verdict": "refused"}).encode()
    )
    yield
    s3.put_object(Bucket=bucket, Key="status.json", Body=status)
    s3.delete_object(Bucket=bucket, Key=MARKER_KEY)


@contextmanager
def queue_unsubscribed(system: Dev) -> Iterator[None]:
    sns, topic = system.client("sns"), system.outputs["AlertsTopicArn"]
    (one,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    yield
    kept = {name: attributes[name] for name in ("RawMessageDelivery", "RedrivePolicy") if name in attributes}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=one["Endpoint"], Attributes=kept)


@contextmanager
def alarm_rings(system: Dev) -> Iterator[None]:
    cloudwatch = system.client("cloudwatch")
    name = cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmName"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    yield
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")


@contextmanager
def alarm_tells_nobody(system: Dev) -> Iterator[None]:
    cloudwatch = system.client("cloudwatch")
    alarm = cloudwatch.describe_alarms()["MetricAlarms"][0]
    names = (
        "AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "Threshold",
        "ComparisonOperator", "TreatMissingData",
    )  # fmt: skip
    kept = {name: alarm[name] for name in names if name in alarm}
    cloudwatch.put_metric_alarm(**kept, AlarmActions=[])
    yield
    cloudwatch.put_metric_alarm(**kept, AlarmActions=alarm["AlarmActions"])


@contextmanager
def letter_put_aside(system: Dev) -> Iterator[None]:
    sqs, url = system.client("sqs"), system.outputs["DeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=url)


@contextmanager
def cluster_of(system: Dev, **limits: Any) -> Iterator[None]:
    table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
    created = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    table.add(Registration(credential="0" * 64, cluster=Cluster("quiet"), created=created, **limits))
    yield
    table.remove("0" * 64)


def silent_cluster(system: Dev) -> Any:
    return cluster_of(system, silence_seconds=600)


def cluster_without_credential(system: Dev) -> Any:
    return cluster_of(system, expires=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("trouble", "check", "words"),
    [
        (rules_lost, "rules", "not in force"),
        (upload_refused, "rules", "was refused"),
        (queue_unsubscribed, "subscriptions", "queue is not subscribed"),
        (alarm_rings, "alarms", "rings: a test"),
        (alarm_tells_nobody, "alarms", "tells nobody"),
        (letter_put_aside, "dead letters", "1 alert reached no Alertmanager"),
        (silent_cluster, "clusters", "quiet is silent"),
        (cluster_without_credential, "clusters", "quiet has no valid credential"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_ill_is_named_with_what_to_do(
    system: Dev, trouble: Callable[[Dev], Any], check: str, words: str
) -> None:
    with trouble(system):
        code, found = doctor(system, "--read-only")
    assert (code, found[check]["health"]) == (1, "ill")
    assert words in found[check]["says"]
    assert found[check]["mend"]
    assert doctor(system, "--read-only")[0] == 0


def test_an_alert_that_does_not_arrive_is_ill_and_the_credential_is_revoked(system: Dev) -> None:
    with queue_unsubscribed(system):
        code, found = doctor(system, "--wait", "1")
    assert (code, found["alert delivered"]["health"]) == (1, "ill")
    assert found["credential revoked"]["health"] == "ok"
    assert rows(system) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_is_interrupted_leaves_no_credential(system: Dev, number: int) -> None:
    with queue_unsubscribed(system):
        process = subprocess.Popen(
            [*AUDITWIRE, "doctor", "--wait", "240", "--state", str(system.state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        for line in process.stdout:
            if "event archived" in line:
                break
        assert len(rows(system)) == 1
        process.send_signal(number)
        process.communicate()
    assert process.returncode != 0
    assert rows(system) == []


def test_what_a_killed_run_has_left_is_removed_once_it_has_ended(system: Dev) -> None:
    table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    table.add(Registration(credential="1" * 64, cluster=Cluster(DOCTOR_CLUSTER), expires=ended))
    assert doctor(system)[0] == 0
    assert rows(system) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1:9", "connection refused"), ("OTHER_TABLE", "answered 401")],
    ids=["nothing answers", "another table"],
)
def test_an_endpoint_that_does_not_take_the_event_is_ill(system: Dev, url: str, words: str) -> None:
    own = patient(system)
    with ExitStack() as stack:
        if url == "OTHER_TABLE":
            dynamodb = system.client("dynamodb")
            key = [{"AttributeName": "credential", "KeyType": "HASH"}]
            kinds = [{"AttributeName": "credential", "AttributeType": "S"}]
            dynamodb.create_table(
                TableName="other", KeySchema=key, AttributeDefinitions=kinds, BillingMode="PAY_PER_REQUEST"
            )
            stack.callback(dynamodb.delete_table, TableName="other")
            outputs = {**own.found.outputs, "ClustersTable": "other"}
            own = replace(own, found=replace(own.found, outputs=outputs))
            url = system.running["url"]
        steps = list(journey(own, url, None, 1))
    assert [step.health for step in steps] == [Health.OK, Health.ILL, Health.OK]
    assert words in steps[1].says


def test_receivers_that_do_not_answer_are_ill_unless_they_are_in_a_network_of_their_own(system: Dev) -> None:
    def healths(**parameters: str) -> list[str]:
        return [str(one.health) for one in receivers(patient(system, **parameters))]

    with alertmanager() as up, alertmanager(always(401, "Unauthorized")) as refusing:
        gone = "http://127.0.0.1:9"
        assert healths(AlertmanagerUrls=f"{up.url},{gone},{refusing.url}") == ["ok", "ill", "ill"]
        assert healths(AlertmanagerUrls=gone, RelaySubnetIds="subnet-0123456789abcdef0") == ["note"]
    assert healths(AlertmanagerUrls="") == ["ill"]


def test_where_no_alertmanager_can_be_asked_the_count_of_the_relay_says_that_it_arrived(system: Dev) -> None:
    with alertmanager() as silent:
        # It takes alerts and lists none, and is not the one that the relay knows.
        steps = {
            one.check: one
            for one in journey(patient(system, AlertmanagerUrls=silent.url), system.running["url"], None, 30)
        }
    assert steps["alert delivered"].says == "the relay counted a delivery"


@dataclass
class Account:
    """An account in which a key and roles are made."""

    key: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def patient(self) -> Patient:
        found = Deployment("s", {}, lambda service: boto3.client(service, "us-east-1"), self.parameters)  # type: ignore[call-overload]
        one = Patient(found, datetime.now(UTC))
        one.__dict__["resources"] = {"AWS::IAM::Role": ["relay"]}
        return one


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        kms, iam = boto3.client("kms", "us-east-1"), boto3.client("iam", "us-east-1")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        iam.create_role(RoleName="relay", AssumeRolePolicyDocument="{}")
        yield Account(key, {"KmsKeyArn": key})


def says(findings: list[Finding]) -> str:
    return "; ".join(f"{one.health}: {one.says}" for one in findings)


def test_a_key_must_be_on_and_let_sns_and_the_roles_use_it(account: Account) -> None:
    kms, iam = boto3.client("kms", "us-east-1"), boto3.client("iam", "us-east-1")
    assert says(key_access(account.patient())).count("ill: ") == 2
    sns = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Resource": "*"}
    policy = {**KEY_POLICY, "Statement": [{**sns, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"]}]}
    kms.put_key_policy(KeyId=account.key, PolicyName="default", Policy=json.dumps(policy))
    assert says(key_access(account.patient())) == "ill: the role relay does not name it"
    own = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": account.key}
    document = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    iam.put_role_policy(RoleName="relay", PolicyName="relay", PolicyDocument=document)
    assert says(key_access(account.patient())) == "ok: enabled; SNS and 1 role may use it"
    kms.disable_key(KeyId=account.key.rpartition("/")[2])
    assert "is Disabled" in says(key_access(account.patient()))


@pytest.mark.parametrize(("free", "health"), [(10, "ill"), (100, "ok"), (1_000, "ok")])
def test_an_account_that_may_run_ten_functions_is_too_small(free: int, health: str) -> None:
    class Lambda:
        def get_account_settings(self) -> Any:
            return {"AccountLimit": {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": free}}

    (found,) = concurrency(Patient(Deployment("s", {}, lambda _: Lambda()), datetime.now(UTC)))
    assert found.health == health


def test_what_may_not_be_looked_at_is_ill() -> None:
    def refuse() -> list[Finding]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListSubscriptionsByTopic")

    (found,) = looked_at("subscriptions", refuse, Stack("s"))
    assert (found.health, "you are not allowed to call" in found.says) == (Health.ILL, True)
