"""The seal function in the deployed template: orders, arrivals, seals, heads, and what it says when it cannot."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from auditwire.events import inflate
from auditwire.evidence.s3 import S3Store
from auditwire.evidence.seal import lines_in, parse_entry, parse_file, parse_seal, seals_of
from auditwire.evidence.signing import KmsSigner
from auditwire.evidence.states import Tally
from auditwire.evidence.verify import Question, verify
from auditwire.ocsf import layout
from auditwire.search import Query
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire_local import LocalSystem, Options
from auditwire_local.errors import InvocationError
from faults import Calls, Trouble, Wire, denied
from local_road import body_of, exec_event, post
from searched import ask
from waiting import until

LAKE = "lake"
WIRE = Wire()
TIME = "2026-11-21T22:05:00.100000Z"


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    options = Options(parameters={"OcsfBucket": LAKE, "OcsfPrefix": "k8s/"}, schedules=False, environments=1)
    with WIRE.in_place(), LocalSystem.start(options=options) as system:
        system.client("s3").create_bucket(Bucket=LAKE)
        yield system


class World:
    """A running system, and what lies in its archive."""

    def __init__(self, system: LocalSystem) -> None:
        self.system = system
        self.s3, self.bucket = system.client("s3"), system.outputs["ArchiveBucket"]
        self.store = S3Store(self.s3, self.bucket)
        self.signer = KmsSigner(system.client("kms"), system.outputs["SealKeyArn"])

    def send(self, *numbers: int, cluster: str = "demo", **changes: Any) -> None:
        events = [exec_event(number, **changes) for number in numbers]
        assert post(self.system, body_of(*events), self.system.clusters[cluster].credential)[0] == 200

    def seals(self, cluster: str = "demo") -> list[Any]:
        keys = [each.key for each in self.store.listing(seals_of(cluster))]
        return [parse_file(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in keys]

    def reached(self, cluster: str = "demo") -> datetime:
        files = self.seals(cluster)
        reached = parse_seal(files[-1].seal).reached if files else "1970-01-01T00:00:00Z"
        return datetime.fromisoformat(reached)

    def seal(self) -> None:
        """Seal at once, and wait until that is done."""
        self.system.function("seal").invoke({"at_once": True})
        self.rest()

    def rest(self) -> None:
        """Wait until every order is worked on."""
        queue, names = self.system.outputs["OrdersQueueUrl"], ["All"]
        sqs = self.system.client("sqs")

        def is_idle() -> bool:
            attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
            return {attributes[f"ApproximateNumberOfMessages{which}"] for which in ("", "NotVisible")} == {"0"}

        until(is_idle)

    def notices(self) -> dict[str, int]:
        """Messages about arrivals: those that can be taken (``""``), and those that somebody has taken."""
        sqs, queue = self.system.client("sqs"), self.system.resource("ArrivalsQueue").physical_id
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return {which: int(attributes[f"ApproximateNumberOfMessages{which}"]) for which in ("", "NotVisible")}

    def named(self, cluster: str = "demo") -> set[str]:
        return {parse_entry(line).key for file in self.seals(cluster) for line in lines_in(file.objects)}

    def arrived(self, cluster: str = "demo") -> set[str]:
        return {each.key for each in self.store.listing(f"events/cluster={cluster}/")}

    def exported(self, folder: Path) -> list[str]:
        """Where the events lie that were exported, each as often as it was."""
        found = []
        for number, each in enumerate(S3Store(self.s3, LAKE).listing("k8s/")):
            file = folder / f"{number}.parquet"
            file.write_bytes(self.s3.get_object(Bucket=LAKE, Key=each.key)["Body"].read())
            found += [uid for (uid,) in duckdb.read_parquet(str(file)).select("metadata.uid").fetchall()]
        return sorted(found)

    def events(self) -> list[str]:
        """Where every archived event lies."""
        objects = [each.key for each in self.store.listing("events/") if each.key.endswith(".gz")]
        return sorted(
            f"{key}#{number}"
            for key in objects
            for number in range(inflate(b"".join(self.store.read(key)), "gzip").count(b"\n"))
        )

    def outcome(self) -> int:
        tally = Tally()
        keys = {self.signer.fingerprint: self.signer}
        for report in verify(self.store, keys, Question(now=datetime.now(UTC)), lambda what: None):
            tally.add(report)
        return int(tally.outcome)

    def alerts(self) -> set[str]:
        """The names of the latest alerts."""
        return {alert["labels"]["alertname"] for alert in self.system.status().latest_alerts}

    def age(self, key: str, age: timedelta) -> None:
        """Let an object have arrived earlier than it did."""
        stored = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[self.bucket].keys[key]
        stored.last_modified -= age


@pytest.fixture
def world(system: LocalSystem) -> World:
    return World(system)


def test_what_arrived_is_sealed_at_once_wherever_its_events_are_filed(world: World) -> None:
    world.send(1, 2)
    world.send(3, stageTimestamp="2026-03-01T10:00:00.000000Z")
    world.send(4, cluster="demo-ks")

    world.seal()

    assert world.named() == world.arrived() != set()
    assert world.named("demo-ks") == world.arrived("demo-ks") != set()
    assert world.outcome() == 0
    (file,) = world.seals()
    assert world.signer.verify(file.seal.encode(), file.signature_bytes())
    assert parse_seal(file.seal).bucket == world.bucket


def test_what_is_sealed_is_in_the_index(world: World) -> None:
    world.send(7)
    world.seal()

    found, coverage = ask(DuckDBEngine(world.store), Query(clusters=frozenset({"demo"})))

    assert {key for key, _, _ in found} == world.arrived()
    assert (coverage.indexed, coverage.scanned) == (len(world.arrived()), 0)


def test_what_is_sealed_is_exported_once_also_what_comes_late_and_what_was_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MAX_EVENTS", 2)  # so that this is a busy hour
    world.send(20, 21, 22)
    world.send(23, 24)
    world.seal()
    assert world.exported(tmp_path) == world.events()

    world.send(25, stageTimestamp="2026-05-01T10:00:00.000000Z")
    with WIRE.faulty(Trouble(Calls("seal", "s3.PutObject", "/k8s/"), denied)):
        world.seal()
    assert world.named() == world.arrived()
    assert world.exported(tmp_path) != world.events()
    until(lambda: any("could not be stored" in line and "ERROR" in line for line in world.system.logs("seal")))

    for _ in range(2):
        world.seal()
        assert world.exported(tmp_path) == world.events()
    keys = [each.key for each in S3Store(world.s3, LAKE).listing("k8s/")]
    region, account = world.system.region, DEFAULT_ACCOUNT_ID
    assert any(key.startswith(f"k8s/region={region}/accountId={account}/eventDay=20260501/demo-") for key in keys)


def test_checksums_are_there_for_a_quick_look(world: World) -> None:
    world.send(5)
    world.seal()

    for file in world.seals():
        for line in lines_in(file.objects):
            entry = parse_entry(line)
            assert world.store.checksum(entry.key) == entry.sha256


def test_what_arrived_is_known_by_s3s_notifications_and_they_are_gone_afterwards(world: World) -> None:
    world.send(6, stageTimestamp="2026-04-01T10:00:00.000000Z")
    world.seal()

    assert not any(parse_seal(file.seal).kind == "backfill" for file in world.seals())
    assert world.notices() == {"": 0, "NotVisible": 0}


def test_the_running_hour_waits_for_its_end_on_schedule(world: World) -> None:
    before = world.reached("demo-ks")
    world.send(7, cluster="demo-ks")
    until(lambda: world.notices()[""] > 0)

    world.system.function("seal").invoke({"time": "2026-11-22T13:12:00Z"})
    world.rest()

    assert world.reached("demo-ks") == before
    # What tells of it can be taken by the next run.
    waiting = world.notices()
    assert waiting[""] > 0
    assert waiting["NotVisible"] == 0


def test_an_hour_has_its_books_and_what_is_no_event_an_alert(world: World) -> None:
    key = "events/cluster=books/date=2026-11-21/hour=22/foreign.txt"
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=b"no events")
    world.age(key, timedelta(hours=1))

    world.seal()

    first = parse_seal(world.seals("books")[0].seal)
    # The hour in which it arrived has ended, and nothing was counted for this cluster.
    assert (first.kind, first.objects.count, first.books) == ("first", 1, ())
    until(lambda: "auditwire.EvidenceDamaged" in world.alerts())


def test_the_heads_are_published_once_a_day(world: World) -> None:
    sqs, sns = world.system.client("sqs"), world.system.client("sns")
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=world.system.outputs["OperationsTopicArn"], Protocol="sqs", Endpoint=arn)

    world.system.function("seal").invoke({"time": "2026-11-22T13:12:00Z"})
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    world.system.function("seal").invoke({"time": "2026-11-22T00:12:00Z"})

    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(message["Body"])
    last = world.seals()[-1]
    assert told["Subject"] == "auditwire heads 2026-11-22"
    assert f"demo:{parse_seal(last.seal).number}:{last.text_sha256}" in told["Message"].splitlines()
    assert any(f":{last.text_sha256}" in line for line in world.system.logs("seal"))


def test_a_message_that_is_no_order_fails_and_says_so(world: World) -> None:
    with pytest.raises(InvocationError):
        world.system.function("seal").invoke({"Records": [{"body": "no order"}]})
    assert any("a message is no order" in line for line in world.system.logs("seal"))


def test_seals_that_somebody_deleted_are_missed_aloud(world: World) -> None:
    world.send(98, cluster="demo-ks")
    world.seal()
    for each in list(world.store.listing(seals_of("demo-ks"))):
        world.s3.delete_object(Bucket=world.bucket, Key=each.key)

    world.seal()

    assert world.outcome() == 1
    until(lambda: "auditwire.SealChainDamaged" in world.alerts())
