"""Reading and writing many items of one table: in the largest requests the table accepts, side by side, until all are
done or the time is up.

DynamoDB may answer a request in part. It returns what it had no capacity for, and that part is requested again a little
later.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError
from auditwire.archive.items import EVENT, PARTITION, Item, Key
from auditwire.aws.attempts import attempts, side_by_side
from auditwire.aws.errors import code_of, status_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_PUTS: Final = 25
"""Items in one BatchWriteItem. 25 of the largest stay well below its limit of 16 MB."""

MAX_GETS: Final = 100
"""Keys in one BatchGetItem."""

# These errors pass, like any 5xx answer and any request without an answer. Other refusals would only come again.
_BUSY: Final = frozenset(("ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"))
_UNANSWERED: Final = (exceptions.ConnectionError, exceptions.HTTPClientError)

_Part = TypeVar("_Part")


class Batches:
    """Reads and writes items of one table. The timeout of a single request is set in the client.

    ``clock`` gives seconds since the epoch, ``sleep`` waits seconds between attempts. All methods raise ArchiveError
    for what could not be done by ``deadline``. The first attempt of each request is always made; no retry begins after
    the deadline.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def present(self, keys: Iterable[Key], deadline: float) -> set[Key]:
        """Those of the keys that have an item now."""
        names = {"ProjectionExpression": "#p, #e", "ExpressionAttributeNames": {"#p": PARTITION, "#e": EVENT}}
        return set(self._read(keys, {"ConsistentRead": True, **names}, deadline))

    def get(self, keys: Iterable[Key], deadline: float) -> dict[Key, Item]:
        """The items that exist under these keys."""
        return self._read(keys, {"ConsistentRead": True}, deadline)

    def put(self, items: Iterable[Item], deadline: float) -> None:
        """Writes the items, replacing what is there. Their keys must differ."""

        def ask(waiting: Sequence[Item]) -> list[Item]:
            puts: Any = [{"PutRequest": {"Item": item}} for item in waiting]
            answer: Any = self._client.batch_write_item(RequestItems={self._table: puts})
            return [left["PutRequest"]["Item"] for left in answer["UnprocessedItems"].get(self._table, ())]

        self._all("stored", ask, items, MAX_PUTS, deadline)

    def _read(self, keys: Iterable[Key], how: dict[str, Any], deadline: float) -> dict[Key, Item]:
        found: dict[Key, Item] = {}

        def ask(wanted: Sequence[Key]) -> list[Key]:
            request: Any = {"Keys": [key.attributes() for key in wanted], **how}
            answer: Any = self._client.batch_get_item(RequestItems={self._table: request})
            found.update((_key(item), item) for item in answer["Responses"].get(self._table, ()))
            return [_key(key) for key in answer["UnprocessedKeys"].get(self._table, {}).get("Keys", ())]

        self._all("read", ask, keys, MAX_GETS, deadline)
        return found

    def _all(
        self,
        what: str,
        ask: Callable[[Sequence[_Part]], list[_Part]],
        parts: Iterable[_Part],
        most: int,
        deadline: float,
    ) -> None:
        """Requests all parts, ``most`` at a time. Parts that ``ask`` returns are requested again."""
        waiting = iter(parts)
        requests = iter(lambda: list(islice(waiting, most)), [])
        side_by_side([partial(self._until_done, what, ask, request, deadline) for request in requests], "archive")

    def _until_done(
        self, what: str, ask: Callable[[Sequence[_Part]], list[_Part]], parts: Sequence[_Part], deadline: float
    ) -> None:
        cause: Exception | None = None
        for _ in attempts(deadline, self._clock, self._sleep):
            cause = None
            try:
                parts = ask(parts)
            except (ClientError, BotoCoreError) as error:
                if not _is_passing(error):
                    raise self._failure(parts, what, str(error)) from error
                cause = error
            if not parts:
                return
        raise self._failure(parts, what, str(cause or "DynamoDB did only a part of them in time")) from cause

    def _failure(self, parts: Sequence[object], what: str, why: str) -> ArchiveError:
        return ArchiveError(f"{len(parts)} events of the table {self._table} could not be {what}: {why}")


def _is_passing(error: ClientError | BotoCoreError) -> bool:
    if not isinstance(error, ClientError):
        return isinstance(error, _UNANSWERED)
    return status_of(error) >= 500 or code_of(error) in _BUSY


def _key(item: Any) -> Key:
    return Key(item[PARTITION]["S"], item[EVENT]["S"])
