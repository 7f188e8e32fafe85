"""An event as an item of the archive table: its keys, its indexes, its largest size.

Clients choose all values in keys and indexes, except the partition key. DynamoDB refuses the whole request if an index
value is empty or longer than 2,048 bytes. So every value is made to fit here.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditwire.archive.store import Record
    from auditwire.events import ObjectRef

Item = dict[str, Any]
"""Attributes as DynamoDB represents them: name → type → value."""

SHARDS: Final = 8
"""Partitions per cluster and hour. A reader looks into all of them, so this number must never change."""

PARTITION: Final = "partition"
EVENT: Final = "event"
LINE: Final = "line"
ASIDE: Final = "aside"
EXPIRES: Final = "expires"

USER_SHARD: Final = "userShard"
"""The user, ``#`` and a shard. One user may make most of a cluster's requests, and one value of an index takes no more
than 1,000 writes a second."""

INDEXES: Final = {"auditID": "by-audit-id", USER_SHARD: "by-user", "object": "by-object"}
"""Each indexed attribute with its index. An index has the table's sort key, so its items are in order of time."""

MAX_VALUE_LENGTH: Final = 1024
"""The longest index value, in bytes of UTF-8, that is stored unchanged."""

MAX_LINE_BYTES: Final = 396 * 1024
"""The longest gzipped line, in bytes, that is stored in the item itself. The rest of an item, names included, has less
than 4 kB, and DynamoDB refuses items of more than 400 kB."""


class Key(NamedTuple):
    """The key of an item: ``prod#2026-11-21T22#5`` and ``2026-11-21T22:05:00.100000Z#<digest>``."""

    partition: str
    event: str

    def attributes(self) -> Item:
        """The key as DynamoDB represents it."""
        return {PARTITION: {"S": self.partition}, EVENT: {"S": self.event}}


def hour_name(cluster: str, hour: str) -> str:
    """The start of the partition keys of a cluster's hour (``2026-11-21T22``)."""
    return f"{cluster}#{hour}"


def partition_of(hour: str, shard: int) -> str:
    """The partition key of one shard; ``hour`` is an hour_name."""
    return f"{hour}#{shard}"


def key_of(hour: str, record: "Record", shards: int) -> Key:
    """The key of an event. It does not depend on the batch, nor on when the event comes."""
    digest = record.event.digest
    return Key(partition_of(hour, int(digest[:2], 16) % shards), f"{record.at}#{digest}")


def object_name(ref: "ObjectRef") -> str:
    """An object's name in the index: resource and API group, namespace, name, as far as the reference has them.

    ``pods/shop/web-1``, ``deployments.apps/shop/web``, ``nodes/worker-1``. A request about all secrets of a namespace
    is ``secrets/shop``, one about all secrets of the cluster ``secrets``. A subresource is indexed as its object. Empty
    if there is no resource.
    """
    if not ref.resource:
        return ""
    resource = f"{ref.resource}.{ref.apiGroup}" if ref.apiGroup else ref.resource
    # For a request about a namespace, Kubernetes names that namespace as the request's namespace too.
    namespace = "" if ref.resource == "namespaces" and ref.namespace == ref.name else ref.namespace
    return "/".join(part for part in (resource, namespace, ref.name) if part)


def user_shards(value: str) -> list[str]:
    """All values of the attribute USER_SHARD that events of a user can have; ``value`` is the user's index value."""
    return [f"{value}#{shard}" for shard in range(SHARDS)]


def index_value(text: str) -> str | None:
    """The text as an index value: None if it is empty, ``sha256:`` and 64 digits if it is too long."""
    if not text:
        return None
    # A lone surrogate is not UTF-8 and cannot be sent to DynamoDB.
    encoded = text.encode(errors="surrogatepass")
    is_fit = len(encoded) <= MAX_VALUE_LENGTH and encoded.decode(errors="replace") == text
    return text if is_fit else f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def item_of(key: Key, record: "Record", content: "Mapping[str, Any]", expires: int) -> Item:
    """The item: its key, its indexed values, its content (LINE or ASIDE), and the second at which it expires."""
    found_by = {name: {"S": value} for name, value in _found_by(record)}
    return {**key.attributes(), **found_by, **content, EXPIRES: {"N": str(expires)}}


def _found_by(record: "Record") -> "Iterator[tuple[str, str]]":
    event = record.event
    texts = {"auditID": event.auditID, "user": event.user.username or "", "object": object_name(event.objectRef)}
    for name, text in texts.items():
        value = index_value(text)
        if value is not None:
            yield name, value
            if name == "user":
                yield USER_SHARD, user_shards(value)[int(event.digest[:2], 16) % SHARDS]
