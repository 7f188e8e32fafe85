"""The roads of managed clouds through the deployed template."""

import gzip
import json
import shlex
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from auditwire.clusters import Cluster, ClustersTable, Registration, account_key, bucket_key, log_group_key
from auditwire_cli.main import app
from auditwire_local import LocalSystem, Options
from auditwire_local.authorizer import Issuer
from auditwire_local.sandbox import ACCOUNT
from envelopes import GROUP, STREAM, cloudwatch, firehose, log_entry, push, text_of
from faults import Calls, Trouble, Wire, denied
from local_road import exec_event
from waiting import HANG_SECONDS, until

GOOGLE = "https://accounts.google.com"
EMAIL = "auditwire@p.iam.gserviceaccount.com"
CLAIMS = {"iss": GOOGLE, "aud": "auditwire-dev", "email": EMAIL, "email_verified": True}
BUCKET = "audit-logs"
KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
ENTRY = text_of(log_entry("io.k8s.core.v1.pods.delete", "core/v1/namespaces/shop/pods/web"))


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Wire().in_place() as wire:
        yield wire


@pytest.fixture(scope="module")
def system(wire: Wire) -> Iterator[LocalSystem]:
    parameters = {"EksLogGroups": "/aws/eks/prod-*", "ImportBucket": BUCKET, "ImportKmsKeyArns": KEY}
    options = Options(schedules=False, visibility_timeout=1, parameters=parameters)
    with LocalSystem.start(options=options) as system:
        table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
        table.add(Registration(credential=log_group_key(ACCOUNT, system.region, GROUP), cluster=Cluster("eks-prod")))
        table.add(Registration(credential=account_key(GOOGLE, EMAIL), cluster=Cluster("gke-prod")))
        table.add(Registration(credential=bucket_key(BUCKET, "prod/"), cluster=Cluster("s3-prod")))
        s3 = system.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
        s3.put_bucket_encryption(
            Bucket=BUCKET,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]},
        )
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        yield system


def post(system: LocalSystem, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any] | str]:
    connection = HTTPConnection(urlsplit(system.url).netloc, timeout=HANG_SECONDS)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, {"Content-Type": "application/json"} | given)
        response = connection.getresponse()
        text = response.read().decode()
        is_json = response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(text) if is_json else text
    finally:
        connection.close()


def archived(system: LocalSystem, cluster: str) -> list[str]:
    lines = map(json.loads, system.archive_lines())
    return [line["auditID"] for line in lines if line["cluster"] == cluster]


class TestFirehose:
    BODY = text_of(firehose([gzip.compress(text_of(cloudwatch([json.dumps(exec_event(1))])))]))

    def test_records_are_stored(self, system: LocalSystem) -> None:
        key = system.clusters["demo"].credential
        status, said = post(system, "/audit/firehose", self.BODY, X_Amz_Firehose_Access_Key=key)

        assert status == 200
        assert isinstance(said, dict)
        assert said.keys() == {"requestId", "timestamp"}
        assert archived(system, "demo") == [exec_event(1)["auditID"]]

    def test_a_wrong_key_is_refused_in_the_same_form(self, system: LocalSystem) -> None:
        status, said = post(system, "/audit/firehose", self.BODY, X_Amz_Firehose_Access_Key="wrong")

        assert status == 401
        assert isinstance(said, dict)
        assert said["requestId"] == json.loads(self.BODY)["requestId"]


class TestGke:
    def test_a_push_with_a_token_is_stored(self, system: LocalSystem) -> None:
        token = system.issuer.token(CLAIMS)

        assert post(system, "/audit/gke", text_of(push(ENTRY)), Authorization=f"Bearer {token}") == (200, "")
        assert archived(system, "gke-prod") == ["9c1f8a52-0000-4000-8000-000000000001"]

    @pytest.mark.parametrize(
        ("changes", "seconds"),
        [
            ({"email": "another@p.iam.gserviceaccount.com"}, 60),
            ({"email_verified": False}, 60),
            ({"email": None}, 60),
            ({"aud": "another"}, 60),
            ({"iss": "https://example.com"}, 60),
            ({}, -60),
        ],
        ids=["another account", "not verified", "no account", "another audience", "another issuer", "expired"],
    )
    def test_a_token_that_does_not_hold_is_refused(
        self, system: LocalSystem, changes: dict[str, Any], seconds: float
    ) -> None:
        token = system.issuer.token(CLAIMS | changes, seconds=seconds)

        assert post(system, "/audit/gke", ENTRY, Authorization=f"Bearer {token}")[0] == 401

    def test_a_forged_token_and_a_credential_are_refused(self, system: LocalSystem) -> None:
        forged, credential = Issuer().token(CLAIMS), system.clusters["demo"].credential

        assert post(system, "/audit/gke", ENTRY, Authorization=f"Bearer {forged}")[0] == 401
        assert post(system, "/audit/gke", ENTRY, Authorization=f"Bearer {credential}")[0] == 401

    def test_a_token_is_no_credential_elsewhere(self, system: LocalSystem) -> None:
        token = system.issuer.token(CLAIMS)

        assert post(system, "/audit/webhook/event", ENTRY, Authorization=f"Bearer {token}")[0] == 401


class TestEks:
    def subscribe(self, system: LocalSystem, group: str, stream: str = STREAM) -> None:
        logs = system.client("logs")
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        function = system.outputs["SubscribeEksFunctionArn"]
        logs.put_subscription_filter(
            logGroupName=group, filterName="auditwire", filterPattern="", destinationArn=function
        )

    def put(self, system: LocalSystem, group: str, number: int) -> None:
        now = int(time.time() * 1000)
        # Refused, which is counted: the function uses its permission to.
        event = exec_event(number, responseStatus={"metadata": {}, "code": 403})
        events = [{"timestamp": now, "message": json.dumps(event)}]
        system.client("logs").put_log_events(logGroupName=group, logStreamName=STREAM, logEvents=events)

    def quarantined(self, system: LocalSystem) -> list[str]:
        listed = system.client("s3").list_objects_v2(
            Bucket=system.outputs["ArchiveBucket"], Prefix="quarantine/cluster=unregistered/"
        )
        return [one["Key"] for one in listed.get("Contents", [])]

    def test_what_is_logged_is_stored(self, system: LocalSystem) -> None:
        self.subscribe(system, GROUP)
        self.put(system, GROUP, 1)

        until(lambda: archived(system, "eks-prod") == [exec_event(1)["auditID"]])

    def test_what_could_not_be_stored_comes_again(self, system: LocalSystem, wire: Wire) -> None:
        trouble = Trouble(Calls("subscribe_eks", "s3.PutObject", "/events/"), denied)
        with wire.faulty(trouble):
            self.put(system, GROUP, 2)
            # Twice more by Lambda, and then from the queue.
            until(lambda: wire.injected > 3)
        until(lambda: exec_event(2)["auditID"] in archived(system, "eks-prod"))

    def test_a_log_group_of_nobody_is_quarantined(self, system: LocalSystem) -> None:
        self.subscribe(system, "/aws/eks/prod-2/cluster")
        self.put(system, "/aws/eks/prod-2/cluster", 3)

        until(lambda: len(self.quarantined(system)) == 1)

    def test_a_log_group_that_the_parameter_does_not_allow_cannot_be_subscribed(self, system: LocalSystem) -> None:
        with pytest.raises(ClientError, match="permission to execute"):
            self.subscribe(system, "/aws/eks/staging/cluster")


class TestAddFrom:
    """`auditwire cluster add --from` and its end."""

    @pytest.fixture
    def run(self, system: LocalSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
        monkeypatch.chdir(tmp_path)
        state = tmp_path / "dev.json"
        system.write_state(state)

        def run(*words: str, code: int = 0) -> Result:
            done = CliRunner().invoke(app, ["cluster", *words, "--state", str(state)])
            assert done.exit_code == code, done.output
            return done

        return run

    def filters(self, system: LocalSystem, group: str) -> list[dict[str, Any]]:
        found = system.client("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        return list(found)

    def test_a_log_group_is_subscribed_and_its_events_are_stored(
        self, system: LocalSystem, run: Callable[..., Result]
    ) -> None:
        logs, group = system.client("logs"), "/aws/eks/prod-new/cluster"
        run("add", "new", "--from", "eks", "--source", group, code=1)
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
        done = run("add", "new", "--from", "eks", "--source", group)

        (one,) = self.filters(system, group)
        assert (one["filterName"], one["filterPattern"]) == ("auditwire-auditwire", "")
        assert "aws eks update-cluster-config --region us-east-1 --name prod-new" in done.stdout
        TestEks().put(system, group, 4)
        until(lambda: archived(system, "new") == [exec_event(4)["auditID"]])

        run("revoke", "new", "--yes")
        assert self.filters(system, group) == []

    def test_two_filters_are_the_most_that_a_group_may_have(
        self, system: LocalSystem, run: Callable[..., Result]
    ) -> None:
        logs, group = system.client("logs"), "/aws/eks/prod-full/cluster"
        logs.create_log_group(logGroupName=group)
        function = system.outputs["SubscribeEksFunctionArn"]
        for name in ("one", "two"):
            logs.put_subscription_filter(logGroupName=group, filterName=name, filterPattern="", destinationArn=function)
        done = run("add", "full", "--from", "eks", "--source", group, code=1)

        assert "as many subscription filters as it may: one, two" in done.stderr
        assert "full" not in run("list").stdout

    def test_commands_are_printed_instead(self, system: LocalSystem, run: Callable[..., Result]) -> None:
        done = run("add", "prod-printed", "--from", "eks", "--print")

        assert "aws logs put-subscription-filter" in done.stdout
        assert system.outputs["SubscribeEksFunctionArn"] in done.stdout
        assert "awslogs:123456789012:us-east-1:/aws/eks/prod-printed/cluster" in run("list").stdout

    def test_a_group_that_the_stack_does_not_take_is_refused(self, run: Callable[..., Result]) -> None:
        done = run("add", "staging", "--from", "eks", code=1)

        assert "its parameter EksLogGroups is /aws/eks/prod-*" in done.stderr

    def test_a_service_account_is_registered(self, system: LocalSystem, run: Callable[..., Result]) -> None:
        account = "second@p.iam.gserviceaccount.com"
        done = run("add", "gke-second", "--from", "gke", "--source", account)
        token = system.issuer.token(CLAIMS | {"email": account})

        assert f"--push-endpoint={system.url}/audit/gke" in done.stdout
        assert post(system, "/audit/gke", text_of(push(ENTRY)), Authorization=f"Bearer {token}") == (200, "")
        assert len(archived(system, "gke-second")) == 1

    def test_a_shipper_gets_a_credential_in_a_file(self, run: Callable[..., Result], tmp_path: Path) -> None:
        done = run("add", "logs", "--from", "fluent-bit")

        credential = (tmp_path / "logs.credential").read_text().strip()
        assert "Format             json_lines" in done.stdout
        assert credential not in done.output

    @pytest.mark.parametrize(
        "words",
        [
            ("--from", "aks", "--source", "x"),
            ("--from", "gke", "--print"),
            ("--from", "aks", "--show"),
            ("--source", "x"),
            ("--from", "gke", "--source", "nobody"),
            ("--from", "nothing"),
        ],
    )
    def test_options_that_do_not_go_together_are_refused(self, run: Callable[..., Result], words: tuple[str]) -> None:
        run("add", "wrong", *words, code=2)

    def test_the_name_of_what_is_unregistered_is_taken(self, run: Callable[..., Result]) -> None:
        assert "the name unregistered is reserved" in run("add", "unregistered", code=2).stderr


class TestDoctor:
    """`auditwire doctor` finds gaps between log groups and clusters."""

    def findings(self, system: LocalSystem, tmp_path: Path) -> list[tuple[str, str]]:
        system.write_state(tmp_path / "dev.json")
        words = ["doctor", "--read-only", "--format", "json", "--state", str(tmp_path / "dev.json")]
        # The functions run in this process, and so do their metrics.
        lines = CliRunner().invoke(app, words).stdout.splitlines()
        said = json.loads(next(line for line in lines if line.startswith('{"healthy"')))
        return [(one["health"], one["says"]) for one in said["findings"] if one["check"] == "clouds"]

    def test_gaps_are_named(self, system: LocalSystem, tmp_path: Path) -> None:
        logs = system.client("logs")
        table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
        for name in ("gone", "silent"):
            key = log_group_key(ACCOUNT, system.region, f"/aws/eks/prod-{name}/cluster")
            table.add(Registration(credential=key, cluster=Cluster(name)))
        for name in ("silent", "spare"):
            logs.create_log_group(logGroupName=f"/aws/eks/prod-{name}/cluster")
        TestEks().subscribe(system, "/aws/eks/prod-nobody/cluster")
        found = self.findings(system, tmp_path)

        assert ("ill", "the log group /aws/eks/prod-gone/cluster of gone is gone") in found
        silent = "/aws/eks/prod-silent/cluster of silent is not subscribed, so nothing comes from it"
        assert ("ill", silent) in found
        nobody = "/aws/eks/prod-nobody/cluster belongs to no cluster, so what it delivers is quarantined"
        # A filter of another name is somebody else's.
        assert ("note", "/aws/eks/prod-nobody/cluster is not subscribed") in found
        logs.delete_subscription_filter(logGroupName="/aws/eks/prod-nobody/cluster", filterName="auditwire")
        logs.put_subscription_filter(
            logGroupName="/aws/eks/prod-nobody/cluster",
            filterName="auditwire-auditwire",
            filterPattern="",
            destinationArn=system.outputs["SubscribeEksFunctionArn"],
        )
        found = self.findings(system, tmp_path)
        assert ("ill", nobody) in found
        assert ("note", "/aws/eks/prod-spare/cluster is not subscribed") in found


class TestImport:
    """Objects that somebody puts into the import bucket."""

    def test_an_object_is_taken(self, system: LocalSystem) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = b"".join(gzip.compress(text_of(cloudwatch([json.dumps(event)]))) for event in (
            # Refused, which is counted: the function uses its permission to.
            exec_event(1), exec_event(2, stageTimestamp=now, responseStatus={"metadata": {}, "code": 403}),
        ))  # fmt: skip
        system.client("s3").put_object(Bucket=BUCKET, Key="prod/2026/11/21/x.gz", Body=body)

        until(lambda: len(archived(system, "s3-prod")) == 2)
        lines = [json.loads(line) for line in system.archive_lines()]
        flags = {line["auditID"]: line["_auditwire"].get("flags", []) for line in lines if line["cluster"] == "s3-prod"}
        assert [("backfill" in flags[exec_event(number)["auditID"]]) for number in (1, 2)] == [True, False]

    def test_an_object_of_nobody_is_given_up_aloud(self, system: LocalSystem) -> None:
        system.client("s3").put_object(Bucket=BUCKET, Key="staging/x", Body=b"{}")
        queue = system.resource("ImportDeadLetterQueue").physical_id

        def waiting() -> int:
            names = ["ApproximateNumberOfMessages"]
            found = system.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
            return int(found["ApproximateNumberOfMessages"])

        until(lambda: waiting() == 1)
        assert any("no cluster has a prefix of s3://audit-logs/staging/x" in line for line in system.logs())


class TestImportCommand:
    """`auditwire import`, and `auditwire cluster add --from s3`."""

    @pytest.fixture
    def run(self, system: LocalSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
        monkeypatch.chdir(tmp_path)
        state = tmp_path / "state" / "dev.json"
        system.write_state(state)

        def run(*words: str, code: int = 0) -> Result:
            done = CliRunner().invoke(app, [*words, "--state", str(state)])
            assert done.exit_code == code, done.output
            return done

        return run

    def said(self, done: Result) -> dict[str, int]:
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"objects"')]
        found: dict[str, int] = json.loads(lines[-1])
        return found

    def test_files_and_objects_are_imported_once(
        self, system: LocalSystem, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        run("cluster", "add", "old")
        (tmp_path / "logs").mkdir()
        lines = "".join(f"{json.dumps(exec_event(number))}\n" for number in (1, 2))
        (tmp_path / "logs" / "a.log").write_text(lines)
        (tmp_path / "logs" / "b.log.gz").write_bytes(gzip.compress(json.dumps(exec_event(3)).encode()))
        system.client("s3").create_bucket(Bucket="old-logs")
        system.client("s3").put_object(Bucket="old-logs", Key="x/y.json", Body=json.dumps([exec_event(4)]).encode())
        words = ("import", "logs", "s3://old-logs/x/", "--cluster", "old", "--format", "json")
        first, again = self.said(run(*words)), self.said(run(*words))

        assert (first["objects"], first["received"], first["archived"], first["alerted"]) == (3, 4, 4, 0)
        assert (again["objects"], again["received"]) == (3, 0)
        assert len(archived(system, "old")) == 4
        loud = self.said(
            run("import", "logs/a.log", "--cluster", "old", "--alert", "--progress", "p", "--format", "json")
        )
        assert loud["alerted"] == 2
        assert len(archived(system, "old")) == 4

    def test_what_is_damaged_is_named_and_what_stands_before_it_is_imported(
        self, system: LocalSystem, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        run("cluster", "add", "damaged")
        whole = gzip.compress(f"{json.dumps(exec_event(1))}\n".encode())
        (tmp_path / "x.gz").write_bytes(whole + gzip.compress(b"more")[:-4])
        done = run("import", "x.gz", "--cluster", "damaged", code=1)

        assert "x.gz: the gzip stream ends too early" in done.stderr
        assert "1 object is damaged" in done.stderr

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("nowhere", "--cluster", "demo"), "there is no nowhere"),
            (("dev.json", "--cluster", "nobody"), "there is no cluster nobody"),
            ((".", "--cluster", "demo", "--progress", "wrong"), "wrong is no progress file"),
        ],
    )
    def test_wrong_usage_is_said(
        self, run: Callable[..., Result], tmp_path: Path, words: tuple[str], says: str
    ) -> None:
        (tmp_path / "wrong").write_text("[]")

        assert says in run("import", *words, code=2).stderr

    def test_the_present_notifications_are_kept(self, system: LocalSystem, run: Callable[..., Result]) -> None:
        done = run("cluster", "add", "fh", "--from", "s3", "--source", "firehose/")
        (words,) = [line for line in done.stdout.splitlines() if "--notification-configuration" in line]

        assert json.loads(shlex.split(words)[1]) == {"EventBridgeConfiguration": {}}
        assert "s3:audit-logs/firehose/" in run("cluster", "list").stdout
        run("cluster", "add", "fh2", "--from", "s3", "--source", "firehose", code=2)
