"""The viewers table: whom it knows, what it grants, and what happens where it is damaged or busy. Against moto."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditwire_console import Grant, Viewer
from auditwire_console.errors import UnavailableError
from auditwire_console.granted import Granted, Kind, key_of_token
from auditwire_console.person import Person
from auditwire_console.rights import Rights
from auditwire_console.viewer import ALL
from auditwire_console.viewers_table import ViewersTable
from aws_errors import client_error

PROD_SHOP = Grant(frozenset({"prod"}), frozenset({"shop"}))
TEST_WS = Grant(frozenset({"test", "dev"}), workspaces=frozenset({"ws"}))
JANE = Person("s-1", "jane@example.com", ("admins", "dev"))
ADDED = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_table(
            TableName="viewers",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def table(client: Any) -> ViewersTable:
    return ViewersTable(client, "viewers")


@pytest.fixture
def rights(client: Any) -> Rights:
    return Rights(client, "viewers", sleep=lambda seconds: None)


def test_a_token_is_known_by_its_digest(client: Any, table: ViewersTable, rights: Rights) -> None:
    table.put(Granted(key_of_token("secret"), "grafana", PROD_SHOP, "prod", ADDED))

    assert rights.of_token("secret") == Viewer("grafana", (PROD_SHOP,), "prod")
    assert "secret" not in str(client.scan(TableName="viewers"))
    for other in ("", "Secret", "secret ", key_of_token("secret"), key_of_token("secret").removeprefix("token#")):
        assert rights.of_token(other) is None


def test_a_person_has_the_grants_of_every_row(table: ViewersTable, rights: Rights) -> None:
    assert rights.of_person(JANE) == Viewer("jane@example.com")

    table.put(Granted(Kind.GROUP.key("dev"), "dev", TEST_WS, "test"))
    table.put(Granted(Kind.EMAIL.key("jane@example.com"), "jane@example.com", PROD_SHOP, "prod"))
    table.put(Granted(Kind.GROUP.key("others"), "others", ALL))
    assert rights.of_person(JANE) == Viewer("jane@example.com", (PROD_SHOP, TEST_WS), "prod")

    table.put(Granted(Kind.SUBJECT.key("s-1"), "s-1", ALL))
    assert rights.of_person(JANE).sees_all


@pytest.mark.parametrize(
    "person",
    [
        Person("email#jane@example.com"),
        Person("x", groups=("jane@example.com", "email#jane@example.com", "subject#s-1", "s-1")),
        Person("jane@example.com"),
        Person("S-1", "JANE@example.com"),
        Person("", "", ("",)),
    ],
)
def test_nobody_gets_what_is_another_kind_s(table: ViewersTable, rights: Rights, person: Person) -> None:
    table.put(Granted(Kind.EMAIL.key("jane@example.com"), "jane@example.com", ALL))
    table.put(Granted(Kind.SUBJECT.key("s-1"), "s-1", ALL))

    assert rights.of_person(person).sees_nothing


def test_what_is_taken_is_gone_with_the_next_request(table: ViewersTable, rights: Rights) -> None:
    table.put(Granted(key_of_token("t"), "t", ALL))
    table.put(Granted(Kind.EMAIL.key(JANE.email), "t", ALL))
    assert rights.of_token("t") is not None
    assert rights.of_person(JANE).sees_all

    assert table.remove(key_of_token("t"))
    assert table.remove(Kind.EMAIL.key(JANE.email))
    assert not table.remove(Kind.EMAIL.key(JANE.email))

    assert rights.of_token("t") is None
    assert rights.of_person(JANE).sees_nothing


def test_everybody_s_groups_are_read_however_many_there_are(table: ViewersTable, rights: Rights) -> None:
    groups = tuple(f"group-{number}" for number in range(200))
    for name in (groups[0], groups[150], groups[-1]):
        table.put(Granted(Kind.GROUP.key(name), name, Grant(frozenset({name}), everything=True)))

    found = rights.of_person(Person("s", "e@example.com", (*groups, *groups[:9])))

    assert sorted(str(*(grant.clusters or ())) for grant in found.grants) == ["group-0", "group-150", "group-199"]


class Busy:
    """DynamoDB that answers only the first key of each request, or, when ``stuck``, none."""

    def __init__(self, client: Any, *, stuck: bool = False) -> None:
        self._client, self._stuck = client, stuck

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - as botocore spells it
        ((table, asked),) = RequestItems.items()
        kept = 0 if self._stuck else 1
        left = {**asked, "Keys": asked["Keys"][kept:]}
        found: Any = {"Responses": {}}
        if kept:
            found = self._client.batch_get_item(RequestItems={table: {**asked, "Keys": asked["Keys"][:kept]}})
        return {**found, "UnprocessedKeys": {table: left} if left["Keys"] else {}}


def test_what_dynamodb_leaves_is_asked_again(client: Any, table: ViewersTable) -> None:
    table.put(Granted(Kind.GROUP.key("dev"), "dev", TEST_WS))
    waits: list[float] = []
    busy: Any = Busy(client)

    assert Rights(busy, "viewers", waits.append).of_person(JANE).grants == (TEST_WS,)
    assert waits == sorted(waits)
    assert len(waits) == 3


def test_rights_that_cannot_be_read_whole_are_not_read_in_part(client: Any) -> None:
    stuck: Any = Busy(client, stuck=True)
    with pytest.raises(UnavailableError):
        Rights(stuck, "viewers", lambda seconds: None).of_person(JANE)


def test_a_table_that_cannot_be_read_is_said_without_its_name(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing:
        def get_item(self, **given: Any) -> Any:
            raise client_error(400, "AccessDeniedException")

        batch_get_item = get_item

    refusing: Any = Refusing()
    rights = Rights(refusing, "viewers-of-prod", lambda seconds: None)
    asked: tuple[Callable[[], object], ...] = (lambda: rights.of_token("secret"), lambda: rights.of_person(JANE))
    for ask in asked:
        with pytest.raises(UnavailableError, match="try again in a minute") as error:
            ask()
        assert "viewers-of-prod" not in str(error.value)
    assert "AccessDenied" in caplog.text
    assert "secret" not in caplog.text


DAMAGED: list[dict[str, Any]] = [
    {"name": {"N": "1"}},
    {"name": {"S": ""}},
    {"clusters": {"S": "*"}},
    {"clusters": {"SS": ["prod"]}},
    {"clusters": {"L": [{"S": "*"}, {"S": "prod"}]}},
    {"clusters": {"L": [{"N": "1"}]}},
    {"namespaces": {"L": [{"S": ""}]}},
    {"workspaces": {"NULL": True}},
    {"everything": {"S": "false"}},
    {"everything": {"N": "1"}},
    {"host_cluster": {"L": []}},
]


@pytest.mark.parametrize("damage", DAMAGED, ids=str)
def test_a_damaged_row_grants_nothing_and_is_logged_without_its_key(
    client: Any, table: ViewersTable, rights: Rights, caplog: pytest.LogCaptureFixture, damage: dict[str, Any]
) -> None:
    caplog.set_level(logging.WARNING)
    for key in (key_of_token("secret"), Kind.GROUP.key("admins")):
        client.put_item(TableName="viewers", Item={**Granted(key, "name", ALL).as_row(), **damage})
    table.put(Granted(Kind.GROUP.key("dev"), "dev", PROD_SHOP))

    assert rights.of_token("secret") is None
    assert rights.of_person(JANE).grants == (PROD_SHOP,)
    assert [record.getMessage().partition(" grants nothing")[0] for record in caplog.records] == [
        "a row of the viewers table, of kind token,",
        "a row of the viewers table, of kind group,",
    ]
    assert key_of_token("secret").removeprefix("token#") not in caplog.text
    assert set(table.list().damaged) == {key_of_token("secret"), Kind.GROUP.key("admins")}


@pytest.mark.parametrize("left_out", ["clusters", "namespaces", "everything", "added"])
def test_what_a_row_does_not_say_is_not_granted(
    client: Any, rights: Rights, table: ViewersTable, left_out: str
) -> None:
    row = Granted(key_of_token("t"), "t", Grant(frozenset({"prod"}), frozenset({"shop"})), added=ADDED).as_row()
    del row[left_out]
    client.put_item(TableName="viewers", Item=row)

    found = rights.of_token("t")

    assert found is not None
    assert found.sees_nothing == (left_out in ("clusters", "namespaces"))
    assert table.list().damaged == {}


def test_rows_are_listed_as_they_were_put(client: Any, table: ViewersTable) -> None:
    rows = [
        Granted(Kind.EMAIL.key("a@example.com"), "a@example.com", ALL, added=ADDED),
        Granted(Kind.GROUP.key("dev"), "dev", TEST_WS, "test", ADDED),
        Granted(key_of_token("t"), "grafana", PROD_SHOP, added=ADDED),
    ]
    for row in reversed(rows):
        assert table.put(row) is None
    client.put_item(TableName="viewers", Item={"id": {"S": "role#x"}, "name": {"S": "x"}})

    listing = table.list()

    assert listing.rows == rows
    assert listing.of_token("grafana") == [rows[2]]
    assert listing.of_token("dev") == []
    assert "begins with none of" in listing.damaged["role#x"]
    assert table.put(Granted(rows[1].key, "dev", PROD_SHOP)) == rows[1]
