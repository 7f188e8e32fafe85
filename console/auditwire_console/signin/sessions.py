"""Who is signed in, and who is about to be. Keys are digests: whoever reads the table has nobody's cookie."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.clusters.table import is_refused_condition
from auditwire_console.person import Person
from auditwire_console.signin.errors import SessionsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BEGUN: Final = "signin#"
_OPEN: Final = "session#"
_TEXTS: Final = ("state", "nonce", "verifier", "redirect_uri", "to")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A sign-in that has begun. ``state``, ``nonce`` and ``verifier`` are its secrets, ``redirect_uri`` is where the
    issuer sends the browser back to, ``to`` where the page then leads."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str
    to: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, since when and until when."""

    person: Person
    since: datetime
    expires: datetime


class Sessions(Protocol):
    """Where sign-ins and sessions are kept, by the value of the cookie that belongs to them.

    All methods raise SessionsError if it cannot be reached. What has expired may still be there.
    """

    def begin(self, cookie: str, transaction: Transaction) -> None:
        """Keeps a sign-in that has begun."""

    def take(self, cookie: str, state: str) -> Transaction | None:
        """Removes a sign-in and returns it. Of several who ask one gets it. None, and nothing is removed, if there is
        none with this state."""

    def open(self, cookie: str, session: Session) -> None:
        """Keeps a session."""

    def find(self, cookie: str) -> Session | None:
        """The session, as it is now, or None."""

    def close(self, cookie: str) -> None:
        """Ends a session, if there is one."""


class DynamoSessions:
    """Sessions in a table of DynamoDB whose key is ``id``, and from which DynamoDB removes what has expired
    (``expires``) within days."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def begin(self, cookie: str, transaction: Transaction) -> None:
        """See Sessions.begin."""
        self._put(_id(_BEGUN, cookie), _transaction_row(transaction), transaction.expires)

    def take(self, cookie: str, state: str) -> Transaction | None:
        """See Sessions.take."""
        with _answered():
            try:
                removed = self._client.delete_item(
                    TableName=self._table,
                    Key={"id": {"S": _id(_BEGUN, cookie)}},
                    ConditionExpression="#state = :state",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":state": {"S": state}},
                    ReturnValues="ALL_OLD",
                )
            except ClientError as error:
                if is_refused_condition(error):
                    return None
                raise
        return _transaction_of(removed.get("Attributes", {}))

    def open(self, cookie: str, session: Session) -> None:
        """See Sessions.open."""
        self._put(_id(_OPEN, cookie), _session_row(session), session.expires)

    def find(self, cookie: str) -> Session | None:
        """See Sessions.find."""
        with _answered():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": _id(_OPEN, cookie)}}, ConsistentRead=True
            )
        return _session_of(found.get("Item", {}))

    def close(self, cookie: str) -> None:
        """See Sessions.close."""
        with _answered():
            self._client.delete_item(TableName=self._table, Key={"id": {"S": _id(_OPEN, cookie)}})

    def _put(self, key: str, row: dict[str, Any], expires: datetime) -> None:
        with _answered():
            self._client.put_item(TableName=self._table, Item={"id": {"S": key}, **row, "expires": _seconds(expires)})


class MemorySessions:
    """Sessions of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.transactions: dict[str, Transaction] = {}
        self.sessions: dict[str, Session] = {}

    def begin(self, cookie: str, transaction: Transaction) -> None:
        """See Sessions.begin."""
        self.transactions[_id(_BEGUN, cookie)] = transaction

    def take(self, cookie: str, state: str) -> Transaction | None:
        """See Sessions.take."""
        with self._lock:
            found = self.transactions.get(_id(_BEGUN, cookie))
            if found is None or found.state != state:
                return None
            return self.transactions.pop(_id(_BEGUN, cookie))

    def open(self, cookie: str, session: Session) -> None:
        """See Sessions.open."""
        self.sessions[_id(_OPEN, cookie)] = session

    def find(self, cookie: str) -> Session | None:
        """See Sessions.find."""
        return self.sessions.get(_id(_OPEN, cookie))

    def close(self, cookie: str) -> None:
        """See Sessions.close."""
        self.sessions.pop(_id(_OPEN, cookie), None)


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise SessionsError("the table of sessions does not answer; try again") from error


def _id(kind: str, cookie: str) -> str:
    return kind + hashlib.sha256(cookie.encode()).hexdigest()


def _transaction_row(one: Transaction) -> dict[str, Any]:
    texts = (one.state, one.nonce, one.verifier, one.redirect_uri, one.to)
    return {name: {"S": text} for name, text in zip(_TEXTS, texts, strict=True)}


def _transaction_of(row: Mapping[str, Any]) -> Transaction | None:
    try:
        state, nonce, verifier, redirect_uri, to = (row[name]["S"] for name in _TEXTS)
        return Transaction(state, nonce, verifier, redirect_uri, to, _time(row["expires"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _session_row(session: Session) -> dict[str, Any]:
    person = session.person
    return {
        "subject": {"S": person.subject},
        "email": {"S": person.email},
        "groups": {"L": [{"S": group} for group in person.groups]},
        "left_out": {"N": str(person.left_out)},
        "since": _seconds(session.since),
    }


def _session_of(row: Mapping[str, Any]) -> Session | None:
    try:
        groups = tuple(group["S"] for group in row["groups"]["L"])
        person = Person(row["subject"]["S"], row["email"]["S"], groups, int(row["left_out"]["N"]))
        return Session(person, _time(row["since"]), _time(row["expires"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _seconds(time: datetime) -> dict[str, str]:
    return {"N": str(int(time.timestamp()))}


def _time(value: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(value["N"]), UTC)
