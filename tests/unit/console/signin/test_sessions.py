"""The two kinds of sessions behave alike, in memory and in DynamoDB."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from auditwire_console.person import Person
from auditwire_console.signin import DynamoSessions, MemorySessions, Session, Sessions, SessionsError, Transaction

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
BEGUN = Transaction("state", "nonce", "verifier", "https://console.example/callback", "/?q=1", NOW)
JANE = Person("1234", "jane@shop.example", ("ops", "größe"), 3)
OPEN = Session(JANE, NOW, NOW + timedelta(hours=8))


def client() -> Any:
    return boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        made = client()
        made.create_table(
            TableName="sessions",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


@pytest.fixture(params=["memory", "dynamodb"])
def sessions(request: pytest.FixtureRequest) -> Sessions:
    if request.param == "memory":
        return MemorySessions()
    return DynamoSessions(request.getfixturevalue("dynamodb"), "sessions")


def test_a_sign_in_is_taken_once_and_by_its_state_alone(sessions: Sessions) -> None:
    sessions.begin("once", BEGUN)

    assert sessions.take("once", "another") is None
    assert sessions.take("another", "state") is None
    assert sessions.take("once", "state") == BEGUN
    assert sessions.take("once", "state") is None


def test_a_session_is_there_until_it_is_closed(sessions: Sessions) -> None:
    sessions.open("open", OPEN)
    sessions.open("lonely", replace(OPEN, person=Person("no groups")))

    assert sessions.find("open") == OPEN
    assert sessions.find("lonely") == replace(OPEN, person=Person("no groups"))
    sessions.close("open")
    sessions.close("open")
    assert sessions.find("open") is None


def test_no_cookie_of_one_kind_is_one_of_the_other(sessions: Sessions) -> None:
    sessions.begin("begun", BEGUN)
    sessions.open("opened", OPEN)

    assert sessions.find("begun") is None
    assert sessions.take("opened", "state") is None
    assert sessions.find("opened") == OPEN


def test_the_table_holds_digests_of_cookies_and_when_a_row_may_go(dynamodb: Any) -> None:
    DynamoSessions(dynamodb, "sessions").begin("the cookie's value", BEGUN)
    DynamoSessions(dynamodb, "sessions").open("the cookie's value", OPEN)

    rows = {row["id"]["S"]: row for row in dynamodb.scan(TableName="sessions")["Items"]}
    digest = hashlib.sha256(b"the cookie's value").hexdigest()
    assert rows[f"signin#{digest}"]["expires"] == {"N": str(int(BEGUN.expires.timestamp()))}
    assert rows[f"session#{digest}"]["expires"] == {"N": str(int(OPEN.expires.timestamp()))}
    assert "the cookie's value" not in str(rows)


@pytest.mark.parametrize(
    "spoiled",
    [
        {},
        {"subject": {"N": "1"}},
        {"expires": {"S": "never"}},
        {"expires": {"N": "1" + 40 * "0"}},
        {"since": {"S": "x"}},
        {"groups": {"L": [{"N": "1"}]}},
        {"groups": {"S": "ops"}},
        {"left_out": {"N": "1.5"}},
    ],
    ids=str,
)
def test_a_row_that_the_console_did_not_write_is_nobodys_session(dynamodb: Any, spoiled: dict[str, Any]) -> None:
    key = "session#" + hashlib.sha256(b"spoiled").hexdigest()
    DynamoSessions(dynamodb, "sessions").open("spoiled", OPEN)
    row = dynamodb.get_item(TableName="sessions", Key={"id": {"S": key}})["Item"] | spoiled if spoiled else {}
    dynamodb.put_item(TableName="sessions", Item=row | {"id": {"S": key}})

    assert DynamoSessions(dynamodb, "sessions").find("spoiled") is None


def test_reads_see_what_was_written_before_them() -> None:
    stubbed = client()
    with Stubber(stubbed) as stub:
        key = {"id": {"S": "session#" + hashlib.sha256(b"c").hexdigest()}}
        stub.add_response("get_item", {}, {"TableName": "sessions", "Key": key, "ConsistentRead": True})

        assert DynamoSessions(stubbed, "sessions").find("c") is None


def test_a_table_that_does_not_answer_is_one_error() -> None:
    stubbed = client()
    with Stubber(stubbed) as stub:
        sessions = DynamoSessions(stubbed, "sessions")
        for operation in ("put_item", "put_item", "delete_item", "delete_item", "get_item"):
            stub.add_client_error(operation, "ProvisionedThroughputExceededException", http_status_code=400)

        for ask in (
            lambda: sessions.begin("c", BEGUN),
            lambda: sessions.open("c", OPEN),
            lambda: sessions.take("c", "state"),
            lambda: sessions.close("c"),
            lambda: sessions.find("c"),
        ):
            with pytest.raises(SessionsError, match="does not answer"):
                ask()
