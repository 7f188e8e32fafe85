"""The clusters table for its operator: list, add, remove. Ingest reads single rows, through Directory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from auditwire.aws.errors import code_of
from auditwire.clusters.errors import DirectoryError
from auditwire.clusters.registration import Registration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
    """All registered credentials. All methods raise the errors of botocore."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def list(self) -> Listing:
        """All rows."""
        listing = Listing([], {})
        for page in self._client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True):
            for row in page["Items"]:
                try:
                    listing.registrations.append(Registration.from_row(row))
                except DirectoryError as error:
                    listing.broken[row["credential"]["S"]] = str(error)
        listing.registrations.sort(key=lambda one: (one.cluster.name, one.created is not None, str(one.created)))
        return listing

    def add(self, registration: Registration) -> bool:
        """Registers a credential. Returns False, and changes nothing, if it is registered already."""
        try:
            self._client.put_item(
                TableName=self.name,
                Item=registration.as_row(),
                ConditionExpression="attribute_not_exists(credential)",
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

    def remove(self, credential: str) -> None:
        """Removes the row with this key, if there is one."""
        self._client.delete_item(TableName=self.name, Key={"credential": {"S": credential}})


def is_refused_condition(error: Exception) -> bool:
    """Whether DynamoDB refused a write because its condition did not hold."""
    return isinstance(error, ClientError) and code_of(error) == "ConditionalCheckFailedException"
