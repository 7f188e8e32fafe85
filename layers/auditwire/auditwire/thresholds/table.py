"""Members counted in a DynamoDB table: one item for each group and window.

Adding to a set needs no reading and no order: the same members may come twice, late, or from several environments at
once. An environment adds first and then reads the neighbours, consistently. So of two that add to neighbouring windows
at the same moment, at least one sees both.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.aws.attempts import side_by_side
from auditwire.aws.errors import code_of
from auditwire.thresholds.match import BELIEVED_SECONDS
from auditwire.thresholds.store import Added, Addition
from auditwire.thresholds.windows import Key, counted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GROUP: Final = "group"
WINDOW: Final = "window"
MEMBERS: Final = "members"
RULE: Final = "rule"
EXPIRES: Final = "expires"

KEPT_SECONDS: Final = 86_400
"""How long an item is kept after its two windows: what waited in the outbox meanwhile still finds it."""

MAX_GETS: Final = 100
"""Keys in one BatchGetItem."""

_MAX_RULE: Final = 256
_MAX_CLOSED: Final = 20_000
_NAMES: Final = {"#members": MEMBERS, "#expires": EXPIRES, "#rule": RULE}


class ThresholdTable:
    """The store of a stack. The timeout of a single request is set in the client, which does not retry.

    Remembers which windows are closed: they take no more writes, however many matches still come.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._closed: set[tuple[Key, int]] = set()

    def add(self, additions: Sequence[Addition], deadline: float) -> Added:
        """See ThresholdStore.add. No request begins after the deadline."""
        problems: list[str] = []
        found = side_by_side([partial(self._add, one, deadline, problems) for one in additions], "thresholds")
        members = {(one.group, one.window): own for one, own in zip(additions, found, strict=True) if own is not None}
        open_windows = [
            one for one, own in zip(additions, found, strict=True) if own is not None and len(own) < one.at_least
        ]
        wanted = dict.fromkeys(key for one in open_windows for key in self._neighbours(one))
        missing = self._read(list(wanted), members, deadline, problems)
        counts: list[int | None] = []
        none: frozenset[str] = frozenset()
        for one, own in zip(additions, found, strict=True):
            if own is None or (len(own) < one.at_least and missing.intersection(self._neighbours(one))):
                counts.append(None)
                continue
            before, after = (members.get((one.group, one.window + step), none) for step in (-1, 1))
            counts.append(max(len(own), counted(own, before, after)))
        return Added(tuple(counts), problems[0] if problems else "")

    def _neighbours(self, one: Addition) -> list[Key]:
        """The windows before and after, unless no sender can be in the one after yet, whatever its clock says."""
        later = [one.window + 1] if (one.window + 1) * one.within <= self._clock() + BELIEVED_SECONDS else []
        return [(one.group, window) for window in (one.window - 1, *later)]

    def _add(self, one: Addition, deadline: float, problems: list[str]) -> frozenset[str] | None:
        """The members of a window after adding some; as many as asked for if it is closed, None if that failed."""
        closed = frozenset(str(number) for number in range(one.at_least))
        key = (one.group, one.window), one.at_least
        if key in self._closed:
            return closed
        now = self._clock()
        if now >= deadline:
            problems.append("there was no time left")
            return None
        expires = max((one.window + 2) * one.within, int(now) + 2 * one.within) + KEPT_SECONDS
        try:
            answer: Any = self._client.update_item(
                TableName=self._table,
                Key=_key((one.group, one.window)),
                UpdateExpression="ADD #members :members SET #expires = :expires, #rule = :rule",
                ConditionExpression="attribute_not_exists(#members) OR size(#members) < :enough",
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={
                    ":members": {"SS": list(one.members)},
                    ":expires": {"N": str(expires)},
                    ":rule": {"S": one.rule[:_MAX_RULE]},
                    ":enough": {"N": str(one.at_least)},
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                problems.append(str(error))
                return None
            own = closed
        except BotoCoreError as error:
            problems.append(str(error))
            return None
        else:
            own = frozenset(answer["Attributes"][MEMBERS]["SS"])
        if len(own) >= one.at_least:
            if len(self._closed) >= _MAX_CLOSED:
                self._closed.clear()
            self._closed.add(key)
        return own

    def _read(
        self, keys: list[Key], members: dict[Key, frozenset[str]], deadline: float, problems: list[str]
    ) -> set[Key]:
        """Reads the members of more windows into ``members``. Returns the windows that could not be read."""
        missing: set[Key] = set()
        for at in range(0, len(keys), MAX_GETS):
            some = keys[at : at + MAX_GETS]
            try:
                if self._clock() >= deadline:
                    raise TimeoutError("there was no time left")
                request: Any = {
                    "Keys": [_key(key) for key in some],
                    "ConsistentRead": True,
                    "ProjectionExpression": "#group, #window, #members",
                    "ExpressionAttributeNames": {"#group": GROUP, "#window": WINDOW, "#members": MEMBERS},
                }
                answer: Any = self._client.batch_get_item(RequestItems={self._table: request})
            except (ClientError, BotoCoreError, TimeoutError) as error:
                problems.append(str(error))
                missing.update(some)
                continue
            for item in answer["Responses"].get(self._table, ()):
                members[_key_of(item)] = frozenset(item.get(MEMBERS, {}).get("SS", ()))
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", ())
            missing.update(_key_of(item) for item in left)
        return missing


def _key(key: Key) -> Any:
    return {GROUP: {"S": key[0]}, WINDOW: {"N": str(key[1])}}


def _key_of(item: Any) -> Key:
    return item[GROUP]["S"], int(item[WINDOW]["N"])
