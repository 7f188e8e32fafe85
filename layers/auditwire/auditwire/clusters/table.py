"""The clusters table for its operator: list, add, remove. Ingest reads single rows, through Directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from auditwire.aws.errors import code_of
from auditwire.clusters.errors import DirectoryError
from auditwire.clusters.registration import Registration, time_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REVOKED: Final = "revoked"


@dataclass(frozen=True, slots=True)
class Listing:
    """The contents of the table: the rows by cluster and age, and the reasons why others cannot be used, by their
    key."""

    registrations: list[Registration]
    broken: dict[str, str]

    def of(self, cluster: str) -> list[Registration]:
        """The rows of one cluster, the oldest first."""
        return [one for one in self.registrations if one.cluster.name == cluster]


class ClustersTable:
    """All registered credentials. All methods raise the errors of botocore.

    A revoked credential keeps a row that is not listed, so that ingest can tell a sender that still uses it from
    somebody who guesses.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def list(self) -> Listing:
        """All rows."""
        listing = Listing([], {})
        for page in self._client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True):
            for row in page["Items"]:
                if _REVOKED in row:
                    continue
                try:
                    listing.registrations.append(Registration.from_row(row))
                except DirectoryError as error:
                    listing.broken[row["credential"]["S"]] = str(error)
        listing.registrations.sort(key=lambda one: (one.cluster.name, one.created is not None, str(one.created)))
        return listing

    def add(self, registration: Registration) -> bool:
        """Registers a credential, which may have been revoked before. Returns False, and changes nothing, if it is
        registered already."""
        try:
            self._client.put_item(
                TableName=self.name,
                Item=registration.as_row(),
                ConditionExpression=f"attribute_not_exists(credential) OR attribute_exists({_REVOKED})",
            )
        except ClientError as error:
            if is_refused_condition(error):
                return False
            raise
        return True

    def set_silence(self, credential: str, seconds: int | None) -> bool:
        """Sets after how long without a batch the cluster of this row counts as silent, None for never. Returns False
        if there is no such row."""
        change: Any = {"UpdateExpression": "REMOVE silence_seconds"}
        if seconds is not None:
            value = {":seconds": {"N": str(seconds)}}
            change = {"UpdateExpression": "SET silence_seconds = :seconds", "ExpressionAttributeValues": value}
        try:
            self._client.update_item(
                TableName=self.name,
                Key={"credential": {"S": credential}},
                ConditionExpression="attribute_exists(credential)",
                **change,
            )
        except ClientError as error:
            if is_refused_condition(error):
                return False
            raise
        return True

    def revoke(self, credential: str, now: datetime) -> None:
        """Ends a credential for good, if there is one with this key."""
        with _unless_refused():
            self._client.update_item(
                TableName=self.name,
                Key={"credential": {"S": credential}},
                ConditionExpression="attribute_exists(credential)",
                UpdateExpression=f"SET enabled = :no, {_REVOKED} = :now",
                ExpressionAttributeValues={":no": {"BOOL": False}, ":now": {"S": time_text(now)}},
            )

    def remove(self, credential: str) -> None:
        """Removes the row with this key, if there is one, without a trace."""
        self._client.delete_item(TableName=self.name, Key={"credential": {"S": credential}})


@contextmanager
def _unless_refused() -> Iterator[None]:
    """Lets a write whose condition does not hold be no write."""
    try:
        yield
    except ClientError as error:
        if not is_refused_condition(error):
            raise


def is_refused_condition(error: Exception) -> bool:
    """Whether DynamoDB refused a write because its condition did not hold."""
    return isinstance(error, ClientError) and code_of(error) == "ConditionalCheckFailedException"
