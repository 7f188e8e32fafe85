"""What S3 tells of objects that arrived: where to look for them, and nothing else.

A notification that comes twice or late changes nothing, and what a lost one would have told is found when the archive
is swept.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from auditwire.aws.attempts import MAX_SIDE_BY_SIDE, side_by_side
from auditwire.evidence.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
    )

MAX_NOTICES: Final = 100_000
"""SQS hands out no more than 120,000 messages that are not deleted."""

# Whatever lies there: what is no object of events is sealed too.
_PLACE: Final = re.compile(r"events/cluster=([a-z0-9-]{1,63})/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/hour=([0-9]{2})/")
_AT_ONCE: Final = 10
_EMPTY_HANDED: Final = 2
"""SQS may say that there is nothing while there is; who hears it twice believes it."""


class _Object(msgspec.Struct):
    key: str


class _S3(msgspec.Struct):
    object: _Object


class _Record(msgspec.Struct):
    eventTime: datetime
    s3: _S3


class _Message(msgspec.Struct):
    """What S3 sends (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html); its
    test message has no records."""

    Records: tuple[_Record, ...] = ()


_messages = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object that arrived: whose it is, the hour it is filed under (``2026-11-21T22``), and when S3 told of it."""

    cluster: str
    hour: str
    told: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of the queue: how to delete it, and what it tells; nothing, where it is none of S3's."""

    handle: str
    arrivals: tuple[Arrival, ...]


def parse_notice(handle: str, body: str) -> Notice:
    """What a message tells. Anybody's message is read."""
    try:
        records = _messages.decode(body).Records
    except msgspec.DecodeError:
        return Notice(handle, ())
    found = []
    for record in records:
        place = _PLACE.match(unquote_plus(record.s3.object.key))
        if place is not None and record.eventTime.tzinfo is not None:
            found.append(Arrival(place[1], f"{place[2]}T{place[3]}", record.eventTime))
    return Notice(handle, tuple(found))


class ArrivalsQueue:
    """The queue of notifications."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def take(self) -> Iterator[Notice]:
        """What waits in the queue, MAX_NOTICES or a few more. Nobody else gets it for a while. Raises EvidenceError."""
        count = empty_handed = 0
        while empty_handed < _EMPTY_HANDED and count < MAX_NOTICES:
            answers = side_by_side([self._receive] * MAX_SIDE_BY_SIDE, "arrivals")
            found = [notice for answer in answers for notice in answer]
            empty_handed = 0 if found else empty_handed + 1
            count += len(found)
            yield from found

    def delete(self, handles: Iterable[str]) -> None:
        """Deletes messages. Raises EvidenceError."""
        self._each_ten(handles, self._delete)

    def give_back(self, handles: Iterable[str]) -> None:
        """Lets messages be taken again at once. Raises EvidenceError."""
        self._each_ten(handles, self._give_back)

    def _each_ten(self, handles: Iterable[str], do: "Callable[[list[str]], None]") -> None:
        left = list(handles)
        side_by_side(
            [partial(do, left[start : start + _AT_ONCE]) for start in range(0, len(left), _AT_ONCE)], "arrivals"
        )

    def _receive(self) -> list[Notice]:
        try:
            answer = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=0)
        except (ClientError, BotoCoreError) as error:
            raise EvidenceError(f"{self._url}: could not be read: {error}") from error
        return [parse_notice(one["ReceiptHandle"], one["Body"]) for one in answer.get("Messages", [])]

    # What one of the two has not been done to comes again later, which does no harm.

    def _delete(self, handles: list[str]) -> None:
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)
        ]
        try:
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise EvidenceError(f"{self._url}: messages could not be deleted: {error}") from error

    def _give_back(self, handles: list[str]) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for number, handle in enumerate(handles)
        ]
        try:
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise EvidenceError(f"{self._url}: messages could not be given back: {error}") from error
