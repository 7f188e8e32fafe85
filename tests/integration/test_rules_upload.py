"""Rules change while traffic runs: no request fails, and what decides is always one whole set that was accepted."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto.s3.responses import S3Response

from auditwire.bundles.rules_bucket import ACTIVE_KEY, MARKER_KEY, STATUS_KEY, S3RulesBucket, bundle_key, document_key
from auditwire.bundles.rules_state import Active, Status
from auditwire.rules import rule_files
from auditwire.rules.pack import default_rule_set
from auditwire.senders.kind import SenderKind
from auditwire_local import ClusterCredential, LocalSystem, Options
from auditwire_local.runtime import running
from local_road import body_of, exec_event, post
from roles.calls import Recorder
from rule_texts import one_rule
from waiting import until

POLL_SECONDS = 1

WEBHOOK = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: kube-auditing-webhook}
spec: {k8sAuditingEnabled: true}
"""
NUMBERS = count(1)
HOURS = count()
DEFAULT_PACK = default_rule_set().digest
PROBE = ClusterCredential("a-credential-from-the-test", SenderKind.ANY)


def rule(name: str, condition: str = "Verb exists") -> bytes:
    return one_rule(name, condition, kind="archiving", rule_name="everything").encode()


@dataclass
class Traffic:
    """Posts one event after the other and keeps what was answered."""

    system: LocalSystem
    hour: str
    """Of the events' timestamps; what a test finds in the archive is its own."""
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic")

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        credential = self.system.clusters["demo"].credential
        while not self._ending.is_set():
            event = exec_event(next(NUMBERS), stageTimestamp=f"{self.hour}:05:00.100000Z")
            self.answers.append(post(self.system, body_of(event), credential))
            self._ending.wait(0.05)


class Polls:
    """Counts how often ingest asks for active.json."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counted(self) -> Iterator["Polls"]:
        """Count inside."""
        get: Callable[[Any], Any] = S3Response.get_object

        def get_object(response: Any) -> Any:
            if running.get() == "ingest" and response.parse_key_name() == ACTIVE_KEY:
                self.count += 1
            return get(response)

        with patch.object(S3Response, "get_object", get_object):
            yield self


class World:
    """A local system with one rule document in force, and its rules bucket."""

    def __init__(self, system: LocalSystem, polls: Polls) -> None:
        self.system = system
        self.polls = polls
        self.bucket = S3RulesBucket(system.client("s3"), system.outputs["RulesBucket"])
        self.hour = f"2026-11-21T{next(HOURS):02}"

    def put(self, name: str, content: bytes) -> None:
        self.bucket.write(document_key(name), content)

    def delete(self, name: str) -> None:
        self.bucket.delete(document_key(name))

    def active(self) -> Active:
        stored = self.bucket.read(ACTIVE_KEY)
        assert stored is not None
        return Active.decode(stored.data)

    def status(self) -> Status:
        stored = self.bucket.read(STATUS_KEY)
        assert stored is not None
        return Status.decode(stored.data)

    def settled(self) -> None:
        """Wait until every change so far has been looked at."""
        bridge = self.system._bridge
        until(bridge.idle)

    def polled(self) -> None:
        """Wait until traffic has made ingest look for rules again, also if one look had begun before."""
        before = self.polls.count
        until(lambda: self.polls.count > before + 2)

    def await_verdict(self, verdict: str) -> Status:
        self.settled()
        status = self.status()
        assert status.verdict == verdict, status
        return status

    def decided(self) -> list[tuple[str, ...]]:
        """Of each archived event of this test's traffic: the bundle, and the rules of it that archived the event."""
        s3, bucket = self.system.client("s3"), self.system.outputs["ArchiveBucket"]
        prefix = f"events/cluster=demo/date={self.hour[:10]}/hour={self.hour[-2:]}/"
        found = []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                body = gzip.decompress(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                notes = [json.loads(line)["_auditwire"] for line in body.splitlines()]
                found += [(note["bundle"], *note["archiving"]) for note in notes]
        return found

    def accepted(self) -> set[str]:
        """The digests of every bundle once accepted. An environment that had nothing to do while a newer one came
        into force decides by one of these until it can poll again, one that starts where nothing can be read by the
        default pack."""
        keys = [listed.key for listed in self.bucket.entries("bundles/")]
        return {key.removeprefix("bundles/").removesuffix(".json") for key in keys} | {DEFAULT_PACK}

    def bundle_now(self) -> str:
        """The bundle that decides about an event sent now, as the log of ingest has it."""
        before = len(self.probed())
        event = exec_event(next(NUMBERS))
        assert post(self.system, body_of(event), PROBE.credential) == (200, b"")
        # A function's lines are taken up after its answer has gone out.
        until(lambda: len(self.probed()) > before)
        return self.probed()[-1]

    def probed(self) -> list[str]:
        """The bundles that decided about the events of the cluster ``probe``, as far as the log in memory goes."""
        lines = [json.loads(line) for line in self.system.logs("ingest") if '"cluster":"probe"' in line]
        return [str(line["bundle"]) for line in lines if line.get("message") == "batch"]

    def alerts(self, name: str) -> list[dict[str, Any]]:
        assert self.system.alert_receiver is not None
        return [one for one in self.system.alert_receiver.active() if one["labels"]["alertname"] == name]

    def published(self, name: str) -> int:
        return sum(one["labels"]["alertname"] == name for one in self.system.status().latest_alerts)

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        """Run traffic; at the end every request was answered 200 and every event archived, by a set once accepted."""
        before = self.system.status()
        with Traffic(self.system, self.hour) as traffic:
            until(lambda: len(traffic.answers) > 5)
            yield traffic
            enough = len(traffic.answers) + 5
            until(lambda: len(traffic.answers) > enough)
        assert set(traffic.answers) == {(200, b"")}
        decided = self.decided()
        assert len(decided) == len(traffic.answers)
        assert {bundle for bundle, *_ in decided} <= self.accepted()
        assert self.system.status().failures == before.failures


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "webhook.yaml").write_text(WEBHOOK)
    (folder / "a.yaml").write_bytes(rule("one"))
    parameters = {"RulesPollSeconds": str(POLL_SECONDS)}
    options = Options(parameters=parameters, clusters={"probe": PROBE})
    with LocalSystem.start(rules=folder, options=options) as system:
        yield system


@pytest.fixture(scope="module")
def polls() -> Iterator[Polls]:
    with Polls().counted() as polls:
        yield polls


@pytest.fixture
def world(system: LocalSystem, polls: Polls) -> World:
    """The system with the documents ``webhook.yaml`` and ``a.yaml`` (rule set ``one``) in force, and nothing else."""
    world = World(system, polls)
    wanted = {document_key("webhook.yaml"): WEBHOOK.encode(), document_key("a.yaml"): rule("one")}
    for listed in world.bucket.entries():
        if listed.key not in wanted:
            world.bucket.delete(listed.key)
    for key, content in wanted.items():
        world.bucket.write(key, content)
    world.await_verdict("accepted")
    until(lambda: world.bundle_now() == world.active().digest)
    return world


def test_a_broken_document_changes_nothing_and_is_told_with_its_place(world: World) -> None:
    good = world.active()
    told = world.published("auditwire.RulesRefused")
    with world.traffic() as traffic:
        world.put("b.yaml", rule("two", "Vreb exists"))
        status = world.await_verdict("refused")
        sent = len(traffic.answers)
        world.polled()

        assert world.active() == good
        assert world.bundle_now() == good.digest
        until(lambda: len(traffic.answers) > sent)
        (found,) = [one for one in status.diagnostics if one["severity"] == "error"]
        assert (found["path"], found["line"], found["column"], found["code"]) == ("b.yaml", 6, 67, "AW102")
        assert (status.errors, status.active) == (1, good.digest)
        logged = [json.loads(line) for line in world.system.logs("compile_rules") if '"finding"' in line]
        assert found in [line["diagnostic"] for line in logged]
        until(lambda: world.published("auditwire.RulesRefused") == told + 1)
        (alert,) = world.alerts("auditwire.RulesRefused")
        assert alert["annotations"]["description"].startswith("b.yaml:6:67: AW102 there is no field 'Vreb'")

        world.put("b.yaml", rule("two"))
        world.await_verdict("accepted")
        world.polled()

        assert world.active() != good
        assert world.bundle_now() == world.active().digest
    assert {good.digest, world.active().digest} == {bundle for bundle, *_ in world.decided()}
    assert world.published("auditwire.RulesRefused") == told + 1


def test_what_is_mended_goes_live_everywhere(world: World) -> None:
    world.put("b.yaml", rule("two", "Verb ="))
    world.await_verdict("refused")
    with world.traffic():
        digest = world.active().digest
        world.put("b.yaml", rule("two"))
        until(lambda: world.active().digest != digest)
        until(lambda: all(world.bundle_now() == world.active().digest for _ in range(8)))


def test_deleting_a_document_that_others_refer_to_changes_nothing(world: World) -> None:
    macros = rule("macros") + b"  - {name: reads, type: macro, macro: 'Verb = \"get\"'}\n"
    world.put("macros.yaml", macros)
    world.put("a.yaml", rule("one", "${macros.reads}"))
    world.await_verdict("accepted")
    good = world.active()
    until(lambda: world.bundle_now() == good.digest)
    with world.traffic():
        world.delete("macros.yaml")
        status = world.await_verdict("refused")
        world.polled()

        assert (status.diagnostics[0]["path"], status.diagnostics[0]["line"]) == ("a.yaml", 6)
        assert world.bundle_now() == good.digest
        world.put("macros.yaml", macros)
        assert world.await_verdict("accepted").digest == good.digest


def test_an_emptied_bucket_changes_nothing(world: World) -> None:
    good = world.active()
    with world.traffic():
        # As one: a Webhook document alone would be a set like any other.
        world.bucket.write(MARKER_KEY, b"")
        for name in ("a.yaml", "webhook.yaml"):
            world.delete(name)
        world.bucket.delete(MARKER_KEY)
        status = world.await_verdict("refused")
        world.polled()

        assert [found["code"] for found in status.diagnostics] == ["AW404"]
        assert world.active() == good
        assert world.bundle_now() == good.digest


@contextmanager
def s3_answers_503(key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """S3 answers reads of this key with 503 meanwhile; yields the keys that were refused."""
    refused: list[str] = []
    get: Callable[[Any], Any] = S3Response.get_object

    def get_object(self: Any) -> Any:
        if self.parse_key_name() == key:
            refused.append(key)
            return 503, {}, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        return get(self)

    with monkeypatch.context() as patch:
        patch.setattr(S3Response, "get_object", get_object)
        yield refused


def test_s3_down_for_a_while_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.traffic():
        with s3_answers_503(ACTIVE_KEY, monkeypatch) as refused:
            until(lambda: len(refused) > 3)
            assert world.bundle_now() in world.accepted()
        world.put("b.yaml", rule("two"))
        world.await_verdict("accepted")
        until(lambda: world.bundle_now() == world.active().digest)
    assert any("could not be read" in line for line in world.system.logs("ingest"))


def test_an_upload_during_an_outage_is_compiled_once_it_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = world.system.status().failures.get("compile_rules", 0)
    with s3_answers_503(ACTIVE_KEY, monkeypatch):
        world.put("b.yaml", rule("during-an-outage"))
        until(lambda: world.system.status().failures.get("compile_rules", 0) > failures)
    world.await_verdict("accepted")

    assert document_key("b.yaml") in {source.key for source in world.status().sources}


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"#!/bin/sh\n"], ids=["half", "foreign"]
)
def test_a_damaged_bundle_never_decides(world: World, damage: Callable[[bytes], bytes]) -> None:
    with world.traffic():
        world.put("b.yaml", rule("two"))
        world.await_verdict("accepted")
        newer = world.active()
        accepted = world.accepted()
        key = bundle_key(newer.digest)
        stored = world.bucket.read(key)
        assert stored is not None
        # Before anybody has polled: who does now finds the damage.
        world.bucket.write(key, damage(stored.data))
        world.bucket.write(ACTIVE_KEY, newer.encode() + b"\n")
        world.polled()
        now = {world.bundle_now() for _ in range(4)}

        # Who starts now takes the bundle before the damaged one.
        assert now <= accepted - {DEFAULT_PACK}
        world.system.function("compile_rules").invoke({})
        mended = world.bucket.read(key)
        assert mended is not None
        assert mended.data == stored.data
        until(lambda: world.bundle_now() == newer.digest)


def test_a_foreign_active_json_changes_nothing_and_is_overwritten(world: World) -> None:
    good = world.active()
    with world.traffic():
        world.bucket.write(ACTIVE_KEY, b'{"digest": "../../etc/passwd", "sha256": "x", "compiled": "x"}')
        world.polled()
        assert world.bundle_now() in world.accepted()

        world.system.function("compile_rules").invoke({})
        assert world.active().digest == good.digest


def test_two_uploads_at_once_end_with_both_in_effect(world: World) -> None:
    # Each from its own client, and both events handled at the same time besides the bridge's own order.
    function = world.system.function("compile_rules")
    failures = world.system.status().failures

    def upload(name: str) -> None:
        client = boto3.client("s3", endpoint_url=world.system.aws_endpoint_url, region_name="us-east-1")
        S3RulesBucket(client, world.system.outputs["RulesBucket"]).write(document_key(f"{name}.yaml"), rule(name))
        function.invoke({})

    with world.traffic():
        for turn in range(3):
            threads = [threading.Thread(target=upload, args=(f"{name}-{turn}",)) for name in ("left", "right")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            world.settled()
            status = world.status()
            assert (status.verdict, status.digest) == ("accepted", world.active().digest)
            assert {document_key(f"{name}-{turn}.yaml") for name in ("left", "right")} <= {
                source.key for source in status.sources
            }
        until(lambda: world.bundle_now() == world.active().digest)
    last = next(rules for bundle, *rules in world.decided() if bundle == world.active().digest)
    assert {"left-2.everything", "right-2.everything"} <= set(last)
    assert world.system.status().failures == failures


def test_a_set_of_files_goes_live_as_one(world: World) -> None:
    good = world.active()
    with world.traffic():
        world.bucket.write(MARKER_KEY, b"")
        for name in ("x", "y", "z"):
            world.put(f"{name}.yaml", rule(name))
            world.settled()
            assert world.active() == good
        world.bucket.delete(MARKER_KEY)
        world.await_verdict("accepted")
        until(lambda: world.bundle_now() == world.active().digest)
    decided = world.decided()
    assert {("x.everything" in rules, "y.everything" in rules, "z.everything" in rules) for _, *rules in decided} == {
        (False, False, False),
        (True, True, True),
    }


def test_every_aws_call_of_compile_rules_is_allowed_and_needed(world: World) -> None:
    with Recorder() as recorder:
        world.put("b.yaml", rule("two"))
        world.await_verdict("accepted")
        world.put("b.yaml", b"kind: nothing\n")
        world.await_verdict("refused")
    calls = {(call.action, call.resource.split(":")[-1].partition("/")[2]) for call in recorder.calls("compile_rules")}

    assert {action for action, _ in calls} == {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "sns:Publish"}
    assert {key.partition("/")[0] for action, key in calls if action == "s3:PutObject"} == {
        "bundles",
        "active.json",
        "status.json",
    }


def test_the_default_documents_are_accepted_as_they_are(world: World) -> None:
    folder = Path(__file__).parents[2] / "rules"
    for path in rule_files(folder):
        world.put(path.relative_to(folder).as_posix(), path.read_bytes())
    world.delete("a.yaml")

    assert world.await_verdict("accepted").errors == 0
