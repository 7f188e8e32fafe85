"""An archive table as the template makes it, and events with the records that are made of them."""

from datetime import UTC, datetime
from typing import Any

from auditwire.archive import Record, partition
from auditwire.events import Event, decode, encode_line, settle
from local_road import body_of, exec_event
from template import source

TABLE = "archive"
RECEIVED = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)


def make_table(dynamodb: Any) -> None:
    properties = source()["Resources"]["ArchiveTable"]["Properties"]
    given = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    dynamodb.create_table(TableName=TABLE, **{name: properties[name] for name in given})


def items_of(dynamodb: Any) -> list[dict[str, Any]]:
    """Every item of the table, in order of time."""
    found = dynamodb.scan(TableName=TABLE)
    assert "LastEvaluatedKey" not in found
    return sorted(found["Items"], key=lambda item: str(item["event"]["S"]))


def settled(*events: dict[str, Any], cluster: str = "prod", received: datetime = RECEIVED) -> list[Event]:
    """Events as ingest has them once their body was read."""
    found = decode(body_of(*events)).events
    assert len(found) == len(events)
    for event in found:
        settle(event, cluster=cluster, received=received)
    return found


def records_of(
    *events: dict[str, Any], cluster: str = "prod", received: datetime = RECEIVED
) -> dict[str, list[Record]]:
    """Hour → the records of these events, as ingest hands them to an archive."""
    made = settled(*events, cluster=cluster, received=received)
    records: dict[str, list[Record]] = {}
    for group in partition(made, received):
        lines = [Record(made[at], encode_line(made[at], {"batch": "b"}), group.t) for at in group.members]
        records.setdefault(group.hour, []).extend(lines)
    return records


def numbered(count: int, **changes: Any) -> list[Record]:
    """Records of so many events of one hour."""
    [records] = records_of(*(exec_event(number, **changes) for number in range(count))).values()
    return records
