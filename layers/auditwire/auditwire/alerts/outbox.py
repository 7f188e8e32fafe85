"""The outbox: alerts that SNS did not take in time, stored beside the archive until it does.

One object holds what is left of one batch, one message per line, exactly as it would have been published. Its key is
the SHA-256 of these lines. So a repeated batch finds its own object, and the key contains nothing that a client chose.
Messages that SNS refuses as invalid are set aside below ``outbox/refused/``, where they are not tried again.
"""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.errors import OutboxError
from auditwire.alerts.message import Message
from auditwire.aws.conditional_put import conditional_put
from auditwire.aws.errors import status_of
from auditwire.aws.listing import objects_below
from auditwire.events import BodyError, inflate
from auditwire.events.gzipping import gzip_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "outbox/"
REFUSED: Final = "outbox/refused/"

_WAITING_KEY = re.compile(r"outbox/[0-9a-f]{64}\.jsonl\.gz")
# Five hundred messages of 200,000 bytes, plus what escaping JSON within JSON adds.
_MAX_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An object that waits in the outbox, and when it was last written."""

    key: str
    written: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A summary of the outbox: the objects that wait, oldest first, and the number of objects with refused messages."""

    waiting: tuple[OutboxEntry, ...]
    refused: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The messages of an object, when the first of its batch were put there, and the version that was read."""

    messages: tuple[Message, ...]
    since: datetime
    version: str


class Outbox(Protocol):
    """Where ingest stores what SNS does not take. All methods raise OutboxError if they fail."""

    def hold(self, messages: Sequence[Message]) -> bool:
        """Stores messages until they are published. Returns False if they are there already."""

    def set_aside(self, messages: Sequence[Message]) -> None:
        """Stores messages that SNS has refused as invalid. They are not tried again."""


class HeldMessages(Outbox, Protocol):
    """The outbox as its publisher uses it."""

    def listing(self) -> Listing:
        """What the outbox holds now."""

    def read(self, entry: OutboxEntry) -> Contents | None:
        """The contents of an entry; None if it is gone."""

    def replace(self, entry: OutboxEntry, seen: Contents, messages: Sequence[Message]) -> bool:
        """Replaces the messages ``seen`` by fewer. Returns False, and changes nothing, if the object is another version
        by now."""

    def remove(self, entry: OutboxEntry) -> None:
        """Removes an entry, once all its messages are published or set aside."""


class NoOutbox:
    """For callers that have no outbox: what SNS does not take stays where it came from."""

    def hold(self, messages: Sequence[Message]) -> bool:
        """Always raises OutboxError."""
        raise OutboxError(f"there is no outbox for {len(messages)} alerts")

    def set_aside(self, messages: Sequence[Message]) -> None:
        """Always raises OutboxError."""
        raise OutboxError(f"there is no outbox for {len(messages)} alerts")


class S3Outbox:
    """An outbox in one bucket. Timeouts and retries of single requests are set in the client.

    ``sleep`` waits seconds before a put that met another writer is repeated.
    """

    def __init__(self, client: "S3Client", bucket: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._bucket = bucket
        self._sleep = sleep

    def hold(self, messages: Sequence[Message]) -> bool:
        """See Outbox.hold."""
        return self._put(outbox_key(messages), messages, {"IfNoneMatch": "*"})

    def set_aside(self, messages: Sequence[Message]) -> None:
        """See Outbox.set_aside."""
        self._put(outbox_key(messages, REFUSED), messages, {"IfNoneMatch": "*"})

    def listing(self) -> Listing:
        """See HeldMessages.listing."""
        waiting: list[OutboxEntry] = []
        refused = 0
        try:
            for listed in objects_below(self._client, self._bucket, PREFIX):
                refused += listed["Key"].startswith(REFUSED)
                if _WAITING_KEY.fullmatch(listed["Key"]):
                    waiting.append(OutboxEntry(listed["Key"], listed["LastModified"]))
        except (ClientError, BotoCoreError) as error:
            raise self._failure(PREFIX, "listed", str(error)) from error
        return Listing(_oldest_first(waiting), refused)

    def read(self, entry: OutboxEntry) -> Contents | None:
        """See HeldMessages.read."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=entry.key)
            packed, metadata, version = answer["Body"].read(), answer["Metadata"], answer["ETag"]
        except ClientError as error:
            if status_of(error) == 404:
                return None
            raise self._failure(entry.key, "read", str(error)) from error
        except BotoCoreError as error:
            raise self._failure(entry.key, "read", str(error)) from error
        try:
            return Contents(decode_messages(packed), _since(metadata, answer["LastModified"]), version)
        except ValueError as error:
            raise self._failure(entry.key, "read", f"it is damaged: {error}") from error

    def replace(self, entry: OutboxEntry, seen: Contents, messages: Sequence[Message]) -> bool:
        """See HeldMessages.replace."""
        return self._put(entry.key, messages, {"IfMatch": seen.version}, {"since": seen.since.isoformat()})

    def remove(self, entry: OutboxEntry) -> None:
        """See HeldMessages.remove."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=entry.key)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(entry.key, "removed", str(error)) from error

    def _put(
        self,
        key: str,
        messages: Sequence[Message],
        condition: Mapping[str, str],
        metadata: Mapping[str, str] | None = None,
    ) -> bool:
        """Whether this was written; False if the condition does not hold."""
        request: Any = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": encode_messages(messages),
            "ContentType": "application/gzip",
            "Metadata": metadata or {},
            **condition,
        }
        try:
            return conditional_put(self._client, request, self._sleep) is not None
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, "written", str(error)) from error

    def _failure(self, key: str, what: str, why: str) -> OutboxError:
        return OutboxError(f"s3://{self._bucket}/{key} could not be {what}: {why}")


@dataclass(slots=True)
class MemoryOutbox:
    """An outbox in memory, for tests and experiments. It has the same keys as one in S3."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    objects: dict[str, Contents] = field(default_factory=dict)

    def hold(self, messages: Sequence[Message]) -> bool:
        """See Outbox.hold."""
        key = outbox_key(messages)
        is_new = key not in self.objects
        self._keep(key, messages, self.now())
        return is_new

    def set_aside(self, messages: Sequence[Message]) -> None:
        """See Outbox.set_aside."""
        self._keep(outbox_key(messages, REFUSED), messages, self.now())

    def listing(self) -> Listing:
        """See HeldMessages.listing."""
        waiting = [OutboxEntry(key, kept.since) for key, kept in self.objects.items() if _WAITING_KEY.fullmatch(key)]
        return Listing(_oldest_first(waiting), len(self.objects) - len(waiting))

    def read(self, entry: OutboxEntry) -> Contents | None:
        """See HeldMessages.read."""
        return self.objects.get(entry.key)

    def replace(self, entry: OutboxEntry, seen: Contents, messages: Sequence[Message]) -> bool:
        """See HeldMessages.replace."""
        if self.objects.get(entry.key) != seen:
            return False
        del self.objects[entry.key]
        self._keep(entry.key, messages, seen.since)
        return True

    def remove(self, entry: OutboxEntry) -> None:
        """See HeldMessages.remove."""
        self.objects.pop(entry.key, None)

    def _keep(self, key: str, messages: Sequence[Message], since: datetime) -> None:
        version = hashlib.sha256(encode_messages(messages)).hexdigest()
        self.objects.setdefault(key, Contents(tuple(messages), since, version))


def outbox_key(messages: Sequence[Message], prefix: str = PREFIX) -> str:
    """``outbox/<digest>.jsonl.gz``, or the same below ``outbox/refused/``; the digest is that of the messages."""
    return f"{prefix}{hashlib.sha256(_lines(messages)).hexdigest()}.jsonl.gz"


def encode_messages(messages: Sequence[Message]) -> bytes:
    """Messages as gzipped JSON lines. The same messages give the same bytes."""
    return gzip_bytes(_lines(messages))


def decode_messages(packed: bytes) -> tuple[Message, ...]:
    """Reads what encode_messages wrote. Raises ValueError for anything else."""
    if not packed:
        message = "it is empty"
        raise ValueError(message)
    try:
        lines = inflate(packed, "gzip", limit=_MAX_BYTES)
    except BodyError as error:
        raise ValueError(str(error)) from error
    return tuple(_message(orjson.loads(line)) for line in lines.splitlines())


def _message(found: Any) -> Message:
    match found:
        case {"message": str(body), "attributes": dict(attributes)} if all(
            isinstance(value, str) for value in attributes.values()
        ):
            return Message(body, attributes)
    message = "a line is not a message"
    raise ValueError(message)


def _lines(messages: Sequence[Message]) -> bytes:
    return b"".join(orjson.dumps({"message": one.body, "attributes": dict(one.attributes)}) + b"\n" for one in messages)


def _oldest_first(entries: list[OutboxEntry]) -> tuple[OutboxEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.written, entry.key)))


def _since(metadata: Mapping[str, str], written: datetime) -> datetime:
    """When the messages came into the outbox. A rewritten object has that time in its metadata."""
    try:
        since = datetime.fromisoformat(metadata["since"])
    except (KeyError, ValueError):
        return written
    return since if since.tzinfo else written
