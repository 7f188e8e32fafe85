"""What CloudWatch Logs delivers: whose it is, and what becomes of what is nobody's."""

import base64
import gzip
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from auditwire.archive import QuarantineNote
from auditwire.archive.quarantine import QuarantineEntry
from auditwire.clusters import Cluster, Credential, DirectoryError, SentBy, log_group_key
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Answer, Ingest
from auditwire.ingest.log_groups import take_delivery
from auditwire.ingest.retry import retry
from envelopes import GROUP, awslogs, cloudwatch, control_message
from local_road import exec_event
from memory_road import RECEIVED, FullDisk, Road

KEY = log_group_key("123456789012", "eu-central-1", GROUP)
EVENTS = [json.dumps(exec_event(number)) for number in range(3)]


@dataclass
class Groups:
    """A directory of log groups."""

    clusters: dict[str, str] = field(default_factory=lambda: {KEY: "prod"})
    uses: list[tuple[str, int, str]] = field(default_factory=list)

    def identify(self, credential: Credential | None) -> Cluster | None:
        assert credential is not None
        name = self.clusters.get(credential.digest)
        return Cluster(name) if name else None

    def note_use(self, credential: Credential, events: int, sender: Any, latest: float) -> int:
        said: SentBy = sender()
        self.uses.append((credential.digest, events, said.user_agent))
        return 0


class NoTable:
    def identify(self, credential: Credential | None) -> Cluster | None:
        raise DirectoryError("the clusters table could not be read")


def ingest_of(road: Road) -> Ingest:
    return replace(road.ingest, region="eu-central-1")


def take(road: Road, event: dict[str, Any]) -> Answer:
    return take_delivery(ingest_of(road), event, received=RECEIVED, deadline=RECEIVED.timestamp() + 60)


def account(answer: Answer) -> Account:
    assert answer.account is not None
    return answer.account


def test_a_delivery_belongs_to_the_cluster_of_its_log_group() -> None:
    groups = Groups()
    road = Road(directory=groups)
    answer = take(road, awslogs(cloudwatch(EVENTS)))

    assert answer.status == 200
    assert (account(answer).cluster, account(answer).received, account(answer).alerted) == ("prod", 3, 3)
    assert {line["cluster"] for line in road.lines()} == {"prod"}
    assert groups.uses == [(KEY, 3, "CloudWatch Logs")]


def test_a_delivery_twice_is_stored_once() -> None:
    road = Road(directory=Groups())
    take(road, awslogs(cloudwatch(EVENTS)))
    objects = dict(road.archive.objects)

    assert account(take(road, awslogs(cloudwatch(EVENTS)))).stored_before
    assert road.archive.objects == objects


@pytest.mark.parametrize(
    "changes",
    [{"group": "/aws/eks/other/cluster"}, {"owner": "999999999999"}, {"group": ""}],
    ids=["another group", "another account", "none"],
)
def test_a_log_group_of_nobody_is_quarantined_with_an_alert(changes: dict[str, Any]) -> None:
    road = Road(directory=Groups())
    answer = take(road, awslogs(cloudwatch(EVENTS, **changes)))

    assert answer.status == 200
    assert (account(answer).cluster, account(answer).quarantined) == ("unregistered", {"unknown_log_group": 1})
    assert not road.lines()
    (alert,) = road.publisher.alerts
    assert alert.labels.items() >= {"cluster": "unregistered", "reason": "unknown_log_group"}.items()
    assert "auditwire cluster add NAME --from eks" in alert.annotations["advice"]


def test_the_region_is_part_of_whose_it_is() -> None:
    road = Road(directory=Groups())
    elsewhere = replace(road.ingest, region="us-east-1")
    answer = take_delivery(elsewhere, awslogs(cloudwatch(EVENTS)), received=RECEIVED, deadline=0)

    assert account(answer).cluster == "unregistered"


@dataclass
class Held:
    note: QuarantineNote
    raw: bytes
    removed: bool = False

    def read(self, entry: QuarantineEntry) -> tuple[QuarantineNote, bytes]:
        return self.note, self.raw

    def remove(self, entry: QuarantineEntry) -> None:
        self.removed = True


def test_what_was_nobodys_is_taken_up_once_its_log_group_is_registered() -> None:
    groups = Groups({})
    road = Road(directory=groups)
    take(road, awslogs(cloudwatch(EVENTS)))
    (raw,) = road.quarantined()
    held = Held(QuarantineNote("unknown_log_group", "body", "unregistered", RECEIVED), raw)
    entry = QuarantineEntry("quarantine/cluster=unregistered/x.gz", "unregistered", "x", 1, RECEIVED)

    early = retry(held, ingest_of(road), entry, 0)
    assert (early.outcome, held.removed) == ("still_bad", False)

    groups.clusters[KEY] = "prod"
    assert retry(held, ingest_of(road), entry, 0).outcome == "taken"
    assert held.removed
    assert [line["cluster"] for line in road.lines()] == ["prod"] * 3


def test_a_retry_while_the_clusters_table_is_away_changes_nothing() -> None:
    raw = json.dumps(cloudwatch(EVENTS)).encode()
    held = Held(QuarantineNote("unknown_log_group", "body", "unregistered", RECEIVED), raw)
    entry = QuarantineEntry("quarantine/cluster=unregistered/x.gz", "unregistered", "x", 1, RECEIVED)

    assert retry(held, ingest_of(Road(directory=NoTable())), entry, 0).outcome == "failed"
    assert not held.removed


def test_a_control_message_is_skipped_without_a_look_at_the_table() -> None:
    answer = take(Road(directory=NoTable()), awslogs(control_message()))

    assert answer.status == 200
    assert account(answer).skipped == {"control_message": 1}
    assert account(answer).received == 0


def test_other_streams_of_the_group_are_skipped() -> None:
    road = Road(directory=Groups())
    answer = take(road, awslogs(cloudwatch(EVENTS, stream="kube-apiserver-0123")))

    assert account(answer).skipped == {"forged_source": 3}
    assert not road.archive.objects


@pytest.mark.parametrize(
    "data",
    [None, "", "!", base64.b64encode(b"\x1f\x8b no gzip").decode(), base64.b64encode(b"[]").decode(),
     base64.b64encode(gzip.compress(b" " * 300_000_000, 1)).decode()],
    ids=["none", "empty", "no base64", "no gzip", "no object", "a bomb"],
)  # fmt: skip
def test_what_is_no_delivery_is_quarantined(data: str | None) -> None:
    road = Road(directory=Groups())
    answer = take(road, {"awslogs": {"data": data}})

    assert answer.status == 200
    assert account(answer).quarantined.total() == 1


def test_what_could_not_be_stored_has_to_come_again() -> None:
    assert take(Road(directory=Groups(), archive=FullDisk()), awslogs(cloudwatch(EVENTS))).status == 503
    with pytest.raises(DirectoryError):
        take(Road(directory=NoTable()), awslogs(cloudwatch(EVENTS)))
