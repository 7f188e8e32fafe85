"""The watch on a deployed system: silent clusters, stale rules, batches that went wrong in part; and when it fails."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditwire.bundles.rules_bucket import ACTIVE_KEY, STATUS_KEY, S3RulesBucket, bundle_key
from auditwire.bundles.rules_state import Active
from auditwire.clusters import Cluster, ClustersTable, Registration, credential_digest
from auditwire.clusters.registration import time_text
from auditwire_local import LocalSystem, Options
from auditwire_local.errors import InvocationError
from faults import Calls, Trouble, Wire, denied, internal_error, timeout
from local_road import body_of, exec_event, post
from waiting import until

RULES = Path(__file__).parents[2] / "rules"
OWN_RULE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: own, labels: {type: alerting}}
spec:
  rules:
  - {name: Many, type: rule, priority: WARNING, condition: 'RequestObject.spec.replicas > 5'}
"""
HALF_AN_HOUR = 1_800


@dataclass(frozen=True)
class World:
    """A running system, its wire to AWS, its clusters table and its rules bucket."""

    system: LocalSystem
    wire: Wire
    table: ClustersTable
    rules: S3RulesBucket

    def add(self, cluster: str, **limits: Any) -> str:
        """Register a cluster an hour ago, to be heard of every half an hour; its credential."""
        credential = f"credential-of-{cluster}"
        created = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        row: dict[str, Any] = {"created": created, "silence_seconds": HALF_AN_HOUR, **limits}
        self.table.add(Registration(credential=credential_digest(credential), cluster=Cluster(cluster), **row))
        return credential

    def last_used(self, credential: str, seconds: int) -> None:
        """Have it used this long ago, as if time had passed."""
        seen = time_text(datetime.now(UTC) - timedelta(seconds=seconds))
        self.system.client("dynamodb").update_item(
            TableName=self.system.outputs["ClustersTable"],
            Key={"credential": {"S": credential_digest(credential)}},
            UpdateExpression="SET last_seen = :seen",
            ExpressionAttributeValues={":seen": {"S": seen}},
        )

    def watch(self) -> dict[str, int]:
        answer: dict[str, int] = self.system.function("watch").invoke({})
        return answer

    @contextmanager
    def fails(self, why: str) -> Iterator[None]:
        """Expects the function to fail, and to say why."""
        with pytest.raises(InvocationError) as raised:
            yield
        assert why in str(raised.value.__cause__)

    def alert(self, name: str, **labels: str) -> dict[str, Any]:
        """The annotations of an active alert, once it has arrived."""
        wanted = {"alertname": f"auditwire.{name}", **labels}
        receiver = self.system.alert_receiver
        assert receiver is not None

        def found() -> list[dict[str, Any]]:
            return [one["annotations"] for one in receiver.active() if wanted.items() <= one["labels"].items()]

        until(lambda: bool(found()))
        (annotations,) = found()
        return annotations


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rules")
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, folder)
    (folder / "own.yaml").write_text(OWN_RULE)
    with ExitStack() as stack:
        wire = stack.enter_context(Wire().in_place())
        options = Options(schedules=False, environments=1, parameters={"RunbooksUrl": "https://w/r"})
        system = stack.enter_context(LocalSystem.start(rules=folder, options=options))
        table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
        yield World(system, wire, table, S3RulesBucket(system.client("s3"), system.outputs["RulesBucket"]))


@pytest.fixture(autouse=True)
def nobody_else(world: World) -> Iterator[None]:
    """Each test has the clusters it adds."""
    yield
    for one in world.table.list().registrations:
        if one.cluster.name not in {"demo", "demo-ks"}:
            world.table.remove(one.credential)


def test_a_cluster_that_falls_silent_is_told_of_until_it_is_heard_again(world: World) -> None:
    credential = world.add("quiet")
    world.last_used(credential, 60)
    assert world.watch() == {"silent": 0, "stale": 0, "published": 0}

    world.last_used(credential, 2_700)
    assert world.watch() == {"silent": 1, "stale": 0, "published": 1}
    told = world.alert("ClusterSilent", cluster="quiet")
    assert told["summary"] == "Cluster quiet has fallen silent"
    assert told["runbook_url"] == "https://w/r#auditwireclustersilent"
    # It ends by itself unless it is told again, and lasts as long as it is.
    assert world.watch()["published"] == 1

    assert post(world.system, body_of(exec_event(1)), credential) == (200, b"")
    assert world.watch() == {"silent": 0, "stale": 0, "published": 0}


def test_a_cluster_that_never_sent_and_one_whose_credential_expired_are_told_of(world: World) -> None:
    world.add("new")
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
    world.last_used(world.add("over", expires=ended), 2_700)
    world.add("off", enabled=False)

    assert world.watch() == {"silent": 2, "stale": 0, "published": 2}
    assert world.alert("ClusterSilent", cluster="new")["last_seen"] == "never"
    assert world.alert("ClusterSilent", cluster="over")["credential_expired"] == time_text(ended)


@pytest.mark.parametrize("fault", [timeout, denied, internal_error], ids=lambda fault: fault.__name__)
def test_a_table_that_cannot_be_read_is_an_error_and_not_silence(world: World, fault: Any) -> None:
    world.add("quiet")
    with (
        world.wire.faulty(Trouble(Calls("watch", "dynamodb.Scan"), fault)),
        world.fails("the clusters table could not be read"),
    ):
        world.watch()
    assert world.watch()["silent"] == 1


def test_a_row_that_is_of_no_use_is_an_error_and_hides_no_silence(world: World) -> None:
    world.add("beside-broken")
    row = {"credential": {"S": "broken"}, "cluster": {"S": "odd"}, "sender": {"S": "openshift"}}
    world.system.client("dynamodb").put_item(TableName=world.system.outputs["ClustersTable"], Item=row)
    with world.fails("no usable sender"):
        world.watch()
    world.table.remove("broken")
    world.alert("ClusterSilent", cluster="beside-broken")


def test_what_could_not_be_told_is_an_error_and_told_at_the_next_look(world: World) -> None:
    world.add("untold")
    function = world.system.function("watch")
    # What waits for time to run out has a second.
    function.reconfigure(replace(function.configuration, timeout=6))
    with (
        world.wire.faulty(Trouble(Calls("watch", "sns.PublishBatch"), denied)),
        world.fails("an alert could not be published: Nothing has ever come from cluster untold"),
    ):
        world.watch()
    world.watch()
    world.alert("ClusterSilent", cluster="untold")


def test_a_bucket_that_cannot_be_read_is_an_error_and_hides_no_silence(world: World) -> None:
    world.add("beside")
    with (
        world.wire.faulty(Trouble(Calls("watch", "s3.GetObject", f"/{STATUS_KEY}"), denied)),
        world.fails("the rules bucket could not be read"),
    ):
        world.watch()
    world.alert("ClusterSilent", cluster="beside")


def test_rules_in_force_that_cannot_be_read_are_stale(world: World) -> None:
    with world.wire.faulty(Trouble(Calls("watch", "s3.GetObject", f"/{ACTIVE_KEY}"), denied)):
        assert world.watch()["stale"] == 1
    assert "the rules could not be read" in world.alert("RulesStale", reason="not_taken")["message"]


def test_rules_that_nobody_looks_at_are_stale(world: World) -> None:
    stored = world.rules.read(STATUS_KEY)
    assert stored is not None
    long_ago = datetime.now(UTC) - timedelta(minutes=25)
    world.rules.write(STATUS_KEY, json.dumps({**json.loads(stored.data), "time": long_ago.isoformat()}).encode())
    assert world.watch()["stale"] == 1
    assert "nobody has looked at the documents" in world.alert("RulesStale", reason="not_looked_at")["message"]

    # Where nobody ever has, the documents say since when they wait.
    world.rules.delete(STATUS_KEY)
    assert world.watch()["stale"] == 0
    world.system.function("compile_rules").invoke({})
    assert world.watch()["stale"] == 0


def test_rules_that_no_function_can_take_are_stale(world: World) -> None:
    active = world.rules.read(ACTIVE_KEY)
    assert active is not None
    world.rules.write(bundle_key(Active.decode(active.data).digest), b"half a bun")
    assert world.watch()["stale"] == 1
    until(lambda: "cut off, or overwritten" in world.alert("RulesStale", reason="not_taken")["message"])
    assert world.alert("RulesStale", reason="not_taken")["runbook_url"] == "https://w/r#auditwirerulesstale"
    # Which is put right at the next look at the documents.
    world.system.function("compile_rules").invoke({})
    assert world.watch()["stale"] == 0


def test_a_body_in_quarantine_is_told_of(world: World) -> None:
    credential = world.add("garbled")
    assert post(world.system, b'{"kind": "Ev', credential) == (200, b"")
    told = world.alert("BodiesQuarantined", cluster="garbled", reason="truncated")
    assert told["quarantine_keys"].startswith("quarantine/cluster=garbled/")
    assert told["runbook_url"] == "https://w/r#auditwirebodiesquarantined"


def test_a_rule_that_cannot_judge_is_told_of(world: World) -> None:
    credential = world.add("odd")
    body = {"level": "Request", "verb": "create", "requestObject": {"spec": {"replicas": "lots"}}}
    assert post(world.system, body_of(exec_event(2, **body), exec_event(3, **body)), credential) == (200, b"")
    told = world.alert("EvaluationErrors", cluster="odd", rule="Many", document="own")
    assert told["count"] == "2"
    assert told["runbook_url"] == "https://w/r#auditwireevaluationerrors"


def test_refused_rules_name_their_runbook(world: World) -> None:
    world.rules.write("rules/broken.yaml", b"kind: Rule")
    assert world.system.function("compile_rules").invoke({})["verdict"] in {"refused", "waiting"}
    assert world.alert("RulesRefused")["runbook_url"] == "https://w/r#auditwirerulesrefused"
    world.rules.delete("rules/broken.yaml")


def test_dead_letters_are_measured_as_their_alarms_ask_for_it(world: World) -> None:
    sqs, queue = world.system.client("sqs"), world.system.outputs["DeadLetterQueueUrl"]
    for reason in ("no_receiver", "refused", "no_receiver"):
        attributes = {"reason": {"DataType": "String", "StringValue": reason}}
        sqs.send_message(QueueUrl=queue, MessageBody='{"labels": {"alertname": "a"}}', MessageAttributes=attributes)
    world.watch()
    measured = json.loads([line for line in world.system.logs("watch") if '"DeadLetters"' in line][-1])
    assert (measured["DeadLetters"], measured["DeadLettersWithoutReceiver"]) == ([1.0], [2.0])
    assert 0 <= measured["OldestDeadLetterSeconds"][0] < HALF_AN_HOUR
    assert measured["service"] == "watch"
    sqs.purge_queue(QueueUrl=queue)

    with (
        world.wire.faulty(Trouble(Calls("watch", "sqs.GetQueueAttributes"), denied)),
        world.fails("the dead-letter queue cannot be read"),
    ):
        world.watch()
    assert "DeadLetters" not in [json.loads(line) for line in world.system.logs("watch") if '"_aws"' in line][-1]


def test_the_watch_is_measured_and_its_alarms_ask_for_what_it_measures(world: World) -> None:
    world.add("measured")
    world.watch()
    lines = [json.loads(line) for line in world.system.logs("watch") if '"_aws"' in line]
    of_cluster, of_all = lines[-2:]
    assert (of_cluster["cluster"], of_cluster["AlertsPublished"]) == ("measured", [1.0])
    assert (of_all["SilentClusters"], of_all["StaleRules"]) == ([1.0], [0.0])
    # The ages of the rules are those of an environment, whichever cluster it serves: so the alarm finds them.
    (alarm,) = [
        one.properties
        for one in world.system.deployed.of_type("AWS::CloudWatch::Alarm")
        if one.properties["MetricName"] == "RulesPollAgeSeconds"
    ]
    assert post(world.system, body_of(exec_event(4)), world.add("aged")) == (200, b"")
    measured = [json.loads(line) for line in world.system.logs("ingest") if '"RulesPollAgeSeconds"' in line][-1]
    (directive,) = measured["_aws"]["CloudWatchMetrics"]
    wanted = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert directive["Namespace"] == alarm["Namespace"]
    assert [set(names) for names in directive["Dimensions"]] == [set(wanted)]
    assert {name: measured[name] for name in wanted} == wanted
