"""Stacks with what is optional: a key of one's own, the relay in a VPC, a secret, locked evidence, heads elsewhere."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from alertmanagers import Fake, alertmanager
from auditwire.alerts.message import Message
from auditwire.alerts.outbox import S3Outbox, encode_messages, outbox_key
from auditwire.clusters import (
    Cluster,
    ClustersTable,
    Registration,
    bucket_key,
    credential_digest,
    log_group_key,
)
from auditwire.ingest.import_queue import Order
from auditwire.search import Coverage, Page, Query
from auditwire.search.athena import Athena
from auditwire.search.athena_engine import AthenaEngine
from auditwire.search.bucket import BucketObjects
from auditwire_cli.console.sources import source_of_stack
from auditwire_cli.query.engines import EngineName
from auditwire_cli.stack import Stack
from auditwire_local import LocalSystem, Options
from envelopes import awslogs, cloudwatch
from faults import Calls, Exchange, Fault, Trouble, Wire, denied
from local_road import body_of, exec_event, post
from roles.calls import Call
from roles.permissions import allowed, statements_of
from roles.service_calls import with_service_calls
from waiting import until

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
OLD_KEY = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
OLDER_KEY = "arn:aws:kms:us-east-1:123456789012:key/33333333-2222-3333-4444-555555555555"
OTHER_KEY = "arn:aws:kms:us-east-1:123456789012:key/44444444-2222-3333-4444-555555555555"
# moto puts six more characters behind it when the secret is made, and finds the secret without them too.
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alertmanager-AbCdEf"
WIRE = Wire()
PARAMETERS = {
    "KmsKeyArn": KEY,
    "PreviousKmsKeyArns": f"{OLD_KEY},{OLDER_KEY}",
    "AlertmanagerSecretArn": SECRET,
    "RelaySubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "RelaySecurityGroupIds": "sg-0123456789abcdef0",
    "EvidenceLock": "governance",
    "SealHeadsBucket": "heads-elsewhere",
    "OcsfBucket": "lake-elsewhere",
    "OcsfPrefix": "ext/auditwire/",
    "OcsfRoleArn": "arn:aws:iam::210987654321:role/AmazonSecurityLake-Provider-auditwire",
    "OcsfExternalId": "auditwire-42",
    "AthenaSearch": "on",
    "EksLogGroups": "/aws/eks/*",
    "ImportBucket": "audit-logs",
}


@pytest.fixture(scope="module")
def peer() -> Iterator[Fake]:
    with alertmanager() as peer:
        yield peer


@pytest.fixture(scope="module")
def system(peer: Fake) -> Iterator[LocalSystem]:
    options = Options(parameters=PARAMETERS, schedules=False)
    with WIRE.in_place(), LocalSystem.start(alertmanagers=[peer.url], options=options) as system:
        boto3.client("secretsmanager", "us-east-1").create_secret(
            Name=SECRET.rpartition(":")[2], SecretString='{"username": "auditwire", "password": "hunter2"}'
        )
        system.client("s3").create_bucket(Bucket=PARAMETERS["OcsfBucket"])
        yield system


def test_the_relay_is_in_its_network_and_nobody_else(system: LocalSystem) -> None:
    networks = {
        function.logical_id: function.properties.get("VpcConfig")
        for function in system.deployed.of_type("AWS::Lambda::Function")
    }
    network = networks.pop("RelayFunction")

    assert network == {
        "SubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
    }
    assert set(networks.values()) == {None}


def test_events_are_exported_under_a_role_that_is_assumed(system: LocalSystem) -> None:
    s3, lake = system.client("s3"), PARAMETERS["OcsfBucket"]
    assert post(system, body_of(exec_event(4)), system.clusters["demo"].credential)[0] == 200
    # Nothing was sealed before, so the role is not assumed yet.
    asked: list[dict[str, list[str]]] = []

    def refuse(exchange: Exchange) -> AWSResponse:
        body = exchange.request.body
        asked.append(parse_qs(body.decode() if isinstance(body, bytes) else str(body)))
        return denied(exchange)

    def seal() -> None:
        system.function("seal").invoke({"at_once": True})

    with WIRE.faulty(Trouble(Calls("seal", "sts.AssumeRole"), refuse)):
        seal()
        until(lambda: any("AssumeRole" in line and '"level":"ERROR"' in line for line in system.logs("seal")))
    assert "Contents" not in s3.list_objects_v2(Bucket=lake)
    assert asked[0]["RoleArn"] == [PARAMETERS["OcsfRoleArn"]]
    assert asked[0]["ExternalId"] == [PARAMETERS["OcsfExternalId"]]

    seal()
    until(lambda: "Contents" in s3.list_objects_v2(Bucket=lake))
    prefix = f"ext/auditwire/region={system.region}/accountId=123456789012/eventDay="
    assert all(each["Key"].startswith(prefix) for each in s3.list_objects_v2(Bucket=lake)["Contents"])


def test_an_alert_takes_the_whole_road_with_the_credentials_of_the_secret(system: LocalSystem, peer: Fake) -> None:
    assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential)[0] == 200
    until(lambda: bool(peer.headers))

    assert peer.headers[0]["Authorization"] == f"Basic {base64.b64encode(b'auditwire:hunter2').decode()}"
    assert "hunter2" not in "\n".join(system.logs())


def test_the_archive_is_searched_by_athena(system: LocalSystem) -> None:
    found = exec_event(2, requestObject={"text": "what athena looks for"})
    assert post(system, body_of(found, exec_event(3)), system.clusters["demo"].credential)[0] == 200
    athena = Athena(system.client("athena"), system.outputs["AthenaWorkGroup"], system.outputs["SearchDatabase"])
    engine = AthenaEngine(BucketObjects(system.client("s3"), system.outputs["ArchiveBucket"]), athena, narrow_above=0)

    hits = engine.rows(Query(texts=("what athena looks for",)), Page(), coverage := Coverage())

    assert [hit.found.audit_id for hit in hits] == [found["auditID"]]
    assert coverage.engine == "athena"

    stack = Stack(system.stack, region=system.region, endpoint_url=system.aws_endpoint_url)
    by_athena = source_of_stack(stack, {}, EngineName.ATHENA).costs
    assert [engine.name for engine in source_of_stack(stack, {}).costs.engines] == ["duckdb", "athena"]
    assert [engine.name for engine in by_athena.engines] == ["athena"]
    assert 0 < by_athena.choose(Query(texts=("what athena looks for",)), 1, 0, Coverage())[1].dollars < 1


def test_the_console_knows_the_rules_that_decided_and_no_others(system: LocalSystem) -> None:
    source = source_of_stack(Stack(system.stack, region=system.region, endpoint_url=system.aws_endpoint_url), {})
    in_force = source.rules()

    assert in_force is not None
    assert source.rules_of(in_force.digest) is not None
    assert [source.rules_of(digest) for digest in ("", "0" * 64, "../active", "0" * 63 + "\n")] == [None] * 4
    ledger = source.ledger(datetime.now(UTC))
    assert ledger is not None
    assert {"cluster", "hour", "published", "delivered", "waiting", "settled"} <= ledger["rows"][0].keys()


def test_what_is_no_alert_is_put_aside(system: LocalSystem) -> None:
    sqs, aside = system.client("sqs"), system.outputs["DeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=system.outputs["AlertsQueueUrl"], MessageBody="no alert")
    until(lambda: bool(sqs.receive_message(QueueUrl=aside).get("Messages")))


def test_the_outbox_is_emptied(system: LocalSystem) -> None:
    S3Outbox(system.client("s3"), system.outputs["ArchiveBucket"]).hold([Message('{"labels":{}}', {"rule": "r"})])

    assert system.function("publish_outbox").invoke({})["published"] == 1


def test_the_watch_tells_of_a_cluster_that_is_silent(system: LocalSystem) -> None:
    silent = Registration(
        credential=credential_digest("silent"),
        cluster=Cluster("silent"),
        created=datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1),
        silence_seconds=60,
    )
    ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"]).add(silent)

    assert system.function("watch").invoke({})["published"] == 1


def needs_its_key(system: LocalSystem, function: str) -> Fault:
    """S3 as it answers somebody who may not use the key of the object: 403."""
    statements = statements_of(system, function)

    def fault(exchange: Exchange) -> AWSResponse:
        answer = exchange.done()
        key = answer.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
        return answer if not key or allowed(statements, "kms:Decrypt", key) else denied(exchange)

    return fault


@pytest.mark.parametrize(
    ("key", "published"), [(KEY, 1), (OLD_KEY, 1), (OLDER_KEY, 1), (OTHER_KEY, 0)], ids=["own", "old", "older", "other"]
)
def test_what_a_key_of_before_has_encrypted_is_still_read(system: LocalSystem, key: str, published: int) -> None:
    s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
    messages = [Message('{"labels":{"alertname":"a"}}', {"rule": key})]
    name = outbox_key(messages)
    body = encode_messages(messages)
    s3.put_object(Bucket=bucket, Key=name, Body=body, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    with WIRE.faulty(Trouble(Calls("publish_outbox", "s3.GetObject"), needs_its_key(system, "publish_outbox"))):
        assert system.function("publish_outbox").invoke({})["published"] == published
    s3.delete_object(Bucket=bucket, Key=name)


def test_after_the_runbook_nothing_needs_a_key_of_before(system: LocalSystem) -> None:
    """What docs/runbooks.md has people do: copy each object onto itself, which encrypts it with the bucket's key."""
    s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
    s3.put_object(Bucket=bucket, Key="quarantine/x", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=OLD_KEY)
    s3.copy_object(
        Bucket=bucket,
        Key="quarantine/x",
        CopySource={"Bucket": bucket, "Key": "quarantine/x"},
        MetadataDirective="COPY",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=KEY,
    )
    assert s3.head_object(Bucket=bucket, Key="quarantine/x")["SSEKMSKeyId"] == KEY


def test_events_and_seals_are_locked_and_nothing_else(system: LocalSystem) -> None:
    s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
    assert post(system, body_of(exec_event(2), {"level": 5}), system.clusters["demo"].credential)[0] == 200
    system.function("seal").invoke({"at_once": True})
    until(lambda: "Contents" in s3.list_objects_v2(Bucket=bucket, Prefix="seals/cluster=demo/"))

    locked = {"events", "seals"}
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        named = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
        if version["Key"].partition("/")[0] in locked:
            head = s3.head_object(**named)
            days = (head["ObjectLockRetainUntilDate"] - version["LastModified"]).days
            assert (head["ObjectLockMode"], 364 <= days <= 366) == ("GOVERNANCE", True)
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.delete_object(**named)
        else:
            s3.delete_object(**named)


def test_the_heads_are_kept_elsewhere(system: LocalSystem) -> None:
    s3 = system.client("s3")
    s3.create_bucket(Bucket=PARAMETERS["SealHeadsBucket"])
    assert post(system, body_of(exec_event(3)), system.clusters["demo"].credential)[0] == 200
    system.function("seal").invoke({"at_once": True})
    sealed = {"Bucket": system.outputs["ArchiveBucket"], "Prefix": "seals/cluster=demo/"}
    until(lambda: "Contents" in s3.list_objects_v2(**sealed))

    # Twice, as a schedule may: what is there stays.
    for _ in range(2):
        system.function("seal").invoke({"time": "2026-11-22T00:12:00Z"})

    (kept,) = s3.list_objects_v2(Bucket=PARAMETERS["SealHeadsBucket"])["Contents"]
    assert kept["Key"] == f"auditwire-heads/{system.stack}/2026-11-22.jsonl"
    (head,) = s3.get_object(Bucket=PARAMETERS["SealHeadsBucket"], Key=kept["Key"])["Body"].read().splitlines()
    assert json.loads(head).keys() == {"cluster", "number", "sha256", "reached"}


def test_everything_that_holds_events_or_alerts_is_encrypted_with_the_key(system: LocalSystem) -> None:
    made = with_service_calls(
        [
            Call("ingest", "s3:PutObject", f"arn:aws:s3:::{system.outputs['ArchiveBucket']}/events/x"),
            Call("ingest", "s3:GetObject", f"arn:aws:s3:::{system.outputs['RulesBucket']}/active.json"),
            Call("ingest", "dynamodb:GetItem", system.resource("ClustersTable").attributes["Arn"]),
            Call("ingest", "sns:Publish", system.outputs["AlertsTopicArn"]),
            Call("relay", "sqs:ReceiveMessage", system.resource("AlertsQueue").attributes["Arn"]),
            Call("relay", "sqs:SendMessage", system.resource("DeadLetterQueue").attributes["Arn"]),
        ],
        [],
        system.deployed,
    )

    assert [call.action for call in made if call.resource == KEY] == [
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "kms:Decrypt",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    ]


@pytest.fixture(scope="module", params=["subscribe_eks", "import_objects"])
def take(system: LocalSystem, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Has a function of managed clouds take events, in a new environment."""
    s3, name = system.client("s3"), request.param
    table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
    group, bucket = "/aws/eks/role/cluster", "audit-logs"
    of_group = log_group_key("123456789012", system.region, group)
    key = of_group if name == "subscribe_eks" else bucket_key(bucket, "x/")
    table.add(Registration(credential=key, cluster=Cluster(name.replace("_", "-"))))
    s3.create_bucket(Bucket=bucket)

    def take(*events: dict[str, Any]) -> None:
        function = system.function(name)
        # As short as it may be: whatever fails is tried for all the time there is.
        seconds = 18 if name == "subscribe_eks" else function.configuration.timeout
        function.reconfigure(replace(function.configuration, timeout=seconds))
        lines = [json.dumps(event) for event in events]
        if name == "subscribe_eks":
            function.invoke(awslogs(cloudwatch(lines, group=group)))
            return
        s3.put_object(Bucket=bucket, Key="x/audit.log", Body="\n".join(lines).encode())
        function.invoke({"Records": [{"body": Order(bucket=bucket, key="x/audit.log").as_text()}]})

    return take


class TestClouds:
    """What the functions of managed clouds do with their roles: also where rules are missing and SNS takes nothing."""

    OF_APISERVER = exec_event(
        90, user={"username": "system:apiserver"}, userAgent="kube-apiserver/v1.34.1 (linux/amd64)"
    )

    def test_events_are_stored_and_who_wrote_them_is_noted(
        self, system: LocalSystem, take: Callable[..., None]
    ) -> None:
        agent = "kube-apiserver/v1.34.1 (linux/amd64)"
        take(exec_event(90, user={"username": "system:apiserver"}, userAgent=agent))

        table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
        uses = [row.use for row in table.list().registrations if row.kind.is_name and row.use]
        assert "kube-apiserver v1.34.1" in {use.version for use in uses}

    def test_alerts_go_to_the_outbox_while_sns_takes_nothing(
        self, system: LocalSystem, take: Callable[..., None]
    ) -> None:
        def waiting() -> int:
            bucket = system.outputs["ArchiveBucket"]
            return int(system.client("s3").list_objects_v2(Bucket=bucket, Prefix="outbox/")["KeyCount"])

        before, names = waiting(), ("subscribe_eks", "import_objects")
        with WIRE.faulty(*(Trouble(Calls(name, "sns.PublishBatch"), denied) for name in names)):
            # What is old and comes out of a bucket would not alert.
            take(exec_event(91, stageTimestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
        assert waiting() > before

    def test_events_are_stored_while_rules_are_missing(self, system: LocalSystem, take: Callable[..., None]) -> None:
        s3, bucket = system.client("s3"), system.outputs["RulesBucket"]
        active = s3.get_object(Bucket=bucket, Key="active.json")["Body"].read()
        lost = json.loads(active)
        lost["digest"] = "0" * 64
        try:
            s3.delete_object(Bucket=bucket, Key="active.json")
            take(exec_event(92))
            s3.put_object(Bucket=bucket, Key="active.json", Body=json.dumps(lost).encode())
            take(exec_event(93))
        finally:
            s3.put_object(Bucket=bucket, Key="active.json", Body=active)

    def test_what_is_left_of_an_object_comes_again(self, system: LocalSystem) -> None:
        function = system.function("import_objects")
        whole = function.configuration
        events = [exec_event(number, annotations={"padding": "x" * 4_000}) for number in range(1_000, 2_200)]
        lines = "\n".join(json.dumps(event) for event in events).encode()
        system.client("s3").put_object(Bucket="audit-logs", Key="x/large.log", Body=lines)
        # So short that after one piece there is no time left.
        function.reconfigure(replace(whole, timeout=120))
        try:
            function.invoke({"Records": [{"body": Order(bucket="audit-logs", key="x/large.log").as_text()}]})
            until(lambda: sum(b"x" * 4_000 in line for line in system.archive_lines()) == len(events))
        finally:
            function.reconfigure(whole)
