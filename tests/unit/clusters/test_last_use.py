"""When a credential was last used: seldom written, never in the way, and never bringing a revoked one back."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws

from auditwire.clusters import (
    Cluster,
    ClustersTable,
    Credential,
    Directory,
    LastUse,
    Registration,
    SentBy,
    credential_digest,
    sender_version,
)
from auditwire.clusters.last_use import UseLog
from auditwire.clusters.table import is_refused_condition
from auditwire.events import decode
from auditwire.senders.kind import SenderKind
from clocks import Clock
from waiting import HANG_SECONDS, until

KEY = credential_digest("good")
GOOD = Credential(KEY)
CERTIFICATE = "cert:" + "f" * 64
LATE = float("inf")
NOW = 1_800_000_000.0


def agent() -> SentBy:
    return SentBy("Go-http-client/2.0", "kube-apiserver v1.33.4")


@dataclass
class Client:
    """Takes updates as DynamoDB's client does; may fail, or take its time."""

    updates: list[dict[str, Any]] = field(default_factory=list)
    failure: Exception | None = None
    free: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.free.set()

    def update_item(self, **request: Any) -> None:
        assert self.free.wait(HANG_SECONDS)
        if self.failure:
            raise self.failure
        self.updates.append(request)

    @property
    def counts(self) -> list[tuple[int, int]]:
        values = [update["ExpressionAttributeValues"] for update in self.updates]
        return [(int(value[":events"]["N"]), int(value[":batches"]["N"])) for value in values]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def uses(client: Client, clock: Clock) -> UseLog:
    return UseLog(client, "clusters", clock, patience=HANG_SECONDS)  # type: ignore[arg-type]


@pytest.fixture
def table() -> Iterator[ClustersTable]:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-central-1")
        client.create_table(
            TableName="clusters",
            KeySchema=[{"AttributeName": "credential", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "credential", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield ClustersTable(client, "clusters")


def test_it_is_written_at_once_and_then_once_a_minute_with_all_that_came_between(
    uses: UseLog, client: Client, clock: Clock
) -> None:
    uses.note(KEY, 1_000, agent, LATE)
    for _ in range(6):
        clock.now += 10
        uses.note(KEY, 10, agent, LATE)
    assert client.counts == [(1_000, 1), (60, 6)]


def test_what_is_not_written_is_never_more_than_a_fifth(uses: UseLog, client: Client, clock: Clock) -> None:
    for number in range(2_000):
        uses.note(KEY, number % 7, agent, LATE)
        clock.now += 0.001
        written = sum(events for events, _ in client.counts)
        assert written >= 0.8 * sum(each % 7 for each in range(number + 1))
    assert len(client.counts) < 60


def test_each_credential_has_its_own_minute(uses: UseLog, client: Client) -> None:
    for key, events in ((KEY, 9), (CERTIFICATE, 1), (KEY, 1)):
        uses.note(key, events, agent, LATE)
    assert [update["Key"]["credential"]["S"] for update in client.updates] == [KEY, CERTIFICATE]


def test_a_request_that_is_late_leaves_it_to_the_next(uses: UseLog, client: Client, clock: Clock) -> None:
    uses.note(KEY, 1, agent, clock.now - 0.1)
    assert client.updates == []
    uses.note(KEY, 2, agent, clock.now + 1)
    assert client.counts == [(3, 2)]


def test_a_clock_that_was_set_back_does_not_end_the_writing(uses: UseLog, client: Client, clock: Clock) -> None:
    uses.note(KEY, 1, agent, LATE)
    clock.now -= 86_400
    uses.note(KEY, 1, agent, LATE)
    assert client.counts == [(1, 1), (1, 1)]


@pytest.mark.parametrize(
    "failure",
    [
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "UpdateItem"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateItem"),
    ],
    ids=["timeout", "throttled", "not allowed"],
)
def test_a_failure_is_counted_and_made_up_for_a_minute_later(
    failure: Exception, uses: UseLog, client: Client, clock: Clock
) -> None:
    client.failure = failure
    uses.note(KEY, 5, agent, LATE)
    uses.note(KEY, 5, agent, LATE)
    assert (uses.take_failures(), uses.take_failures()) == (1, 0)
    client.failure = None
    clock.now += 60
    uses.note(KEY, 5, agent, LATE)
    assert client.counts == [(15, 3)]
    # And from then on again what would be missing is written in between.
    uses.note(KEY, 5, agent, LATE)
    assert client.counts == [(15, 3), (5, 1)]


def test_a_slow_table_holds_a_request_up_for_a_moment_only_and_no_second_write_waits_behind(client: Client) -> None:
    uses = UseLog(client, "clusters", Clock(NOW), patience=0.05)  # type: ignore[arg-type]
    client.free.clear()
    uses.note(KEY, 1, agent, LATE)
    uses.note(CERTIFICATE, 1, agent, LATE)
    # The table answers nobody until it is told to.
    assert client.updates == []
    client.free.set()
    until(lambda: bool(client.updates))
    assert [update["Key"]["credential"]["S"] for update in client.updates] == [KEY]


def test_what_a_client_says_of_itself_is_bounded(uses: UseLog, client: Client) -> None:
    uses.note(KEY, 1, lambda: SentBy("x" * 5_000 + "\n", "a\nb"), LATE)
    values = client.updates[0]["ExpressionAttributeValues"]
    assert (len(values[":user_agent"]["S"]), values[":version"]["S"]) == (200, "a?b")


def test_a_real_row_is_updated_and_nothing_else_of_it_changes(table: ClustersTable, clock: Clock) -> None:
    registration = Registration(credential=KEY, cluster=Cluster("prod", SenderKind.KUBERNETES, {"team": "shop"}))
    assert table.add(registration)
    directory = Directory(table._client, "clusters", clock)

    assert directory.identify(GOOD)
    assert directory.note_use(GOOD, 400, agent, LATE) == 0
    clock.now += 61
    assert directory.note_use(GOOD, 100, lambda: SentBy("", ""), LATE) == 0

    (found,) = table.list().registrations
    assert found.use is not None
    assert found.use == LastUse(found.use.seen, 500, 2, "Go-http-client/2.0", "kube-apiserver v1.33.4")
    assert found.use.seen.timestamp() == clock.now
    assert (found.cluster, found.cluster.labels, found.enabled) == (registration.cluster, {"team": "shop"}, True)


def test_a_revoked_credential_is_not_brought_back_and_is_forgotten_at_once(table: ClustersTable, clock: Clock) -> None:
    table.add(Registration(credential=KEY, cluster=Cluster("prod")))
    directory = Directory(table._client, "clusters", clock)
    assert directory.identify(GOOD)
    table.remove(KEY)
    table.remove(KEY)
    assert directory.identify(GOOD), "cached"

    assert directory.note_use(GOOD, 1, agent, LATE) == 0

    assert table.list().registrations == []
    assert directory.identify(GOOD) is None, "the write has found out before the minute was over"


def test_a_certificate_beside_a_token_was_used_too(table: ClustersTable, clock: Clock) -> None:
    for key in (KEY, CERTIFICATE):
        table.add(Registration(credential=key, cluster=Cluster("prod")))
    both = Credential(KEY, None, CERTIFICATE)
    Directory(table._client, "clusters", clock).note_use(both, 3, agent, LATE)
    assert [one.use and one.use.events for one in table.list().registrations] == [3, 3]


def test_the_silence_of_a_row_is_set_and_ended_and_nothing_else_of_it_changes(table: ClustersTable) -> None:
    registration = Registration(credential=KEY, cluster=Cluster("prod"), silence_seconds=600)
    table.add(registration)
    for seconds in (1_800, None, None, 300):
        assert table.set_silence(KEY, seconds)
        assert table.list().registrations == [replace(registration, silence_seconds=seconds)]
    assert not table.set_silence("revoked", 300)
    assert not table.set_silence("revoked", None)
    assert len(table.list().registrations) == 1, "it is not brought back"


def test_the_table_lists_rows_by_cluster_and_age_and_names_those_that_are_of_no_use(table: ClustersTable) -> None:
    assert table.add(Registration(credential=KEY, cluster=Cluster("prod")))
    assert not table.add(Registration(credential=KEY, cluster=Cluster("other"))), "the key is taken"
    broken = {"credential": {"S": "x"}, "cluster": {"S": "prod"}, "sender": {"S": "openshift"}}
    table._client.put_item(TableName="clusters", Item=broken)
    listing = table.list()
    assert [one.cluster.name for one in listing.of("prod")] == ["prod"]
    assert listing.of("other") == []
    assert list(listing.broken) == ["x"]
    assert "no usable sender" in listing.broken["x"]


def test_another_failure_is_no_refused_condition(table: ClustersTable) -> None:
    with pytest.raises(ClientError) as caught:
        ClustersTable(table._client, "other").add(Registration(credential=KEY, cluster=Cluster("prod")))
    assert not is_refused_condition(caught.value)
    assert not is_refused_condition(ValueError())


@pytest.mark.parametrize(
    ("body", "version"),
    [
        pytest.param(
            b'{"level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"get",'
            b'"user":{"username":"system:apiserver"},"userAgent":"kube-apiserver/v1.33.4 (linux/amd64) kubernetes/1"}',
            "kube-apiserver v1.33.4",
            id="kube-apiserver's calls of itself",
        ),
        pytest.param(
            b'{"level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"get",'
            b'"user":{"username":"mallory"},"userAgent":"kube-apiserver/v9.9.9 (linux/amd64) kubernetes/1"}',
            "",
            id="somebody else who says so",
        ),
        pytest.param(
            b'{"HostName":"","HostIP":"","Level":"Metadata","AuditID":"a","Stage":"ResponseComplete","Verb":"get"}',
            "ks-apiserver 4",
            id="KubeSphere 4",
        ),
        pytest.param(
            b'{"Items":[{"Devops":"","Level":"Metadata","AuditID":"a","Stage":"ResponseComplete","Verb":"get"}]}',
            "ks-apiserver 3",
            id="KubeSphere 3",
        ),
        pytest.param(b"[]", "", id="nothing"),
    ],
)
def test_the_version_is_what_the_events_prove(body: bytes, version: str) -> None:
    assert sender_version(decode(body).events) == version
