"""Searching the archive table: by an index, or by cluster and hours."""

import heapq
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.batches import MAX_GETS, Batches
from auditwire.archive.errors import ArchiveError, UnreadableError
from auditwire.archive.found import Found, found_in
from auditwire.archive.items import (
    ASIDE,
    EVENT,
    INDEXES,
    LINE,
    PARTITION,
    SHARDS,
    USER_SHARD,
    Item,
    Key,
    hour_name,
    index_value,
    partition_of,
    user_shards,
)
from auditwire.archive.objects import object_chunks
from auditwire.archive.search import Reading, Search, Unreadable, hours
from auditwire.archive.stored_lines import inflated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# How long requests are repeated for which DynamoDB has no capacity.
_PATIENCE_SECONDS: Final = 30.0
# All times have the same length. In a sort key the digest follows.
_AT: Final = len("2026-11-21T22:05:00.100000Z")
# Also finds events that a cluster's clock puts into the future.
_AHEAD: Final = timedelta(hours=1)


class TableReader:
    """An ArchiveReader of one archive table and the bucket beside it.

    Searches by auditID, object or user read that index, which DynamoDB updates within about a second of a write. All
    others need a cluster and a start, and read hour by hour. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        s3: "S3Client",
        bucket: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._table = table
        self._s3 = s3
        self._bucket = bucket
        self._clock = clock

    @staticmethod
    def is_indexed(search: Search) -> bool:
        """Whether there is an index for this search, so that it needs neither a cluster nor a time."""
        return bool(_indexed(search))

    def find(self, search: Search, reading: Reading, unreadable: Unreadable) -> Iterator[Found]:
        """See ArchiveReader.find. Raises ValueError for a search that has neither an index nor a cluster and a
        start."""
        items = self._by_index(search) if self.is_indexed(search) else self._by_hour(search, reading)
        matches = search.matcher()
        for item in items:
            try:
                found = self.found(item)
            except UnreadableError as error:
                unreadable(error)
                continue
            # An index value may be the digest of a long text, or a text that looks like such a digest.
            if matches(found):
                yield found

    def found(self, item: Item) -> Found:
        """What an item of the table contains. If the item only points to its line, the line is read from the bucket.

        Raises UnreadableError.
        """
        at = str(item[EVENT]["S"])[:_AT]
        place = f"{self._table}: {item[PARTITION]['S']} {item[EVENT]['S']}"
        if ASIDE in item:
            place = f"s3://{self._bucket}/{item[ASIDE]['S']}"
            packed = b"".join(object_chunks(self._s3, self._bucket, str(item[ASIDE]["S"])))
        else:
            packed = bytes(item[LINE]["B"])
        line = inflated(packed, place).rstrip(b"\n")
        return found_in(line, place, lambda *_: at)

    def _by_index(self, search: Search) -> Iterator[Item]:
        attribute, texts = _indexed(search)[0]
        values = dict.fromkeys(value for value in map(index_value, texts) if value is not None)
        if attribute == USER_SHARD:
            values = dict.fromkeys(shard for value in values for shard in user_shards(value))
        streams = [self._of_value(attribute, value, search) for value in values]
        yield from _merged(streams, search)

    def _of_value(self, attribute: str, value: str, search: Search) -> Iterator[Item]:
        batches = Batches(self._client, self._table)
        for page in self._pages(attribute, value, search, IndexName=INDEXES[attribute]):
            keys = [Key(item[PARTITION]["S"], item[EVENT]["S"]) for item in page]
            if search.cluster is not None:
                keys = [key for key in keys if key.partition.startswith(f"{search.cluster}#")]
            # A page has thousands of keys, and the caller may want only the first.
            for at in range(0, len(keys), MAX_GETS):
                wanted = keys[at : at + MAX_GETS]
                items = batches.get(wanted, self._clock() + _PATIENCE_SECONDS)
                yield from (items[key] for key in wanted if key in items)

    def _by_hour(self, search: Search, reading: Reading) -> Iterator[Item]:
        if search.cluster is None or search.start is None:
            raise ValueError("a search without an index needs a cluster and a start")
        end = search.end or datetime.fromtimestamp(self._clock(), UTC) + _AHEAD
        with ThreadPoolExecutor(SHARDS) as pool:
            for hour in hours(search, search.start, end):
                reading(hour)
                name = hour_name(search.cluster, hour)
                shards = [
                    self._pages(PARTITION, partition_of(name, shard), search, ConsistentRead=True)
                    for shard in range(SHARDS)
                ]
                # The first pages are requested side by side: most hours have no other page in most shards.
                first = pool.map(next, shards)
                streams = [_items(page, rest) for page, rest in zip(first, shards, strict=True)]
                yield from _merged(streams, search)

    def _pages(self, attribute: str, value: str, search: Search, **how: Any) -> Iterator[list[Item]]:
        """Yields the items of one key in order of time, page by page, at least one page."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#key = :value AND #event BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#key": attribute, "#event": EVENT},
            # The digest follows the time, so every event of the moment `last` sorts behind it.
            "ExpressionAttributeValues": {
                ":value": {"S": value},
                ":first": {"S": search.first},
                ":last": {"S": search.last},
            },
            "ScanIndexForward": not search.is_newest_first,
            **how,
        }
        while True:
            answer: Mapping[str, Any]
            try:
                answer = self._client.query(**request)
            except (ClientError, BotoCoreError) as error:
                raise ArchiveError(f"the table {self._table} could not be read: {error}") from error
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _merged(streams: list[Iterator[Item]], search: Search) -> Iterator[Item]:
    return heapq.merge(*streams, key=lambda item: str(item[EVENT]["S"]), reverse=search.is_newest_first)


def _indexed(search: Search) -> list[tuple[str, tuple[str, ...]]]:
    """The indexed attributes of the search with their possible values, the most selective first."""
    wanted = {
        "auditID": (search.audit_id,) if search.audit_id is not None else (),
        "object": search.object_filter.names if search.object_filter else (),
        USER_SHARD: (search.user,) if search.user is not None else (),
    }
    return [(attribute, texts) for attribute, texts in wanted.items() if texts]


def _items(page: list[Item], rest: Iterator[list[Item]]) -> Iterator[Item]:
    yield from page
    for further in rest:
        yield from further
