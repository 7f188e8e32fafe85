"""Items of the archive table: keys that a repeat finds again, and index values that are always taken."""

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_table import numbered, records_of, settled
from auditwire.archive import Record, items
from auditwire.archive.items import Key, index_value, item_of, key_of, object_name
from auditwire.events import Event, ObjectRef, User
from local_road import exec_event
from made_events import event

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = "prod#2026-11-21T22"
HALF = b"\xed\xa0\x80"
T = "20261121T220500.100000Z"


def size(item: dict[str, Any]) -> int:
    """Bytes as DynamoDB counts them: names and texts in UTF-8, binary as it is, at most 21 for a number."""
    widths: dict[str, Callable[[Any], int]] = {"S": lambda text: len(text.encode()), "B": len, "N": lambda digits: 21}
    return sum(len(name.encode()) + widths[kind](it) for name, value in item.items() for kind, it in value.items())


def test_a_key_is_made_of_cluster_hour_time_and_digest() -> None:
    [(record,)] = records_of(exec_event(1)).values()
    digest = hashlib.sha256(json.dumps(exec_event(1)).encode()).hexdigest()

    key = key_of(HOUR, record, items.SHARDS)

    assert key.event == f"2026-11-21T22:05:00.100000Z#{digest}"
    assert key.partition == f"prod#2026-11-21T22#{int(digest[:2], 16) % 8}"


def test_the_shards_are_all_used_and_no_others() -> None:
    [records] = records_of(*map(exec_event, range(200))).values()
    assert {key_of(HOUR, record, 8).partition for record in records} == {f"{HOUR}#{shard}" for shard in range(8)}


def test_an_event_without_a_time_of_its_own_is_kept_at_the_hour_of_its_receipt() -> None:
    undated, other = exec_event(1), exec_event(2)
    del undated["stageTimestamp"], undated["requestReceivedTimestamp"]
    [records] = records_of(undated, other).values()

    assert [record.at for record in records] == ["2026-11-21T22:00:00.000000Z", other["stageTimestamp"]]
    assert records[0].event.stageTimestamp == "2026-11-21T22:06:00.000000Z"


def test_an_event_of_another_hour_than_its_group_is_kept_with_the_group() -> None:
    (late,) = settled(exec_event(1, stageTimestamp="2026-11-23T01:00:00.000000Z"))
    assert Record(late, b"", T).at == "2026-11-21T22:05:00.100000Z"


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (ObjectRef(), ""),
        (ObjectRef(name="x", namespace="y"), ""),
        (ObjectRef(resource="nodes", name="worker-1"), "nodes/worker-1"),
        (ObjectRef(resource="pods", namespace="shop", name="web-1", subresource="exec"), "pods/shop/web-1"),
        (ObjectRef(resource="deployments", namespace="shop", name="web", apiGroup="apps"), "deployments.apps/shop/web"),
        (ObjectRef(resource="secrets", namespace="shop"), "secrets/shop"),
        (ObjectRef(resource="secrets"), "secrets"),
        (ObjectRef(resource="namespaces", namespace="shop", name="shop"), "namespaces/shop"),
        (ObjectRef(resource="pods", namespace="shop", name="shop"), "pods/shop/shop"),
    ],
)
def test_an_object_is_called_by_resource_group_namespace_and_name(ref: ObjectRef, name: str) -> None:
    assert object_name(ref) == name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("x" * 1024, "x" * 1024),
        ("x" * 1025, f"sha256:{hashlib.sha256(b'x' * 1025).hexdigest()}"),
        ("ü" * 513, f"sha256:{hashlib.sha256('ü'.encode() * 513).hexdigest()}"),
        ("a\0b", "a\0b"),
        ("\ud800", f"sha256:{hashlib.sha256(HALF).hexdigest()}"),
    ],
    ids=["empty", "just fits", "too long", "too long in UTF-8", "NUL", "half a character"],
)
def test_an_index_value_is_left_out_kept_or_hashed(text: str, value: str | None) -> None:
    assert index_value(text) == value


hostile = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.builds(
        lambda unit, times: unit * times,
        st.sampled_from(["a", "\0", "ü", "\U0001f980", "\ud800"]),
        st.integers(0, 5000),
    ),
)


@given(hostile, hostile, st.none() | hostile, st.integers(0, items.MAX_LINE_BYTES))
def test_no_item_is_larger_than_dynamodb_takes_and_every_text_can_be_sent(
    audit_id: str, name: str, user: str | None, line: int
) -> None:
    found = event(name=name, namespace=name, auditID=audit_id or "x")
    found.user = User(username=user)
    found.stageTimestamp = "2026-11-21T22:05:00.000000Z"
    # A cluster name has at most 63 letters, and here the digest cannot be of what is no UTF-8.
    found.__dict__["digest"] = "f" * 64
    record = Record(found, b"", T)

    item = item_of(key_of("c" * 63 + "#2026-11-21T22", record, 256), record, {items.LINE: {"B": bytes(line)}}, 2**40)

    assert size(item) <= 400 * 1024
    for attribute in items.INDEXES:
        # An index takes 1 to 2,048 bytes.
        assert attribute not in item or 1 <= len(item[attribute]["S"].encode()) <= 1024 + len("#7")
    json.dumps(item, default=list).encode()


def test_values_that_are_too_long_are_found_by_the_same_value() -> None:
    long = "system:serviceaccount:" + "x" * 5000
    found = Event(level="Metadata", auditID="a", stage="s", verb="get", user=User(username=long))
    found.__dict__["digest"] = "f" * 64
    assert item_of(Key("p", "e"), Record(found, b"", T), {}, 0)["user"] == {"S": index_value(long)}


def test_events_of_a_busy_user_are_spread_over_the_index_and_each_is_found() -> None:
    items_of_one = [item_of(Key("p", "e"), record, {}, 0) for record in numbered(200)]
    shards = Counter(item["userShard"]["S"] for item in items_of_one)
    assert set(shards) == set(items.user_shards("mallory"))
    assert max(shards.values()) < 60
    assert {item["user"]["S"] for item in items_of_one} == {"mallory"}
    assert "userShard" not in item_of(Key("p", "e"), numbered(1, user={})[0], {}, 0)
