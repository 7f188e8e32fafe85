"""The failure matrix on the deployed template: every step of the road in every kind of trouble.

Each cell has a cluster of its own, which sends one batch with everything in it: events of two hours that alert, one
that is ignored, items that are no events. While the trouble lasts nothing is answered 200 that is not stored; once it
is over and the sender has repeated what was refused, everything is there once, every alert has arrived, and the counts
balance.
"""

import gzip
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from auditwire.bundles.rules_bucket import ACTIVE_KEY, S3RulesBucket
from auditwire.clusters import Cluster, ClustersTable, Registration, bucket_key, credential_digest, log_group_key
from auditwire.evidence.order import Order as SealOrder
from auditwire.evidence.s3 import S3Store
from auditwire.evidence.signing import KmsSigner
from auditwire.evidence.states import ObjectReport, SealReport
from auditwire.evidence.verify import Question, verify
from auditwire.ingest.import_queue import Order
from auditwire.search import Coverage, Query, Wanted
from auditwire.search.bucket import BucketObjects
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.scan import Scan
from auditwire.senders.kind import SenderKind
from auditwire_local import LocalSystem, Options, gateway
from auditwire_local.archive import archive_keys
from auditwire_local.errors import InvocationError
from envelopes import awslogs, cloudwatch
from failing_peer import Peer, peer
from failure_matrix import CELLS, TOPIC_DOWN, Cell
from faults import Wire
from local_road import EVENT_PATH, body_of, exec_event, post
from rule_texts import document, one_rule, rule
from waiting import until

RULES = Path(__file__).parents[2] / "rules"
OWN_RULE = one_rule("own", 'ObjectRef.Resource = "configmaps"', rule_name="SettingsRead")
COUNTED = document(
    rule(
        'ObjectRef.Resource = "leases" and Stage = "ResponseComplete"',
        name="ManyLeases",
        more=", threshold: {count: 4, by: [User.Username], within: 10m}",
    ),
    name="counted",
)
NUMBERS = count(1)
EVENTS, REJECTS = 5, 2
LINES = {"ingest": "batch", "publish_outbox": "outbox", "relay": "relay"}
"""The log lines in which the functions account for what they did."""


@dataclass(frozen=True)
class World:
    """The deployed system, its wire to AWS, and the two Alertmanagers behind it."""

    system: LocalSystem
    wire: Wire
    peers: tuple[Peer, Peer]

    def told(self, function: str, message: str, **having: str) -> Counter[str]:
        """The sums of all numbers in a function's log lines of this kind."""
        sums: Counter[str] = Counter()
        for line in self.system.logs(function):
            entry = json.loads(line) if f'"message":"{message}"' in line else {}
            if having.items() <= entry.items():
                for name, value in entry.items():
                    if type(value) is int:
                        sums[name] += value
                    elif isinstance(value, dict) and all(type(number) is int for number in value.values()):
                        sums[name] += sum(value.values())
        return sums

    def faults(self) -> int:
        return self.wire.injected + sum(one.injected for one in self.peers)

    def waiting(self) -> int:
        """Alerts in the queue."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.system.outputs["AlertsQueueUrl"]
        found = self.system.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(value) for value in found.values())

    def publish_outbox(self) -> None:
        self.system.function("publish_outbox").invoke({})

    def is_outbox_empty(self) -> bool:
        """Publishes what waits in the outbox, and says whether nothing did."""
        if not self.outbox():
            return True
        self.publish_outbox()
        return False

    def seal(self, cluster: str) -> None:
        """Seal what has arrived of a cluster up to now."""
        to = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        order = SealOrder(cluster=cluster, to=to, hours=("2026-11-21T22", "2026-11-21T23"))
        self.system.function("seal").invoke({"Records": [{"body": order.as_text()}]})

    def sealed(self, cluster: str) -> dict[str, Counter[str]]:
        """What verifying says of a cluster: states of objects, and of the seals that name any."""
        signer = KmsSigner(self.system.client("kms"), self.system.outputs["SealKeyArn"])
        store = S3Store(self.system.client("s3"), self.system.outputs["ArchiveBucket"])
        states: dict[str, Counter[str]] = {"object": Counter(), "seal": Counter()}
        question = Question(now=datetime.now(UTC), cluster=cluster)
        for report in verify(store, {signer.fingerprint: signer}, question, lambda what: None):
            match report:
                case ObjectReport():
                    states["object"][report.state] += 1
                case SealReport() if report.state != "valid" or report.number == 0:
                    states["seal"][report.state] += 1
        return states

    def outbox(self) -> list[str]:
        bucket = self.system.outputs["ArchiveBucket"]
        listed = self.system.client("s3").list_objects_v2(Bucket=bucket, Prefix="outbox/")
        return [found["Key"] for found in listed.get("Contents", [])]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rules")
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, folder)
    (folder / "own.yaml").write_text(OWN_RULE)
    (folder / "counted.yaml").write_text(COUNTED)
    with ExitStack() as stack:
        wire = stack.enter_context(Wire().in_place())
        peers = stack.enter_context(peer()), stack.enter_context(peer())
        system = stack.enter_context(
            LocalSystem.start(
                alertmanagers=[one.url for one in peers],
                rules=folder,
                options=Options(
                    parameters={"ArchiveStore": "dynamodb", "EksLogGroups": "/aws/eks/*", "ImportBucket": "audit-logs"},
                    schedules=False,
                    visibility_timeout=1,
                    batching_window=0,
                    environments=1,
                ),
            )
        )
        # Events go to the bucket where a cell does not say otherwise, and every request looks for rules. What waits for
        # time to run out has a second.
        configure(system, "ingest", variables={"RULES_POLL_SECONDS": "0.001", "ARCHIVE_TABLE": ""})
        configure(system, "publish_outbox", timeout=21)
        configure(system, "relay", timeout=9)
        yield World(system, wire, peers)


def configure(system: LocalSystem, name: str, *, variables: dict[str, str] | None = None, **changes: Any) -> None:
    """Run a function in new environments, with these changes."""
    function = system.function(name)
    merged = {**function.configuration.variables, **(variables or {})}
    function.reconfigure(replace(function.configuration, variables=merged, **changes))


class Road:
    """One cluster's batch and what becomes of it; its events go to the archive ``table`` where one is named."""

    def __init__(self, world: World, name: str, table: str = "") -> None:
        self.world = world
        self.table = table
        self.cluster = name
        self.credential = f"credential-of-{name}"
        system = world.system
        registration = Registration(
            credential=credential_digest(self.credential), cluster=Cluster(name, SenderKind.KUBERNETES), created=None
        )
        assert ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"]).add(registration)
        late = {"stageTimestamp": "2026-11-21T23:05:00.100000Z"}
        shells = [exec_event(next(NUMBERS)), exec_event(next(NUMBERS)), exec_event(next(NUMBERS), **late)]
        settings = self._read("configmaps")
        self.shells = shells
        self.keeps_everything = False
        self.alerting = [*shells, settings]
        self.events = [*self.alerting, self._read("pods")]
        rejects: list[Any] = [{"verb": "get", "auditID": f"{name}-{number}"} for number in range(REJECTS)]
        self.body = body_of(*self.events, *rejects)
        # What an earlier test has left on the way is not to be counted here: on a busy machine some batches are late.
        until(world.is_outbox_empty)
        until(lambda: world.waiting() == 0)
        self._before = {function: self._told(function) for function in LINES}
        self._published = world.wire.published

    def send(self, late: float = 0.0) -> int:
        """What the sender hears. A ``late`` request came in so many seconds ago and has that much less time."""
        if not late:
            return post(self.world.system, self.body, self.credential)[0]
        request = gateway.Request(
            "POST",
            EVENT_PATH,
            [("Content-Type", "application/json"), ("Authorization", f"Bearer {self.credential}")],
            self.body,
        )
        event = gateway.event(request, gateway.Route(f"POST {EVENT_PATH}", "", re.compile("")), {}, api="local")
        event["requestContext"]["timeEpoch"] -= int(late * 1000)
        try:
            answer: dict[str, int] = self.world.system.function("ingest").invoke(event)
        except InvocationError:
            return 500
        return answer["statusCode"]

    def stored(self) -> dict[str, str]:
        """Everything stored for this cluster, by key: the version of an object, an item as it stands."""
        s3, bucket = self.world.system.client("s3"), self.world.system.outputs["ArchiveBucket"]
        keys = [key for place in ("events", "quarantine") for key in archive_keys(s3, bucket, self._prefix(place))]
        versions = {key: s3.head_object(Bucket=bucket, Key=key)["VersionId"] for key in keys}
        return versions | {item["event"]["S"]: repr(sorted(item.items())) for item in self._items()}

    def archived(self) -> Counter[str]:
        """How often each event is stored, by auditID."""
        if self.table:
            return Counter(item["auditID"]["S"] for item in self._items())
        s3, bucket = self.world.system.client("s3"), self.world.system.outputs["ArchiveBucket"]
        return Counter(
            json.loads(line)["auditID"]
            for key in archive_keys(s3, bucket, self._prefix("events"))
            for line in gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).splitlines()
        )

    def _prefix(self, place: str) -> str:
        return f"{place}/cluster={self.cluster}/"

    def _items(self) -> list[dict[str, Any]]:
        if not self.table:
            return []
        found = self.world.system.client("dynamodb").scan(TableName=self.table)
        assert "LastEvaluatedKey" not in found
        return [item for item in found["Items"] if item["partition"]["S"].startswith(f"{self.cluster}#")]

    def alerts(self) -> Counter[str]:
        """The objects that alerts of this cluster's rules are about, with how many different alerts each has."""
        found = {
            frozenset(alert["labels"].items())
            for one in self.world.peers
            for alert in one.receiver.active()
            if alert["labels"].get("cluster") == self.cluster
            and not alert["labels"]["alertname"].startswith("auditwire.")
        }
        return Counter(dict(labels)["name"] for labels in found)

    def expected_alerts(self) -> Counter[str]:
        return Counter(event["objectRef"]["name"] for event in self.alerting)

    def repeat(self) -> None:
        """Send again what was refused; what of it was stored stays as it is."""
        before = self.stored()
        assert self.send() == 200
        assert before.items() <= self.stored().items()

    def check_stored(self) -> None:
        """Every event that a rule keeps is there, and everything that is no event is in quarantine."""
        kept = self.events if self.keeps_everything else self.alerting
        assert self.archived() == Counter(event["auditID"] for event in kept)
        assert sum(key.startswith("quarantine/") for key in self.stored()) == REJECTS

    def await_alerts(self) -> None:
        """Every alert arrives, and none is left anywhere on the way."""
        if self.world.outbox():
            self.world.publish_outbox()
        assert self.world.outbox() == []
        until(lambda: self.alerts() == self.expected_alerts())
        until(lambda: self.world.waiting() == 0)

    def finish(self, *, certain: bool = True, strangers: int = 0) -> None:
        """After the trouble: repeats change nothing, and the counts balance.

        ``certain`` is whether every answer was heard: what SNS took unheard is published once more than it is counted.
        ``strangers`` counts the messages that others published meanwhile.
        """
        self.check_stored()
        self.await_alerts()
        stored = self.stored()
        assert self.send() == 200
        self.await_alerts()
        assert self.stored() == stored

        def relayed() -> int:
            since = self._since("relay")
            return since["delivered"] + since["dead_lettered"]

        until(lambda: relayed() == self.world.wire.published - self._published)
        batches = self.world.told("ingest", "batch", cluster=self.cluster)
        assert batches["received"] == sum(
            batches[name] for name in ("ignored", "archived", "quarantined", "not_stored")
        )
        assert batches["received"] % (EVENTS + REJECTS) == 0
        assert batches["refused"] == 0
        if certain:
            counted = self._since("ingest")["published"] + self._since("publish_outbox")["published"]
            assert counted + strangers == self.world.wire.published - self._published

    def _read(self, resource: str) -> dict[str, Any]:
        number = next(NUMBERS)
        about = {"resource": resource, "namespace": "shop", "name": f"{resource}-{number}", "apiVersion": "v1"}
        return exec_event(number, requestURI=f"/api/v1/namespaces/shop/{resource}/{number}", objectRef=about)

    def _told(self, function: str) -> Counter[str]:
        return self.world.told(function, LINES[function])

    def _since(self, function: str) -> Counter[str]:
        """What a function has told of all clusters since this batch was made."""
        before = self._before[function]
        return Counter({name: value - before[name] for name, value in self._told(function).items()})


def touch_rules(world: World) -> None:
    """Write active.json anew, so that everybody reads the bundle again."""
    bucket = S3RulesBucket(world.system.client("s3"), world.system.outputs["RulesBucket"])
    active = bucket.read(ACTIVE_KEY)
    assert active is not None
    bucket.write(ACTIVE_KEY, active.data + b" ")


def publish_malformed(world: World, name: str) -> None:
    """Somebody publishes to the topic what is no alert."""
    world.system.client("sns").publish(TopicArn=world.system.outputs["AlertsTopicArn"], Message=f"no alert: {name}")


def dead_letters(world: World) -> list[str]:
    """The bodies of everything in the dead-letter queue, which is taken out of it."""
    sqs, queue = world.system.client("sqs"), world.system.outputs["DeadLetterQueueUrl"]
    bodies: list[str] = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def cells(*wanted: str) -> pytest.MarkDecorator:
    """The cells of these steps, or of these names."""
    chosen = [cell for cell in CELLS.values() if {cell.step, cell.name} & set(wanted)]
    return pytest.mark.parametrize("cell", chosen, ids=[cell.name for cell in chosen])


@cells("identify", "archive", "quarantine", "publish", "outbox")
def test_request(world: World, cell: Cell) -> None:
    road, before = Road(world, cell.name), world.faults()
    with world.wire.faulty(*cell.troubles):
        # Publishing goes on until its time is over; here that is after the first request.
        assert road.send(late=1.3 if cell.step in {"publish", "outbox"} else 0.0) == cell.answer
        if cell.answer == 200:
            road.check_stored()
    assert world.faults() >= before + cell.faults

    if cell.answer == 200:
        # A sender that never repeats has lost nothing.
        road.await_alerts()
    else:
        road.repeat()
    road.finish(certain=cell.kind not in {"cut", "killed"})


@cells("archive-table")
def test_archive_table(world: World, cell: Cell) -> None:
    table = world.system.outputs["ArchiveTable"]
    configure(world.system, "ingest", variables={"ARCHIVE_TABLE": table})
    road, before = Road(world, cell.name, table), world.faults()
    with world.wire.faulty(*cell.troubles):
        # As with publishing: what DynamoDB has no capacity for is repeated until the time is over.
        assert road.send(late=1.9) == cell.answer
    assert world.faults() >= before + cell.faults

    road.repeat()
    road.finish(certain=cell.kind != "killed")
    configure(world.system, "ingest", variables={"ARCHIVE_TABLE": ""})


@cells("rules")
def test_rules(world: World, cell: Cell) -> None:
    """The rules that were in force stay: the alert of a rule that is not in the default pack arrives."""
    assert Road(world, f"before-{cell.name}").send() == 200
    until(lambda: world.waiting() == 0)
    if cell.kind == "partial":
        touch_rules(world)
    road, before = Road(world, cell.name), world.faults()
    with world.wire.faulty(*cell.troubles):
        assert road.send() == cell.answer
    assert world.faults() >= before + cell.faults

    if cell.answer == 200:
        road.await_alerts()
    else:
        assert road.send() == 200
    road.finish(certain=cell.kind != "killed")


@cells("cold-rules")
def test_rules_of_a_new_environment(world: World, cell: Cell) -> None:
    """Who does not know the rules keeps every event, and raises the alerts of the default pack."""
    configure(world.system, "ingest")
    road, before = Road(world, cell.name), world.faults()
    with world.wire.faulty(*cell.troubles):
        assert road.send() == cell.answer
    assert world.faults() >= before + cell.faults

    if cell.answer == 200:
        assert road.archived() == Counter(event["auditID"] for event in road.events)
        until(lambda: road.alerts() == Counter(event["objectRef"]["name"] for event in road.shells))
        # What a rule of one's own says of the event is said once the rules can be read and the batch comes again.
        road.keeps_everything = True
    assert road.send() == 200
    road.finish(certain=cell.kind != "killed")


@cells("count")
def test_count(world: World, cell: Cell) -> None:
    """The table of thresholds is in trouble when the fourth match comes: its alert comes within minutes, and once."""
    road, before = Road(world, cell.name), world.faults()

    def two_more() -> bytes:
        lease = {"resource": "leases", "namespace": "shop", "name": "l", "apiVersion": "v1"}
        mine = [exec_event(next(NUMBERS), verb="update", objectRef=lease) for _ in range(2)]
        # Somebody who stays below the threshold, so that other windows have to be read for it.
        return body_of(*mine, exec_event(next(NUMBERS), verb="update", objectRef=lease, user={"username": "eve"}))

    def alerts() -> list[dict[str, str]]:
        found = [alert["labels"] for one in world.peers for alert in one.receiver.active()]
        return [one for one in found if (one["alertname"], one["cluster"]) == ("ManyLeases", cell.name)]

    assert post(world.system, two_more(), road.credential)[0] == 200
    until(world.is_outbox_empty)
    body = two_more()
    with world.wire.faulty(*cell.troubles):
        assert post(world.system, body, road.credential)[0] == cell.answer
    assert world.faults() >= before + cell.faults
    assert alerts() == []
    if cell.answer == 200:
        assert [key.split("/")[1] for key in world.outbox()] == ["unjudged"]
    else:
        assert post(world.system, body, road.credential)[0] == 200
    world.publish_outbox()
    until(lambda: len(alerts()) == len(world.peers))
    assert world.outbox() == []
    assert {labels["user"] for labels in alerts()} == {"mallory"}


@cells("publish-outbox")
def test_publish_outbox(world: World, cell: Cell) -> None:
    road, before = Road(world, cell.name), world.faults()
    with world.wire.faulty(TOPIC_DOWN):
        assert road.send(late=1.3) == cell.answer
    assert len(world.outbox()) == 1
    # Each of its calls fails in a run of its own; what is done in part fails together with noting that it was.
    for troubles in [cell.troubles] if cell.kind == "partial" else [(one,) for one in cell.troubles]:
        with world.wire.faulty(*troubles), suppress(InvocationError):
            world.publish_outbox()
    assert world.faults() >= before + cell.faults
    road.await_alerts()
    road.finish(certain=cell.kind not in {"cut", "killed"})


@cells("seal")
def test_seal(world: World, cell: Cell) -> None:
    """Each of its calls fails in a run of its own; what is sealed in the end is everything, once, in one chain."""
    road, before = Road(world, cell.name), world.faults()
    assert road.send() == cell.answer
    for trouble in cell.troubles:
        with world.wire.faulty(trouble), suppress(InvocationError):
            world.seal(cell.name)
    assert world.faults() >= before + cell.faults

    world.seal(cell.name)
    assert world.sealed(cell.name) == {"object": Counter(valid=2), "seal": Counter(valid=1)}
    road.finish(certain=cell.kind not in {"cut", "killed"})


@cells("index")
def test_index(world: World, cell: Cell) -> None:
    """Writing it fails; the seal stands all the same, and a search finds everything by reading what is in no index."""
    road, before = Road(world, cell.name), world.faults()
    assert road.send() == cell.answer
    (trouble,) = cell.troubles
    with world.wire.faulty(trouble), suppress(InvocationError):
        world.seal(cell.name)
    assert world.faults() >= before + cell.faults

    assert world.sealed(cell.name) == {"object": Counter(valid=2), "seal": Counter(valid=1)}
    place = BucketObjects(world.system.client("s3"), world.system.outputs["ArchiveBucket"])
    query, coverage = Query(clusters=frozenset({cell.name})), Coverage()
    found = DuckDBEngine(place).summarise(query, Wanted(), coverage).events
    assert found == Scan(place).summarise(query, Wanted(), Coverage()).events == sum(road.archived().values()) > 0
    assert (coverage.unreadable, coverage.remarks) == ([], [])
    road.finish(certain=cell.kind not in {"cut", "killed"})


@cells("subscribe")
def test_subscribe(world: World, cell: Cell) -> None:
    """Each of its calls fails in a run of its own; the delivery comes again, and everything is stored once."""
    before = world.faults()
    # Two minutes would be tried for as long as they last.
    function = world.system.function("subscribe_eks")
    function.reconfigure(replace(function.configuration, timeout=16))
    group = f"/aws/eks/{cell.name}/cluster"
    table = ClustersTable(world.system.client("dynamodb"), world.system.outputs["ClustersTable"])
    key = log_group_key("123456789012", world.system.region, group)
    assert table.add(Registration(credential=key, cluster=Cluster(cell.name)))
    messages = [json.dumps(exec_event(number)) for number in range(EVENTS)]
    delivery = awslogs(cloudwatch([*messages, '{"auditID": 7}'], group=group))
    for trouble in cell.troubles:
        with world.wire.faulty(trouble), pytest.raises(InvocationError):
            function.invoke(delivery)
    assert world.faults() >= before + cell.faults

    for _ in range(2):
        function.invoke(delivery)
    lines = [json.loads(line) for line in world.system.archive_lines()]
    mine = [line["auditID"] for line in lines if line["cluster"] == cell.name]
    assert sorted(mine) == [exec_event(number)["auditID"] for number in range(EVENTS)]


@cells("import")
def test_import(world: World, cell: Cell) -> None:
    """Each of its calls fails in a run of its own; the message comes again, and everything is stored once."""
    before = world.faults()
    s3, function = world.system.client("s3"), world.system.function("import_objects")
    s3.create_bucket(Bucket="audit-logs")
    table = ClustersTable(world.system.client("dynamodb"), world.system.outputs["ClustersTable"])
    key = f"prod/{cell.name}/audit.log.gz"
    row = Registration(credential=bucket_key("audit-logs", f"prod/{cell.name}/"), cluster=Cluster(cell.name))
    assert table.add(row)
    lines = [json.dumps(exec_event(number)) for number in range(EVENTS)]
    s3.put_object(Bucket="audit-logs", Key=key, Body=gzip.compress("\n".join([*lines, '{"auditID": 7}']).encode()))
    message = {"Records": [{"body": Order(bucket="audit-logs", key=key).as_text()}]}
    for trouble in cell.troubles:
        with world.wire.faulty(trouble), pytest.raises(InvocationError):
            function.invoke(message)
    assert world.faults() >= before + cell.faults

    for _ in range(2):
        function.invoke(message)
    stored = [json.loads(line) for line in world.system.archive_lines()]
    mine = [line["auditID"] for line in stored if line["cluster"] == cell.name]
    assert sorted(mine) == [exec_event(number)["auditID"] for number in range(EVENTS)]


@cells("relay-timeout", "relay-throttle", "relay-500", "relay-cut", "relay-denied")
def test_relay(world: World, cell: Cell) -> None:
    """Both Alertmanagers in trouble: the queue holds the alerts until one is back."""
    road, before = Road(world, cell.name), world.faults()
    with ExitStack() as trouble:
        for one in world.peers:
            trouble.enter_context(one.in_trouble(cell.kind))
        assert road.send() == cell.answer
        until(lambda: world.faults() > before)
        assert world.waiting()
    road.finish()


@cells("relay-partial")
def test_relay_to_one_of_two(world: World, cell: Cell) -> None:
    road, before = Road(world, cell.name), world.faults()
    with world.peers[1].in_trouble("500"):
        assert road.send() == cell.answer
        road.await_alerts()
    assert world.faults() > before
    road.finish()


@cells("relay-killed")
def test_killed_relay(world: World, cell: Cell) -> None:
    """The relay ends when the Alertmanagers have the alerts, but the queue does not know it."""
    road, before = Road(world, cell.name), world.faults()
    with world.wire.faulty(*cell.troubles), ExitStack() as hanging:
        for one in world.peers:
            hanging.enter_context(one.in_trouble("timeout"))
        assert Road(world, f"held-up-by-{cell.name}").send() == 200
        until(lambda: world.faults() > before)
        # Both lie in the queue before it is looked at again, so they come in one call: the relay dies of the first
        # after it has delivered the second.
        publish_malformed(world, cell.name)
        assert road.send() == cell.answer
        hanging.close()
        before = world.wire.injected
        until(lambda: world.wire.injected > before)
        assert road.alerts() == road.expected_alerts()
        assert world.waiting()
    until(lambda: world.waiting() == 0)
    assert dead_letters(world) == [f"no alert: {cell.name}"]
    road.finish(strangers=1)


@cells("dead-letters")
def test_dead_letters(world: World, cell: Cell) -> None:
    """Messages that no Alertmanager will ever take do not get lost, nor keep others from arriving."""
    road, before = Road(world, cell.name), world.faults()
    with world.wire.faulty(*cell.troubles):
        publish_malformed(world, cell.name)
        until(lambda: world.faults() > before)
        assert world.waiting()
        assert road.send() == cell.answer
        until(lambda: road.alerts() == road.expected_alerts())
    until(lambda: world.waiting() == 0)
    letters: list[str] = []

    def has_died() -> bool:
        letters.extend(dead_letters(world))
        return f"no alert: {cell.name}" in letters

    # Whoever counts dead letters at the same time hides them for a moment.
    until(has_died)
    copies = [letter for letter in letters if letter == f"no alert: {cell.name}"]
    assert world.faults() >= before + cell.faults
    assert len(copies) == 1 if cell.kind not in {"cut", "killed"} else copies
    road.finish(strangers=1)
