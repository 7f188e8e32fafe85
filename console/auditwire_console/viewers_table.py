"""The viewers table for its operator: list, put, remove. The console reads single rows, through Rights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditwire_console.granted import DamagedError, Granted, Kind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Listing:
    """The contents of the table: rows by kind and name, and the reasons why others grant nothing, by their keys."""

    rows: list[Granted]
    damaged: dict[str, str]

    def of_token(self, name: str) -> list[Granted]:
        """The rows of tokens with this name."""
        return [one for one in self.rows if one.kind is Kind.TOKEN and one.name == name]


class ViewersTable:
    """Everybody to whom something is granted. All methods raise the errors of botocore."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def list(self) -> Listing:
        """All rows."""
        listing = Listing([], {})
        for page in self._client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True):
            for row in page["Items"]:
                try:
                    listing.rows.append(Granted.from_row(row))
                except DamagedError as error:
                    listing.damaged[row["id"]["S"]] = str(error)
        listing.rows.sort(key=lambda one: (one.kind, one.name, one.key))
        return listing

    def put(self, granted: Granted) -> Granted | None:
        """Grants what a row says, in place of what a row with its key granted before. Returns that row; None if there
        was none, or if it was damaged."""
        answer = self._client.put_item(TableName=self.name, Item=granted.as_row(), ReturnValues="ALL_OLD")
        try:
            return Granted.from_row(answer["Attributes"]) if "Attributes" in answer else None
        except DamagedError:
            return None

    def remove(self, key: str) -> bool:
        """Removes the row with this key. Returns whether there was one."""
        answer = self._client.delete_item(TableName=self.name, Key={"id": {"S": key}}, ReturnValues="ALL_OLD")
        return "Attributes" in answer
