"""The clusters table behind its cache: who holds, who does not, for how long, and what a failure of AWS
means."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
    DirectoryError,
    InvalidClusterNameError,
    Listing,
    Registration,
    credential_digest,
)
from auditwire.senders.kind import SenderKind
from clocks import Clock

GOOD = Credential(credential_digest("good"))


@dataclass
class Table:
    """A table in memory that answers like DynamoDB's get_item, counts its reads, and can be told to fail."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: int = 0
    failure: Exception | None = None

    def add(self, token: str, cluster: str = "prod", sender: str = "any", **more: Any) -> None:
        digest = credential_digest(token)
        row = {"credential": {"S": digest}, "cluster": {"S": cluster}, "sender": {"S": sender}}
        self.rows[digest] = {**row, "enabled": {"BOOL": True}, **more}

    def get_item(self, **request: Any) -> dict[str, Any]:
        self.reads += 1
        if self.failure:
            raise self.failure
        assert request["TableName"] == "clusters"
        assert request["ConsistentRead"] is True
        row = self.rows.get(request["Key"]["credential"]["S"])
        return {"Item": row} if row else {}


@pytest.fixture
def table() -> Table:
    table = Table()
    table.add("good", "prod", "kubernetes")
    return table


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000.0)


def directory_of(table: Any, *given: Any, **named: Any) -> Directory:
    """A directory over a stand-in for the client."""
    return Directory(table, "clusters", *given, **named)


@pytest.fixture
def directory(table: Table, clock: Clock) -> Directory:
    return directory_of(table, clock)


def test_a_known_credential_names_its_cluster_and_sender(directory: Directory) -> None:
    assert directory.identify(GOOD) == Cluster("prod", SenderKind.KUBERNETES)


def test_no_credential_holds_nothing_and_reads_nothing(directory: Directory, table: Table) -> None:
    assert directory.identify(None) is None
    assert table.reads == 0


@pytest.mark.parametrize(
    ("claimed", "holds"),
    [("prod", True), ("staging", False), ("", False), ("Prod", False), ("prodü", False)],
)
def test_basic_must_name_the_cluster_it_belongs_to(directory: Directory, claimed: str, holds: bool) -> None:
    found = directory.identify(Credential(GOOD.digest, claimed))
    assert found == (Cluster("prod", SenderKind.KUBERNETES) if holds else None)


def test_an_unknown_credential_does_not_hold_whatever_it_claims(directory: Directory) -> None:
    for claimed in (None, "", "prod"):
        assert directory.identify(Credential(credential_digest("wrong"), claimed)) is None


@pytest.mark.parametrize(
    ("token", "claimed"),
    [
        ("token", "staging"),
        ("token", ""),
        ("wrong", None),
        ("wrong", "prod"),
        ("off", None),
        ("off", "prod"),
        ("over", None),
    ],
    ids=["other name", "no name", "unknown", "unknown with a name", "off", "off with a name", "expired"],
)
def test_every_refusal_costs_what_a_good_credential_costs(
    directory: Directory, table: Table, token: str, claimed: str | None
) -> None:
    table.add("off", enabled={"BOOL": False})
    table.add("over", expires={"S": "1970-01-01T00:00:01Z"})

    # One look at the table, by the digest, whatever is wrong; and none soon after. What is slow tells nothing then.
    for _ in range(2):
        assert directory.identify(Credential(credential_digest(token), claimed)) is None
        assert table.reads == 1


@pytest.mark.parametrize("enabled", [{"BOOL": False}, {"S": "true"}, {}], ids=["false", "text", "empty"])
def test_a_row_that_is_not_enabled_does_not_hold(enabled: dict[str, Any], table: Table, directory: Directory) -> None:
    table.add("off", enabled=enabled)
    assert directory.identify(Credential(credential_digest("off"))) is None


def test_answers_are_cached_for_a_minute_and_revocation_works_after_it(
    directory: Directory, table: Table, clock: Clock
) -> None:
    assert directory.identify(GOOD)
    table.rows.clear()
    clock.now += 59.9
    assert directory.identify(GOOD)
    assert table.reads == 1
    clock.now += 0.2
    assert directory.identify(GOOD) is None
    assert table.reads == 2


def test_an_unknown_credential_is_cached_but_holds_soon_after_it_was_added(
    directory: Directory, table: Table, clock: Clock
) -> None:
    new = Credential(credential_digest("new"))
    assert directory.identify(new) is None
    table.add("new", "fresh")
    clock.now += 9
    assert directory.identify(new) is None
    assert table.reads == 1
    clock.now += 2
    assert directory.identify(new) == Cluster("fresh", SenderKind.ANY)


def test_a_clock_set_back_does_not_keep_a_revoked_credential_alive(
    directory: Directory, table: Table, clock: Clock
) -> None:
    assert directory.identify(GOOD)
    table.rows.clear()
    clock.now -= 3_600
    assert directory.identify(GOOD) is None


def test_a_flood_of_wrong_credentials_neither_grows_the_cache_nor_pushes_out_the_right_ones(
    table: Table, clock: Clock
) -> None:
    directory = directory_of(table, clock, size=4)
    assert directory.identify(GOOD)
    for number in range(20):
        assert directory.identify(Credential(credential_digest(f"wrong {number}"))) is None
    reads = table.reads
    assert directory.identify(GOOD)
    assert table.reads == reads
    assert directory.identify(Credential(credential_digest("wrong 0"))) is None
    assert table.reads == reads + 1


def test_the_least_recently_used_credential_makes_room(table: Table, clock: Clock) -> None:
    directory = directory_of(table, clock, size=2)
    for token in ("a", "b", "c"):
        table.add(token, token)
    for token in ("a", "b", "a", "c", "a"):
        assert directory.identify(Credential(credential_digest(token))) == Cluster(token, SenderKind.ANY)
    assert table.reads == 3


@pytest.mark.parametrize(
    "failure",
    [
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetItem"),
    ],
    ids=["timeout", "throttled"],
)
def test_a_table_that_cannot_be_read_says_nothing_about_the_sender(
    failure: Exception, directory: Directory, table: Table, clock: Clock
) -> None:
    table.failure = failure
    with pytest.raises(DirectoryError, match="the clusters table clusters could not be read"):
        directory.identify(GOOD)
    table.failure = None
    assert directory.identify(GOOD), "a failure is not cached"
    table.failure = failure
    clock.now += 61
    with pytest.raises(DirectoryError):
        directory.identify(GOOD)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"cluster": {"S": "Prod/../x"}}, "'Prod/../x' is not a cluster name"),
        ({"cluster": {"S": ""}}, "'' is not a cluster name"),
        ({"sender": {"S": "openshift"}}, "no usable sender: one of kubernetes, kubesphere, any"),
        ({"sender": {}}, "no usable sender"),
    ],
)
def test_a_row_that_cannot_be_used_is_an_error_and_not_a_refusal(
    row: dict[str, Any], text: str, directory: Directory, table: Table
) -> None:
    table.add("odd")
    table.rows[credential_digest("odd")].update(row)
    with pytest.raises(DirectoryError, match=text):
        directory.identify(Credential(credential_digest("odd")))


@pytest.mark.parametrize("ttl", [0, -1, 61])
def test_a_longer_cache_than_a_minute_is_refused(ttl: float, table: Table) -> None:
    with pytest.raises(ValueError, match="at most 60 seconds"):
        directory_of(table, ttl=ttl)


@pytest.mark.parametrize("name", ["", "Prod", "a/b", "a" * 64, "prod\n", "ü", "a.b", "a=b"])
def test_a_name_that_could_forge_a_key_is_no_cluster_name(name: str) -> None:
    with pytest.raises(InvalidClusterNameError, match="is not a cluster name: 1 to 63 of a-z, 0-9 and '-'"):
        Cluster(name)


def test_the_real_client_against_a_real_table(clock: Clock) -> None:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-central-1")
        client.create_table(
            TableName="clusters",
            KeySchema=[{"AttributeName": "credential", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "credential", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        row: Any = {"cluster": {"S": "prod"}, "sender": {"S": "kubesphere"}, "enabled": {"BOOL": True}}
        client.put_item(TableName="clusters", Item={"credential": {"S": GOOD.digest}, **row})
        directory = Directory(client, "clusters", clock)
        assert directory.identify(GOOD) == Cluster("prod", SenderKind.KUBESPHERE)
        assert directory.identify(Credential(credential_digest("wrong"))) is None
        with pytest.raises(DirectoryError, match="the clusters table other could not be read"):
            Directory(client, "other", clock).identify(GOOD)


@pytest.mark.parametrize(
    ("limits", "holds"),
    [
        ({"expires": "1970-01-01T00:16:41Z"}, True),
        ({"expires": "1970-01-01T00:16:40Z"}, False),
        ({"not_before": "1970-01-01T00:16:40Z"}, True),
        ({"not_before": "1970-01-01T00:16:41Z"}, False),
        ({"not_before": "1970-01-01T00:00:00Z", "expires": "1970-01-02T00:00:00Z"}, True),
    ],
)
def test_a_credential_holds_within_its_limits(
    limits: dict[str, str], holds: bool, directory: Directory, table: Table
) -> None:
    table.add("limited")
    table.rows[credential_digest("limited")].update({name: {"S": text} for name, text in limits.items()})
    found = directory.identify(Credential(credential_digest("limited"), "prod"))
    assert (found is not None) is holds


def test_a_credential_that_expires_while_it_is_cached_stops_holding_at_once(
    directory: Directory, table: Table, clock: Clock
) -> None:
    table.add("short", expires={"S": "1970-01-01T00:16:50Z"})
    short = Credential(credential_digest("short"))
    assert directory.identify(short)
    clock.now += 9.9
    assert directory.identify(short)
    clock.now += 0.1
    assert directory.identify(short) is None
    assert table.reads == 1


def test_a_credential_that_begins_while_it_is_cached_holds_at_once(
    directory: Directory, table: Table, clock: Clock
) -> None:
    table.add("later", not_before={"S": "1970-01-01T00:17:00Z"})
    later = Credential(credential_digest("later"))
    assert directory.identify(later) is None
    clock.now += 20
    assert directory.identify(later)
    assert table.reads == 1


def test_a_cluster_carries_its_labels(directory: Directory, table: Table) -> None:
    table.add("labelled", labels={"M": {"team": {"S": "shop"}}})
    found = directory.identify(Credential(credential_digest("labelled")))
    assert found is not None
    assert found.labels == {"team": "shop"}


def test_two_credentials_of_one_cluster_hold_side_by_side(directory: Directory, table: Table) -> None:
    table.add("new", "prod", "kubernetes")
    assert directory.identify(GOOD) == directory.identify(Credential(credential_digest("new")))


@pytest.mark.parametrize(
    ("token", "certificate", "holds"),
    [
        ("good", "prod", True),
        ("good", "staging", False),
        ("good", None, False),
        ("wrong", "prod", False),
        ("wrong", None, False),
    ],
)
def test_a_token_and_a_certificate_must_be_of_the_same_cluster(
    token: str, certificate: str | None, holds: bool, directory: Directory, table: Table
) -> None:
    key = "cert:" + "f" * 64
    if certificate:
        row = {"credential": {"S": key}, "cluster": {"S": certificate}, "sender": {"S": "any"}}
        table.rows[key] = {**row, "enabled": {"BOOL": True}}
    found = directory.identify(Credential(credential_digest(token), None, key))
    assert found == (Cluster("prod", SenderKind.KUBERNETES) if holds else None)
    if certificate:
        assert directory.identify(Credential(key)) == Cluster(certificate, SenderKind.ANY)


@pytest.mark.parametrize("ending", ["expired", "disabled", "not yet valid", "revoked"])
def test_a_credential_that_has_ended_is_told_from_one_that_nobody_knows(ending: str, clock: Clock) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    clock.now = now.timestamp()
    limits: dict[str, dict[str, Any]] = {
        "expired": {"expires": now - timedelta(seconds=1)},
        "disabled": {"enabled": False},
        "not yet valid": {"not_before": now + timedelta(hours=1)},
        "revoked": {},
    }
    with mock_aws():
        client = boto3.client("dynamodb", "eu-central-1")
        clusters = made_table(client)
        row = Registration(credential=GOOD.digest, cluster=Cluster("prod"), **limits[ending])
        assert clusters.add(row)
        if ending == "revoked":
            clusters.revoke(GOOD.digest, now)
            assert clusters.list() == Listing([], {})
        directory = directory_of(client, clock)
        assert directory.identify(GOOD) is None
        assert directory.ended(GOOD) == "prod"
        wrong = Credential(credential_digest("wrong"))
        assert directory.identify(wrong) is None
        assert (directory.ended(wrong), directory.ended(None)) == ("", "")


def test_a_valid_credential_under_another_clusters_name_has_not_ended(table: Table, directory: Directory) -> None:
    claimed = Credential(GOOD.digest, "other")
    assert directory.identify(claimed) is None
    assert directory.ended(claimed) == ""


def test_a_revoked_credential_can_be_registered_again_and_an_unknown_one_is_not_revoked(clock: Clock) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with mock_aws():
        client = boto3.client("dynamodb", "eu-central-1")
        clusters = made_table(client)
        row = Registration(credential=GOOD.digest, cluster=Cluster("prod"))
        assert clusters.add(row)
        assert not clusters.add(row)
        clusters.revoke(GOOD.digest, now)
        clusters.revoke("nobody's", now)
        assert clusters.add(row)
        assert [one.cluster.name for one in clusters.list().registrations] == ["prod"]
        assert directory_of(client, clock).identify(GOOD) == Cluster("prod")


def made_table(client: Any) -> ClustersTable:
    client.create_table(
        TableName="clusters",
        KeySchema=[{"AttributeName": "credential", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "credential", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return ClustersTable(client, "clusters")
