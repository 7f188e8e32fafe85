"""The artefacts of the build in the real Lambda runtime client, with every sample invocation of events/."""

import base64
import gzip
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from auditwire.alerts.message import Message
from auditwire.alerts.outbox import S3Outbox
from auditwire.bundles.rules_bucket import S3RulesBucket, document_key
from auditwire.clusters import Cluster, ClustersTable, Registration
from auditwire.events.bounds import MAX_INFLATED
from auditwire.rules.bundle import decode_bundle
from auditwire_console.granted import Granted, key_of_token
from auditwire_console.viewer import Grant
from auditwire_local.deploy import deploy
from auditwire_local.options import ClusterCredential
from auditwire_local.receiver import AlertReceiver
from auditwire_local.sandbox import sandbox
from auditwire_local.seed import register_clusters
from lambda_runtime import HOST_BUILD, ROOT, FunctionFailed, environment, interpreter, isolated

EVENTS = ROOT / "events"
REGION = "us-east-1"
MAX_MORE_BYTES = 400 << 20
"""What an accepted body may cost above an idle ingest."""

pytestmark = pytest.mark.skipif(
    not (HOST_BUILD / ".ready").is_file(), reason="the artefacts for this machine are missing: make build-host"
)


@dataclass(frozen=True)
class Outcome:
    """What a sample request must lead to: the answer, and the keys below which objects appear."""

    status: int = 200
    body: str = ""
    archived: dict[str, int] = field(default_factory=dict)
    """Events by cluster."""
    quarantined: int = 0
    alerts: frozenset[str] = frozenset()


# The default documents keep every request that may change something, and reads of Secrets; other reads are not kept.
OUTCOMES = {
    "healthz": Outcome(body="ok"),
    "unauthorized": Outcome(status=401),
    # What is put in quarantine is told.
    "not-json": Outcome(quarantined=1, alerts=frozenset({"sample"})),
    "kube-apiserver-eventlist": Outcome(archived={"sample": 3}, alerts=frozenset({"sample"})),
    "ks-apiserver-3-items": Outcome(archived={"sample-ks": 1}),
    "ks-apiserver-4-concatenated": Outcome(archived={"sample-ks": 2}),
    "log-shipper-gzip": Outcome(archived={"sample": 2}),
    "log-shipper-jsonlines": Outcome(archived={"sample": 1}),
}


def samples(function: str) -> list[Path]:
    return sorted((EVENTS / function).glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


class Stack:
    """The deployed template in the in-process AWS, and the variables with which its functions run."""

    def __init__(self, endpoint: str, receiver: AlertReceiver) -> None:
        self.receiver = receiver
        parameters = {
            "AlertmanagerUrls": receiver.url,
            "Console": "on",
            # Nobody listens there.
            "ConsoleIssuer": "http://127.0.0.1:9",
            "ConsoleClientId": "console",
        }
        deployed = deploy(ROOT / "template.yaml", stack="auditwire", region=REGION, parameters=parameters)
        self.outputs = deployed.outputs
        client = boto3.client("lambda", region_name=REGION)
        credentials = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        self.variables = {}
        for resource in deployed.of_type("AWS::Lambda::Function"):
            described = client.get_function_configuration(FunctionName=resource.physical_id)
            name = deployed.code[resource.logical_id].name
            self.variables[name] = {**described["Environment"]["Variables"], **credentials}
        clusters = {name: ClusterCredential(**values) for name, values in load(EVENTS / "clusters.json").items()}
        register_clusters(boto3.client("dynamodb", region_name=REGION), self.outputs["ClustersTable"], clusters)
        self.s3 = boto3.client("s3", region_name=REGION)
        self.sqs = boto3.client("sqs", region_name=REGION)

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Objects of the archive bucket by key, inflated."""
        bucket = self.outputs["ArchiveBucket"]
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        keys = [item["Key"] for item in listed]
        return {key: gzip.decompress(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys}

    def messages(self) -> list[Any]:
        """Take everything that waits in the alerts queue."""
        queue = self.outputs["AlertsQueueUrl"]
        taken = []
        while batch := self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages", []):
            for message in batch:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            taken += batch
        return taken

    def empty(self) -> None:
        """Forget what earlier samples have left."""
        bucket = self.outputs["ArchiveBucket"]
        for version in self.s3.list_object_versions(Bucket=bucket).get("Versions", []):
            self.s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        self.messages()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    receiver = AlertReceiver()
    receiver.start()
    with sandbox(REGION, "127.0.0.1", 0) as endpoint:
        yield Stack(endpoint, receiver)
    receiver.stop()


def as_sqs_event(messages: list[Any]) -> dict[str, Any]:
    """Received messages as the event source mapping hands them to the relay."""
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795305600000"},
            "messageAttributes": {
                name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:alerts",
            "awsRegion": REGION,
        }
        for message in messages
    ]
    return {"Records": records}


def test_every_sample_has_an_expected_outcome() -> None:
    assert {path.stem for path in samples("ingest")} == set(OUTCOMES)
    assert samples("relay")
    assert samples("compile_rules")
    assert samples("publish_outbox")
    assert samples("watch")
    assert samples("console")


def archived_by_rules(stack: Stack, log: str) -> dict[str, int]:
    """How many events of each cluster are archived because of rules. On a slow machine they may not be read in time,
    and every event is kept; such events are not counted, and the function's log must say why they are there."""
    archived: Counter[str] = Counter()
    for key, lines in stack.objects("events/").items():
        for about in (json.loads(line)["_auditwire"] for line in lines.splitlines()):
            if about.get("archiving") == ["auditwire.RulesUnknown"] and not about.get("alerting"):
                assert '"rules not taken"' in log
            else:
                archived[key.split("/")[1].removeprefix("cluster=")] += 1
    return dict(archived)


@pytest.mark.parametrize("path", samples("ingest"), ids=lambda path: path.stem)
def test_ingest_answers_and_stores_cold_and_warm(stack: Stack, path: Path, tmp_path: Path) -> None:
    stack.empty()
    expected = OUTCOMES[path.stem]

    with environment("ingest", stack.variables["ingest"], tmp_path) as function:
        cold = function.invoke(load(path))
        log = function.log()
        stored = stack.objects("")
        first_alerts = stack.messages()
        warm = function.invoke(load(path))

    for answer in (cold, warm):
        assert answer["statusCode"] == expected.status, log
        assert answer.get("body", "") == expected.body
        assert not {name.lower() for name in answer.get("headers", {})} & {"retry-after", "location"}
    # The same batch again: the same objects, and nothing beside them.
    assert stack.objects("") == stored
    assert archived_by_rules(stack, log) == expected.archived
    assert len(stack.objects("quarantine/")) == expected.quarantined
    alerts = [json.loads(message["Body"]) for message in first_alerts]
    assert {alert["labels"]["cluster"] for alert in alerts} == expected.alerts
    # What is written down never holds a credential.
    secrets = [cluster["credential"] for cluster in load(EVENTS / "clusters.json").values()]
    assert not [secret for secret in secrets if secret in log]


def test_a_body_at_the_bounds_is_taken_in_the_memory_that_a_body_may_take(stack: Stack, tmp_path: Path) -> None:
    stack.empty()
    sample = load(EVENTS / "ingest" / "log-shipper-gzip.json")
    (line,) = gzip.decompress(base64.b64decode(sample["body"])).splitlines()[:1]
    large = {**json.loads(line), "verb": "update", "requestObject": {"note": "x" * 3_200}}
    lines = [json.dumps({**large, "auditID": f"id-{number}"}).encode() for number in range(8_000)]
    body = b"\n".join(lines)
    assert MAX_INFLATED * 0.9 < len(body) < MAX_INFLATED
    request = {**sample, "body": base64.b64encode(gzip.compress(body, 1)).decode()}

    with environment("ingest", stack.variables["ingest"], tmp_path) as function:
        assert function.invoke(sample)["statusCode"] == 200
        # Less than the body itself takes: it is not taken then, and its sender is not told that it was.
        function.limit_memory(len(body) // 2)
        with suppress(FunctionFailed):
            assert function.invoke(request)["statusCode"] == 500
        assert "MemoryError" in function.log()
        function.limit_memory(MAX_MORE_BYTES)
        answer = function.invoke(request)
        log = function.log()

    assert answer["statusCode"] == 200, log
    assert sum(len(text.splitlines()) for text in stack.objects("events/").values()) >= len(lines)


@pytest.mark.parametrize("path", samples("relay"), ids=lambda path: path.stem)
def test_relay_delivers_sample_cold_and_warm(stack: Stack, path: Path, tmp_path: Path) -> None:
    with environment("relay", stack.variables["relay"], tmp_path) as function:
        cold = function.invoke(load(path))
        warm = function.invoke(load(path))
        log = function.log()

    assert cold == warm == {"batchItemFailures": []}, log
    names = {json.loads(record["body"])["labels"]["alertname"] for record in load(path)["Records"]}
    assert names <= {alert["labels"]["alertname"] for alert in stack.receiver.active()}


def test_an_alert_passes_from_the_request_to_the_alertmanager(stack: Stack, tmp_path: Path) -> None:
    stack.empty()
    with environment("ingest", stack.variables["ingest"], tmp_path) as function:
        function.invoke(load(EVENTS / "ingest" / "kube-apiserver-eventlist.json"))
    messages = stack.messages()
    with environment("relay", stack.variables["relay"], tmp_path) as function:
        answer = function.invoke(as_sqs_event(messages))
        log = function.log()

    assert messages
    assert answer == {"batchItemFailures": []}, log
    sent = {json.loads(message["Body"])["labels"]["alertname"] for message in messages}
    assert sent <= {alert["labels"]["alertname"] for alert in stack.receiver.active()}


def test_sample_of_the_relay_has_the_shape_of_a_published_alert(stack: Stack, tmp_path: Path) -> None:
    stack.empty()
    with environment("ingest", stack.variables["ingest"], tmp_path) as function:
        function.invoke(load(EVENTS / "ingest" / "kube-apiserver-eventlist.json"))
    (published, *_) = [json.loads(message["Body"]) for message in stack.messages()]
    for path in samples("relay"):
        for record in load(path)["Records"]:
            sample = json.loads(record["body"])
            assert sample.keys() == published.keys()
            assert sample["auditwire"].keys() == published["auditwire"].keys()


@pytest.mark.parametrize("path", samples("compile_rules"), ids=lambda path: path.stem)
def test_uploaded_rules_come_into_force_cold_and_warm(stack: Stack, path: Path, tmp_path: Path) -> None:
    bucket = S3RulesBucket(stack.s3, stack.outputs["RulesBucket"])
    for listed in bucket.entries(""):
        bucket.delete(listed.key)
    with environment("compile_rules", stack.variables["compile_rules"], tmp_path) as function:
        # A fresh stack runs with the default pack.
        answers = [function.invoke(load(path))]
        for document in (ROOT / "rules").glob("*.yaml"):
            bucket.write(document_key(document.name), document.read_bytes())
        answers += [function.invoke(load(path)) for _ in range(2)]
        bucket.write(document_key("mine.yaml"), b"kind: Rule\nspec: {rules: 5}\n")
        answers += [function.invoke(load(path))]
        log = function.log()

    assert [answer["verdict"] for answer in answers] == ["unchanged", "accepted", "unchanged", "refused"], log
    assert len({answer["active"] for answer in answers[1:]}) == 1
    assert [json.loads(message["Body"])["labels"]["alertname"] for message in stack.messages()] == [
        "auditwire.RulesRefused"
    ]
    assert '"path":"mine.yaml","line":1,"column":1' in log


def test_the_default_pack_of_the_layer_is_in_force_before_the_first_upload(stack: Stack, tmp_path: Path) -> None:
    stack.empty()
    bucket = S3RulesBucket(stack.s3, stack.outputs["RulesBucket"])
    for listed in bucket.entries(""):
        bucket.delete(listed.key)
    with environment("ingest", stack.variables["ingest"], tmp_path) as function:
        function.invoke(load(EVENTS / "ingest" / "kube-apiserver-eventlist.json"))
    pack = decode_bundle((HOST_BUILD / "layer" / "python" / "auditwire" / "default_bundle.json").read_bytes())

    lines = [json.loads(line) for lines in stack.objects("events/").values() for line in lines.splitlines()]
    assert {line["_auditwire"]["bundle"] for line in lines} == {pack.digest}


@pytest.mark.parametrize("path", samples("publish_outbox"), ids=lambda path: path.stem)
def test_the_outbox_is_published_cold_and_warm(stack: Stack, path: Path, tmp_path: Path) -> None:
    stack.empty()
    outbox = S3Outbox(stack.s3, stack.outputs["ArchiveBucket"])
    waiting = [Message(f'{{"labels":{{"alertname":"A{number}"}}}}', {"rule": "A"}) for number in range(12)]
    with environment("publish_outbox", stack.variables["publish_outbox"], tmp_path) as function:
        outbox.hold(waiting)
        cold = function.invoke(load(path), timeout=60)
        warm = function.invoke(load(path), timeout=60)
        log = function.log()

    assert cold == {"published": 12, "refused": 0, "waiting": 0}, log
    assert warm == {"published": 0, "refused": 0, "waiting": 0}
    assert stack.objects("outbox/") == {}
    taken = {message["Body"]: message["MessageAttributes"] for message in stack.messages()}
    assert taken.keys() == {message.body for message in waiting}
    assert all(attributes["rule"]["StringValue"] == "A" for attributes in taken.values())


@pytest.mark.parametrize("path", samples("watch"), ids=lambda path: path.stem)
def test_a_cluster_that_fell_silent_is_told_of_cold_and_warm(stack: Stack, path: Path, tmp_path: Path) -> None:
    stack.empty()
    table = ClustersTable(boto3.client("dynamodb", region_name=REGION), stack.outputs["ClustersTable"])
    table.add(Registration(credential="0" * 64, cluster=Cluster("quiet"), silence_seconds=1_800))
    with environment("watch", stack.variables["watch"], tmp_path) as function:
        cold = function.invoke(load(path), timeout=60)
        warm = function.invoke(load(path), timeout=60)
        log = function.log()
    table.remove("0" * 64)

    assert cold == warm == {"silent": 1, "stale": 0, "published": 1}, log
    labels = [json.loads(message["Body"])["labels"] for message in stack.messages()]
    assert [(each["alertname"], each["cluster"]) for each in labels] == [("auditwire.ClusterSilent", "quiet")] * 2


@pytest.mark.parametrize("function", ["ingest", "relay", "compile_rules", "publish_outbox", "watch"])
def test_a_function_without_its_configuration_does_not_start_quietly(function: str, tmp_path: Path) -> None:
    with (
        environment(function, {"AWS_REGION": REGION}, tmp_path) as started,
        pytest.raises(FunctionFailed),
    ):
        started.invoke({"version": "2.0", "routeKey": "GET /healthz", "rawPath": "/healthz", "headers": {}})


def test_functions_see_nothing_of_the_development_environment() -> None:
    # Otherwise a package that the layer lacks would be found here and missing on AWS.
    command, variables = isolated("ingest")
    names = ("pytest", "moto", "typer", "boto3", "auditwire")
    probe = f"import importlib.util as u; print([name for name in {names} if u.find_spec(name)])"
    answer = subprocess.run([*command, "-c", probe], env=variables, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['boto3', 'auditwire']"
    assert interpreter()


def of_console(path: str, **headers: str) -> Any:
    """A request to the console as API Gateway hands it on."""
    event = load(EVENTS / "console" / "page.json")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["headers"] |= headers
    return event


def body_of(answer: Any) -> bytes:
    content = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return gzip.decompress(content) if answer["headers"].get("content-encoding") == "gzip" else content


def test_the_console_shows_its_page_and_searches_cold_and_warm(stack: Stack, tmp_path: Path) -> None:
    stack.empty()
    with environment("ingest", stack.variables["ingest"], tmp_path) as function:
        function.invoke(load(EVENTS / "ingest" / "kube-apiserver-eventlist.json"))
        assert archived_by_rules(stack, function.log()) == {"sample": 3}
    stored = sum(len(lines.splitlines()) for lines in stack.objects("events/").values())
    row = Granted(key_of_token("of-a-client"), "client", Grant(None, everything=True)).as_row()
    boto3.client("dynamodb", region_name=REGION).put_item(TableName=stack.outputs["ViewersTable"], Item=row)
    token = {"authorization": "Bearer of-a-client"}

    with environment("console", stack.variables["console"], tmp_path) as function:
        page = function.invoke(load(EVENTS / "console" / "page.json"))
        script = function.invoke(of_console(re.findall(rb'src="([^"]+)"', body_of(page))[0].decode()))
        nobody = function.invoke(of_console("/api/rows"))
        found = [function.invoke(of_console("/api/rows", **token)) for _ in range(2)]
        no_issuer = function.invoke(of_console("/login"))
        foreign = function.invoke(of_console("/", host="evil.example"))
        log = function.log()

    assert [one["statusCode"] for one in (page, script, nobody, *found)] == [200, 200, 401, 200, 200], log
    assert b"<title>" in body_of(page)
    assert b"import" in body_of(script)
    assert [len(json.loads(body_of(one))["rows"]) for one in found] == [stored, stored]
    assert (no_issuer["statusCode"], foreign["statusCode"]) == (502, 421)
    records = [json.loads(line) for line in log.splitlines() if '"message":"search"' in line]
    assert [(record["viewer"], record["status"]) for record in records] == [("", 401), ("client", 200), ("client", 200)]
    assert "of-a-client" not in log
