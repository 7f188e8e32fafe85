"""One event as an item of the archive table: its keys, what it is found by, and how large it may be.

What stands in keys and indexes is chosen by clients (all but the partition key), and DynamoDB refuses an empty index
value and one of more than 2,048 bytes, with the whole request. So every value is made fit here, whatever it is.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditwire.archive.store import Record
    from auditwire.events import ObjectRef

Item = dict[str, Any]
"""Attributes as DynamoDB takes them: name → type → value."""

SHARDS: Final = 8
"""Partitions of one cluster and hour. A reader looks into as many, so the number stays what it is for good."""

PARTITION: Final = "partition"
EVENT: Final = "event"
LINE: Final = "line"
ASIDE: Final = "aside"
EXPIRES: Final = "expires"

INDEXES: Final = {"auditID": "by-audit-id", "user": "by-user", "object": "by-object"}
"""Attribute → the index by it. Their items are ordered by the sort key of the table, so by time."""

MAX_VALUE_LENGTH: Final = 1024
"""Bytes of UTF-8 of an index value that stands in the item as it is."""

MAX_LINE_BYTES: Final = 396 * 1024
"""Bytes of a gzipped line that stands in the item. The rest of an item, names included, has less than 4 kB, and an
item of more than 400 kB is refused."""


class Key(NamedTuple):
    """Where an item is: ``prod#2026-11-21T22#5`` and ``2026-11-21T22:05:00.100000Z#<digest>``."""

    partition: str
    event: str

    def attributes(self) -> Item:
        """The key as DynamoDB takes it."""
        return {PARTITION: {"S": self.partition}, EVENT: {"S": self.event}}


def hour_name(cluster: str, hour: str) -> str:
    """What the partition keys of a cluster's hour (``2026-11-21T22``) begin with."""
    return f"{cluster}#{hour}"


def partition_of(hour: str, shard: int) -> str:
    """The partition key of one shard; ``hour`` is an hour_name."""
    return f"{hour}#{shard}"


def key_of(hour: str, record: "Record", shards: int) -> Key:
    """The key of an event: the same one whenever it comes, whatever it is sent together with."""
    digest = record.event.digest
    return Key(partition_of(hour, int(digest[:2], 16) % shards), f"{record.at}#{digest}")


def object_name(ref: "ObjectRef") -> str:
    """What an object is called in its index: resource and API group, namespace, name, as far as there are any.

    ``pods/shop/web-1``, ``deployments.apps/shop/web``, ``nodes/worker-1``; ``secrets/shop`` is a request about all
    secrets of a namespace, ``secrets`` about all there are. A subresource is its object's. Empty where there is no
    resource.
    """
    if not ref.resource:
        return ""
    resource = f"{ref.resource}.{ref.apiGroup}" if ref.apiGroup else ref.resource
    # Kubernetes says of a request about a namespace that it is in that namespace.
    namespace = "" if ref.resource == "namespaces" and ref.namespace == ref.name else ref.namespace
    return "/".join(part for part in (resource, namespace, ref.name) if part)


def index_value(text: str) -> str | None:
    """The text as it stands in an index: None where it is empty, ``sha256:`` and 64 digits where it is too long."""
    if not text:
        return None
    # Half a character is no UTF-8, and nothing that could be sent to DynamoDB.
    encoded = text.encode(errors="surrogatepass")
    is_fit = len(encoded) <= MAX_VALUE_LENGTH and encoded.decode(errors="replace") == text
    return text if is_fit else f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def item_of(key: Key, record: "Record", content: "Mapping[str, Any]", expires: int) -> Item:
    """The item: its key, what it is found by, its content (LINE or ASIDE), and the second at which it expires."""
    found_by = {name: {"S": value} for name, value in _found_by(record)}
    return {**key.attributes(), **found_by, **content, EXPIRES: {"N": str(expires)}}


def _found_by(record: "Record") -> "Iterator[tuple[str, str]]":
    event = record.event
    texts = {"auditID": event.auditID, "user": event.user.username or "", "object": object_name(event.objectRef)}
    for name, text in texts.items():
        value = index_value(text)
        if value is not None:
            yield name, value
