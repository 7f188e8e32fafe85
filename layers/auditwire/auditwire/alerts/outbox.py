"""The outbox: alerts that SNS did not take in time, stored beside the archive until it does.

One object holds what is left of one batch, one message per line, exactly as it would have been published. Its key is
the SHA-256 of these lines. So a repeated batch finds its own object, and the key contains nothing that a client chose.
Messages that SNS refuses as invalid are set aside below ``outbox/refused/``, where they are not tried again. Below
``outbox/unjudged/`` are matches of rules with thresholds that could not be judged in time.
"""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.errors import OutboxError
from auditwire.alerts.message import Message
from auditwire.alerts.unjudged import Unjudged, decode_unjudged, encode_unjudged
from auditwire.aws.conditional_put import conditional_put
from auditwire.aws.errors import status_of
from auditwire.aws.listing import objects_below
from auditwire.events import BodyError, inflate
from auditwire.events.gzipping import gzip_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "outbox/"
REFUSED: Final = "outbox/refused/"
UNJUDGED: Final = "outbox/unjudged/"

_WAITING_KEY = re.compile(r"outbox/[0-9a-f]{64}\.jsonl\.gz")
_UNJUDGED_KEY = re.compile(r"outbox/unjudged/[0-9a-f]{64}\.jsonl\.gz")
# Five hundred messages of 200,000 bytes, plus what escaping JSON within JSON adds.
_MAX_BYTES: Final = 256 << 20


_Held = TypeVar("_Held")
_Contents = TypeVar("_Contents", "Contents", "UnjudgedContents")


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An object that waits in the outbox, and when it was last written."""

    key: str
    written: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A summary of the outbox: the objects that wait, the number of objects with refused messages, and the objects with
    matches that are not judged yet. Oldest first."""

    waiting: tuple[OutboxEntry, ...]
    refused: int
    unjudged: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """The messages of an object, when the first of its batch were put there, and the version that was read."""

    messages: tuple[Message, ...]
    since: datetime
    version: str


@dataclass(frozen=True, slots=True)
class UnjudgedContents:
    """The same for an object of matches that are not judged yet."""

    facts: tuple[Unjudged, ...]
    since: datetime
    version: str


class Outbox(Protocol):
    """Where ingest stores what SNS does not take. All methods raise OutboxError if they fail."""

    def hold(self, messages: Sequence[Message]) -> bool:
        """Stores messages until they are published. Returns False if they are there already."""

    def set_aside(self, messages: Sequence[Message]) -> None:
        """Stores messages that SNS has refused as invalid. They are not tried again."""

    def hold_unjudged(self, facts: Sequence[Unjudged]) -> None:
        """Stores matches until they are judged."""


class HeldMessages(Outbox, Protocol):
    """The outbox as its publisher uses it."""

    def listing(self) -> Listing:
        """What the outbox holds now."""

    def read(self, entry: OutboxEntry) -> Contents | None:
        """The contents of an entry; None if it is gone."""

    def replace(self, entry: OutboxEntry, seen: Contents, messages: Sequence[Message]) -> bool:
        """Replaces the messages ``seen`` by fewer. Returns False, and changes nothing, if the object is another version
        by now."""

    def read_unjudged(self, entry: OutboxEntry) -> UnjudgedContents | None:
        """The contents of an entry of matches; None if it is gone."""

    def replace_unjudged(self, entry: OutboxEntry, seen: UnjudgedContents, facts: Sequence[Unjudged]) -> bool:
        """The same as ``replace``, for matches."""

    def remove(self, entry: OutboxEntry) -> None:
        """Removes an entry, once everything in it is published, set aside or judged."""


class NoOutbox:
    """For callers that have no outbox: what SNS does not take stays where it came from."""

    def hold(self, messages: Sequence[Message]) -> bool:
        """Always raises OutboxError."""
        raise OutboxError(f"there is no outbox for {len(messages)} alerts")

    def set_aside(self, messages: Sequence[Message]) -> None:
        """Always raises OutboxError."""
        raise OutboxError(f"there is no outbox for {len(messages)} alerts")

    def hold_unjudged(self, facts: Sequence[Unjudged]) -> None:
        """Always raises OutboxError."""
        raise OutboxError(f"there is no outbox for matches of {len(facts)} groups")


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
        return self._put(outbox_key(messages), encode_messages(messages), {"IfNoneMatch": "*"})

    def set_aside(self, messages: Sequence[Message]) -> None:
        """See Outbox.set_aside."""
        self._put(outbox_key(messages, REFUSED), encode_messages(messages), {"IfNoneMatch": "*"})

    def hold_unjudged(self, facts: Sequence[Unjudged]) -> None:
        """See Outbox.hold_unjudged."""
        lines = encode_unjudged(facts)
        self._put(unjudged_key(lines), gzip_bytes(lines), {"IfNoneMatch": "*"})

    def listing(self) -> Listing:
        """See HeldMessages.listing."""
        try:
            entries = [
                OutboxEntry(listed["Key"], listed["LastModified"])
                for listed in objects_below(self._client, self._bucket, PREFIX)
            ]
        except (ClientError, BotoCoreError) as error:
            raise self._failure(PREFIX, "listed", str(error)) from error
        return _listing(entries)

    def read(self, entry: OutboxEntry) -> Contents | None:
        """See HeldMessages.read."""
        return self._read(entry, decode_messages, Contents)

    def replace(self, entry: OutboxEntry, seen: Contents, messages: Sequence[Message]) -> bool:
        """See HeldMessages.replace."""
        return self._replace(entry, seen, encode_messages(messages))

    def read_unjudged(self, entry: OutboxEntry) -> UnjudgedContents | None:
        """See HeldMessages.read_unjudged."""
        return self._read(entry, lambda packed: decode_unjudged(_inflated(packed)), UnjudgedContents)

    def replace_unjudged(self, entry: OutboxEntry, seen: UnjudgedContents, facts: Sequence[Unjudged]) -> bool:
        """See HeldMessages.replace_unjudged."""
        return self._replace(entry, seen, gzip_bytes(encode_unjudged(facts)))

    def remove(self, entry: OutboxEntry) -> None:
        """See HeldMessages.remove."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=entry.key)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(entry.key, "removed", str(error)) from error

    def _read(
        self,
        entry: OutboxEntry,
        decode: Callable[[bytes], _Held],
        contents: Callable[[_Held, datetime, str], _Contents],
    ) -> _Contents | None:
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
            return contents(decode(packed), _since(metadata, answer["LastModified"]), version)
        except ValueError as error:
            raise self._failure(entry.key, "read", f"it is damaged: {error}") from error

    def _replace(self, entry: OutboxEntry, seen: Contents | UnjudgedContents, packed: bytes) -> bool:
        return self._put(entry.key, packed, {"IfMatch": seen.version}, {"since": seen.since.isoformat()})

    def _put(
        self, key: str, packed: bytes, condition: Mapping[str, str], metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Whether this was written; False if the condition does not hold."""
        request: Any = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": packed,
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
    unjudged: dict[str, UnjudgedContents] = field(default_factory=dict)

    def hold(self, messages: Sequence[Message]) -> bool:
        """See Outbox.hold."""
        key = outbox_key(messages)
        is_new = key not in self.objects
        self._keep(key, messages, self.now())
        return is_new

    def set_aside(self, messages: Sequence[Message]) -> None:
        """See Outbox.set_aside."""
        self._keep(outbox_key(messages, REFUSED), messages, self.now())

    def hold_unjudged(self, facts: Sequence[Unjudged]) -> None:
        """See Outbox.hold_unjudged."""
        key = unjudged_key(encode_unjudged(facts))
        self.unjudged.setdefault(key, UnjudgedContents(tuple(facts), self.now(), key))

    def listing(self) -> Listing:
        """See HeldMessages.listing."""
        since = {key: kept.since for key, kept in self.objects.items()}
        since |= {key: kept.since for key, kept in self.unjudged.items()}
        return _listing([OutboxEntry(key, moment) for key, moment in since.items()])

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

    def read_unjudged(self, entry: OutboxEntry) -> UnjudgedContents | None:
        """See HeldMessages.read_unjudged."""
        return self.unjudged.get(entry.key)

    def replace_unjudged(self, entry: OutboxEntry, seen: UnjudgedContents, facts: Sequence[Unjudged]) -> bool:
        """See HeldMessages.replace_unjudged."""
        if self.unjudged.get(entry.key) != seen:
            return False
        self.unjudged[entry.key] = UnjudgedContents(tuple(facts), seen.since, unjudged_key(encode_unjudged(facts)))
        return True

    def remove(self, entry: OutboxEntry) -> None:
        """See HeldMessages.remove."""
        self.objects.pop(entry.key, None)
        self.unjudged.pop(entry.key, None)

    def _keep(self, key: str, messages: Sequence[Message], since: datetime) -> None:
        version = hashlib.sha256(encode_messages(messages)).hexdigest()
        self.objects.setdefault(key, Contents(tuple(messages), since, version))


def outbox_key(messages: Sequence[Message], prefix: str = PREFIX) -> str:
    """``outbox/<digest>.jsonl.gz``, or the same below ``outbox/refused/``; the digest is that of the messages."""
    return f"{prefix}{hashlib.sha256(_lines(messages)).hexdigest()}.jsonl.gz"


def unjudged_key(lines: bytes) -> str:
    """``outbox/unjudged/<digest>.jsonl.gz``; the digest is that of the lines."""
    return f"{UNJUDGED}{hashlib.sha256(lines).hexdigest()}.jsonl.gz"


def encode_messages(messages: Sequence[Message]) -> bytes:
    """Messages as gzipped JSON lines. The same messages give the same bytes."""
    return gzip_bytes(_lines(messages))


def decode_messages(packed: bytes) -> tuple[Message, ...]:
    """Reads what encode_messages wrote. Raises ValueError for anything else."""
    return tuple(_message(orjson.loads(line)) for line in _inflated(packed).splitlines())


def _inflated(packed: bytes) -> bytes:
    """The lines of an object. Raises ValueError for an empty or damaged one."""
    if not packed:
        message = "it is empty"
        raise ValueError(message)
    try:
        return inflate(packed, "gzip", limit=_MAX_BYTES)
    except BodyError as error:
        raise ValueError(str(error)) from error


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


def _listing(entries: Sequence[OutboxEntry]) -> Listing:
    ordered = sorted(entries, key=lambda entry: (entry.written, entry.key))
    return Listing(
        tuple(entry for entry in ordered if _WAITING_KEY.fullmatch(entry.key)),
        sum(entry.key.startswith(REFUSED) for entry in ordered),
        tuple(entry for entry in ordered if _UNJUDGED_KEY.fullmatch(entry.key)),
    )


def _since(metadata: Mapping[str, str], written: datetime) -> datetime:
    """When the messages came into the outbox. A rewritten object has that time in its metadata."""
    try:
        since = datetime.fromisoformat(metadata["since"])
    except (KeyError, ValueError):
        return written
    return since if since.tzinfo else written
