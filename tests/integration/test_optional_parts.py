"""Stacks with what is optional: a key of one's own, the relay in a VPC, a secret, locked evidence, heads elsewhere."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from alertmanagers import Fake, alertmanager
from auditwire.alerts.message import Message
from auditwire.alerts.outbox import S3Outbox, encode_messages, outbox_key
from auditwire.clusters import Cluster, ClustersTable, Registration, credential_digest
from auditwire.search import Coverage, Page, Query
from auditwire.search.athena import Athena
from auditwire.search.athena_engine import AthenaEngine
from auditwire.search.bucket import BucketObjects
from auditwire_local import LocalSystem, Options
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
    "AthenaSearch": "on",
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
