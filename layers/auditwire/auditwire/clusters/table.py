"""The clusters table as its operator uses it: list, add, remove. Ingest reads single rows, by Directory."""

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
    """What is in the table: the rows by cluster and age, and by their key the reasons why others are of no use."""

    registrations: list[Registration]
    broken: dict[str, str]

    def of(self, cluster: str) -> list[Registration]:
        """The rows of one cluster, the oldest first."""
        return [one for one in self.registrations if one.cluster.name == cluster]


class ClustersTable:
    """All registered credentials. Errors of botocore pass through."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def list(self) -> Listing:
        """Every row."""
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
        """Registers a credential; False where it is registered already, which changes nothing."""
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
        """Sets after how long without a batch the cluster of this row counts as silent, None for never; False where
        there is no such row."""
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
        """Removes a row by its key; one that is not there is removed already."""
        self._client.delete_item(TableName=self.name, Key={"credential": {"S": credential}})


def is_refused_condition(error: Exception) -> bool:
    """Whether DynamoDB did not write because the row was not as the write asked for."""
    return isinstance(error, ClientError) and code_of(error) == "ConditionalCheckFailedException"
