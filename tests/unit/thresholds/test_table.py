"""The table of thresholds: members count as in memory, in any order, and what cannot be judged is said to be so."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from auditwire.thresholds.store import Addition, MemoryThresholds
from auditwire.thresholds.table import GROUP, KEPT_SECONDS, WINDOW, ThresholdTable
from aws_errors import client_error

TABLE = "thresholds"
WITHIN = 600
NOW = 1_800_000_000.0
LAST = int(NOW) // WITHIN
SOON = NOW + 1


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1")
        client.create_table(
            TableName=TABLE,
            AttributeDefinitions=[
                {"AttributeName": GROUP, "AttributeType": "S"},
                {"AttributeName": WINDOW, "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": GROUP, "KeyType": "HASH"}, {"AttributeName": WINDOW, "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def addition(*members: str, group: str = "g", window: int = LAST, at_least: int = 4) -> Addition:
    return Addition("mine.many", at_least, WITHIN, group, window, members)


def table(client: Any) -> ThresholdTable:
    return ThresholdTable(client, TABLE, clock=lambda: NOW)


@dataclass
class Counting:
    """A client that counts its calls, and fails as told."""

    inner: Any
    calls: list[str] = field(default_factory=list)
    failing: dict[str, Callable[[Any], Exception | None]] = field(default_factory=dict)
    unread: bool = False

    def _call(self, name: str, asked: Any) -> Any:
        self.calls.append(name)
        fault = self.failing.get(name, lambda _: None)(asked)
        if fault is not None:
            raise fault
        return getattr(self.inner, name)(**asked)

    def update_item(self, **asked: Any) -> Any:
        return self._call("update_item", asked)

    def batch_get_item(self, **asked: Any) -> Any:
        answer = self._call("batch_get_item", asked)
        if self.unread:
            answer = {"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}
        return answer


def test_members_of_a_window_and_its_neighbours_count(dynamodb: Any) -> None:
    store = table(dynamodb)
    assert store.add([addition("a", "b"), addition("a", group="h")], SOON).counts == (2, 1)
    assert store.add([addition("b", "c")], SOON).counts == (3,)
    assert store.add([addition("d", window=LAST - 1)], SOON).counts == (4,)
    assert store.add([addition("e", window=LAST - 2)], SOON).counts == (2,)
    assert store.add([addition("f", window=LAST - 4)], SOON).counts == (1,)


def test_a_window_of_a_sender_whose_clock_is_ahead_counts_too(dynamodb: Any) -> None:
    store = table(dynamodb)
    assert store.add([addition("a", "b", window=LAST + 5)], SOON).counts == (2,)
    assert store.add([addition("c", "d", window=LAST + 4)], SOON).counts == (4,)


def test_it_counts_as_memory_does_whatever_comes(dynamodb: Any) -> None:
    chance = Random(7)
    here, there = MemoryThresholds(), table(dynamodb)
    for _ in range(60):
        keys = chance.sample([("g", 0), ("g", 1), ("g", 2), ("h", 0)], 2)
        some = [
            addition(*(str(chance.randrange(9)) for _ in range(2)), group=group, window=LAST - step)
            for group, step in keys
        ]
        some = [one._replace(members=tuple(dict.fromkeys(one.members))) for one in some]
        found = there.add(some, SOON).counts
        wanted = here.add(some, SOON).counts
        assert [count is not None and count >= 4 for count in found] == [bool(n and n >= 4) for n in wanted]


def test_an_item_says_what_it_is_and_when_it_may_go(dynamodb: Any) -> None:
    table(dynamodb).add([addition("a", "b")], SOON)
    table(dynamodb).add([addition("a", group="late", window=5)], SOON)

    items = {item[GROUP]["S"]: item for item in dynamodb.scan(TableName=TABLE)["Items"]}
    assert items["g"] == {
        GROUP: {"S": "g"},
        WINDOW: {"N": str(LAST)},
        "members": {"SS": ["a", "b"]},
        "rule": {"S": "mine.many"},
        "expires": {"N": str((LAST + 2) * WITHIN + KEPT_SECONDS)},
    }
    assert int(items["late"]["expires"]["N"]) >= NOW + KEPT_SECONDS


def test_a_closed_window_takes_no_more_and_is_remembered(dynamodb: Any) -> None:
    client = Counting(dynamodb)
    store = table(client)
    assert store.add([addition("a", "b", "c", "d")], SOON).counts == (4,)
    assert client.calls == ["update_item"]
    assert store.add([addition("e")], SOON).counts == (4,)
    assert client.calls == ["update_item"]

    other = table(client)
    assert other.add([addition("e")], SOON).counts == (4,)
    assert client.calls == ["update_item"] * 2
    (item,) = dynamodb.scan(TableName=TABLE)["Items"]
    assert sorted(item["members"]["SS"]) == ["a", "b", "c", "d"]
    assert other.add([addition("e", at_least=5)], SOON).counts == (5,)


def test_one_write_a_group_and_one_read_for_all(dynamodb: Any) -> None:
    client = Counting(dynamodb)
    found = table(client).add([addition("a", group=f"g{number}", window=LAST - 1) for number in range(50)], SOON)
    assert found.counts == (1,) * 50
    assert sorted(client.calls) == ["batch_get_item", *["update_item"] * 50]


def test_what_fails_is_not_judged_and_the_rest_is(dynamodb: Any) -> None:
    def fault(asked: Any) -> Exception | None:
        if asked["Key"][GROUP]["S"] == "slow":
            return ReadTimeoutError(endpoint_url="x")
        return client_error(400, "ThrottlingException") if asked["Key"][GROUP]["S"] == "busy" else None

    client = Counting(dynamodb, failing={"update_item": fault})
    found = table(client).add([addition("a", group=name) for name in ("g", "slow", "busy")], SOON)
    assert found.counts == (1, None, None)
    assert found.problem


@pytest.mark.parametrize("how", ["error", "unprocessed"])
def test_without_the_neighbours_only_a_full_window_is_judged(dynamodb: Any, how: str) -> None:
    failing: Any = {"batch_get_item": lambda _: client_error(500, "InternalServerError")} if how == "error" else {}
    client = Counting(dynamodb, failing=failing, unread=how == "unprocessed")
    found = table(client).add([addition("a"), addition("a", "b", "c", "d", group="h")], SOON)
    assert found.counts == (None, 4)
    again = table(dynamodb).add([addition("a"), addition("a", group="h")], SOON)
    assert again.counts == (1, 4)


def test_nothing_begins_after_the_deadline(dynamodb: Any) -> None:
    client = Counting(dynamodb)
    found = table(client).add([addition("a")], NOW)
    assert (found.counts, found.problem, client.calls) == ((None,), "there was no time left", [])


def test_of_two_that_add_beside_each_other_one_sees_both(dynamodb: Any) -> None:
    for number in range(10):
        counts: list[Any] = []

        def add(*members: str, window: int, name: str = f"g{number}", told: list[Any] = counts) -> None:
            told.extend(table(dynamodb).add([addition(*members, group=name, window=window)], SOON).counts)

        threads = [
            threading.Thread(target=add, args=("a", "b"), kwargs={"window": LAST}),
            threading.Thread(target=add, args=("c", "d"), kwargs={"window": LAST - 1}),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 4 in counts
