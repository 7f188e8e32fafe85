"""The archive in a DynamoDB table: one item per event, found by cluster and hour, by auditID, by user or by object.

An event's key is made of its cluster, its time and the SHA-256 of what was received, so an event has the same key in
every batch. BatchWriteItem has no conditions. So existing items are looked up first and are never written again. Only
if two requests bring the same event at the same moment may both find nothing and write. Then the later line stays: the
same event, as the rules of that moment decided it.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from auditwire.archive.batches import Batches
from auditwire.archive.items import ASIDE, LINE, MAX_LINE_BYTES, SHARDS, Item, Key, hour_name, item_of, key_of
from auditwire.archive.keys import HourGroup, checked_cluster, object_key
from auditwire.archive.store import Archive, PutResult, QuarantineNote, Record
from auditwire.events.gzipping import gzip_bytes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAY: Final = 86_400


class DynamoDBArchive:
    """An Archive in one table. ``objects`` stores what is too large for an item, and the quarantine.

    Items expire ``days`` after they were stored. Timeouts and retries of single requests are set in the clients; what
    DynamoDB has no capacity for is requested again until the deadline. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        objects: Archive,
        days: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._batches = Batches(client, table, clock, sleep)
        self._objects = objects
        self._days = days
        self._clock = clock

    def place(self, cluster: str, group: HourGroup, digest: str) -> str:
        """The start of the hour's partition keys, such as ``prod#2026-11-21T22``. Items do not depend on the batch."""
        del digest
        return hour_name(checked_cluster(cluster), group.hour)

    def put_events(self, place: str, records: Iterable[Record], deadline: float) -> PutResult:
        """Stores each event that is not there yet; returns ``exists`` if all of them are. See Archive.put_events."""
        # An event that is in the batch twice becomes one item. DynamoDB refuses a request that has the same key twice.
        wanted: dict[Key, Record] = {}
        for record in records:
            wanted.setdefault(key_of(place, record, SHARDS), record)
        present = self._batches.present(wanted, deadline)
        if len(present) == len(wanted):
            return "exists"
        expires = int(self._clock()) + self._days * _DAY
        self._batches.put(
            [
                item_of(key, record, self._content(record, deadline), expires)
                for key, record in wanted.items()
                if key not in present
            ],
            deadline,
        )
        return "stored"

    def put_quarantine(self, key: str, raw: bytes, note: QuarantineNote) -> PutResult:
        """Quarantines the bytes in ``objects``; see Archive.put_quarantine."""
        return self._objects.put_quarantine(key, raw, note)

    def _content(self, record: Record, deadline: float) -> Item:
        """The gzipped line. If it is too large for an item, it is first stored as an object, and this is the object's
        key."""
        packed = gzip_bytes(record.line)
        if len(packed) <= MAX_LINE_BYTES:
            return {LINE: {"B": packed}}
        at = record.at
        key = object_key(record.event.cluster, at[:13], at.replace("-", "").replace(":", ""), record.event.digest)
        self._objects.put_events(key, [record], deadline)
        return {ASIDE: {"S": key}}
