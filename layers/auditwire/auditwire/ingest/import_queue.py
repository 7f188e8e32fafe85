"""The queue of objects to import: what S3 says of a new one, and what is left of one that was begun."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from auditwire.clusters import SentBy
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Ingest
from auditwire.ingest.objects import MAX_OBJECT, Taken, Taking, owner_of, take_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CHUNK: Final = 256 * 1024


class ImportRefusedError(Exception):
    """An object cannot be imported, however often it is tried: its message ends in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class Order:
    """An object to import. ``skip`` is how many pieces of it are stored already, if it is still the one with this
    ``etag``."""

    bucket: str
    key: str
    skip: int = 0
    etag: str = ""

    @classmethod
    def of_message(cls, text: str) -> "Order":
        """The order in a message: an event of S3 as EventBridge delivers it, a notification of S3 itself, or what
        ``as_text`` made. Raises ImportRefusedError for anything else."""
        try:
            said: Any = json.loads(text)
            if "Records" in said:
                about = said["Records"][0]["s3"]
                found = about["object"]
                return cls(about["bucket"]["name"], unquote(found["key"].replace("+", " ")))
            about = said["detail"]
            found = about["object"]
            return cls(about["bucket"]["name"], found["key"], int(found.get("skip", 0)), found.get("etag", ""))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ImportRefusedError("the message names no object") from error

    def as_text(self) -> str:
        """The message for what is left of the object."""
        found = {"key": self.key, "skip": self.skip, "etag": self.etag}
        return json.dumps({"detail": {"bucket": {"name": self.bucket}, "object": found}})


@dataclass(frozen=True, slots=True)
class Opened:
    """An object that is read: when it was stored, its size and its bytes."""

    stored: datetime
    size: int
    etag: str
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class ImportQueue:
    """Where objects are read from, and what is left of one goes to."""

    s3: "S3Client"
    sqs: "SQSClient"
    queue_url: str

    def open(self, order: Order) -> Opened:
        """Opens an object. Raises errors of botocore."""
        answer = self.s3.get_object(Bucket=order.bucket, Key=order.key)
        chunks = answer["Body"].iter_chunks(_CHUNK)
        return Opened(answer["LastModified"], answer["ContentLength"], answer["ETag"].strip('"'), chunks)

    def put(self, order: Order) -> None:
        """Sends an order. Raises errors of botocore."""
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=order.as_text())


def take_order(
    ingest: Ingest,
    queue: ImportQueue,
    order: Order,
    *,
    quiet_before: datetime,
    deadline: float,
    told: Callable[[Account], None],
) -> Taken:
    """Takes an object. What is left of it at the deadline goes back to the queue as an order of its own.

    Raises ImportRefusedError for an object of nobody and for one that is too large, and what take_object, the directory
    and botocore raise.
    """
    owner = owner_of(ingest, order.bucket, order.key)
    if owner is None:
        raise ImportRefusedError(f"no cluster has a prefix of s3://{order.bucket}/{order.key}")
    cluster, credential = owner
    opened = queue.open(order)
    if opened.size > MAX_OBJECT:
        raise ImportRefusedError(f"s3://{order.bucket}/{order.key} has {opened.size:,} bytes: use `auditwire import`")
    taking = Taking(cluster, opened.stored, quiet_before, deadline)
    skip = order.skip if order.etag == opened.etag else 0
    taken = take_object(ingest, opened.chunks, taking, skip=skip, told=told)
    if not taken.is_whole:
        queue.put(replace(order, skip=taken.pieces, etag=opened.etag))
    sent_by = SentBy("S3", taken.account.sender_version)
    ingest.directory.note_use(credential, taken.account.received, lambda: sent_by, float("inf"))
    return taken
