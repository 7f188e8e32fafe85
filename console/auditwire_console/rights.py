"""Who may see what of a deployed console: the viewers table, asked anew for every request.

Reads are strongly consistent and nothing is kept, so what is taken from somebody is gone with their next request. They
need dynamodb:GetItem and dynamodb:BatchGetItem on the table.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire_console.errors import UnavailableError
from auditwire_console.granted import DamagedError, Granted, key_of_token, keys_of
from auditwire_console.viewer import Viewer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from auditwire_console.person import Person

log: Final = logging.getLogger("auditwire.console")

_AT_ONCE: Final = 100
"""DynamoDB reads no more rows at once."""
_WAITS: Final = (0.05, 0.1, 0.2, 0.4)


class Rights:
    """The viewers table, for whoever decides what a request may see. ``sleep`` waits seconds.

    A row that cannot be read grants nothing, and is logged. Methods raise UnavailableError if the table cannot be read.
    """

    def __init__(self, client: "DynamoDBClient", table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._table, self._sleep = client, table, sleep

    def of_token(self, token: str) -> Viewer | None:
        """Whoever has a token; None if nobody has it."""
        if not token:
            return None
        key = {"id": {"S": key_of_token(token)}}
        try:
            row = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error
        granted = None if row is None else _read(row)
        return None if granted is None else Viewer(granted.name, (granted.grant,), granted.host_cluster)

    def of_person(self, person: "Person") -> Viewer:
        """What somebody may see who has signed in: what is granted to the subject, to the email and to each group. The
        first of them that has a host cluster has it for all.

        Somebody to whom nothing is granted is a viewer without grants.
        """
        keys = keys_of(person)
        try:
            rows = self._rows(keys)
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error
        found = [granted for key in keys if key in rows and (granted := _read(rows[key])) is not None]
        host = next((each.host_cluster for each in found if each.host_cluster), "")
        return Viewer(person.name, tuple(each.grant for each in found), host)

    def _rows(self, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The rows with these keys that there are."""
        found: dict[str, Mapping[str, Any]] = {}
        for at in range(0, len(keys), _AT_ONCE):
            wanted: Any = [{"id": {"S": key}} for key in keys[at : at + _AT_ONCE]]
            for wait in (*_WAITS, None):
                asked: Any = {self._table: {"Keys": wanted, "ConsistentRead": True}}
                answer: Any = self._client.batch_get_item(RequestItems=asked)
                found |= {row["id"]["S"]: row for row in answer["Responses"].get(self._table, ())}
                wanted = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys")
                if not wanted:
                    break
                if wait is None:
                    raise _unavailable("DynamoDB leaves keys unprocessed")
                self._sleep(wait)
        return found


def _read(row: Mapping[str, Any]) -> Granted | None:
    """What a row grants; None for one that cannot be read. Neither its key nor its values are logged."""
    try:
        return Granted.from_row(row)
    except DamagedError as error:
        kind = row["id"]["S"].partition("#")[0]
        log.warning("a row of the viewers table, of kind %s, grants nothing: %s", kind, error)
        return None


def _unavailable(error: object) -> UnavailableError:
    """The sentence is also for those whom nobody knows yet, so the reason is only logged."""
    log.error("the viewers table cannot be read: %s", error)
    return UnavailableError("who may see what cannot be read now; try again in a minute")
