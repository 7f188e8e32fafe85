"""Running SQL in Athena: start, wait, page, and values as they were."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError
from auditwire.search.errors import OutOfTimeError, StillRunningError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

    from auditwire.search.answer import Coverage

MAX_SQL_BYTES: Final = 262_144
"""Athena takes no longer statement."""

_WAITS: Final = (0.05, 0.1, 0.25, 0.5, 1.0)
_NUMBERS: Final = frozenset(("tinyint", "smallint", "integer", "bigint"))


@dataclass(frozen=True, slots=True)
class Athena:
    """Athena with the tables of one stack. ``sleep`` waits seconds."""

    client: "AthenaClient"
    workgroup: str
    database: str
    sleep: Callable[[float], None] = time.sleep

    def select(self, sql: str, coverage: "Coverage") -> Iterator[tuple[Any, ...]]:
        """Yields the rows that a statement selects, with numbers as numbers.

        Raises ArchiveError where Athena refuses, fails or cancels it. Where there is no time to wait for it, it is
        stopped, and OutOfTimeError raised; as part of a search that has a name it goes on, and StillRunningError is
        raised. The same statement of the same search is then not started anew, so it may be asked for again until it is
        done. Adds what was scanned to the bytes that the answer says it read.
        """
        if len(sql.encode()) > MAX_SQL_BYTES:
            raise ArchiveError("Athena: the statement would be too long; narrow the search")
        try:
            started = self.client.start_query_execution(
                QueryString=sql,
                WorkGroup=self.workgroup,
                QueryExecutionContext={"Database": self.database},
                ClientRequestToken=self._token(coverage.search, sql),
            )
            identifier = started["QueryExecutionId"]
            coverage.bytes += self._finished(identifier, coverage)
            yield from self._rows(identifier)
        except (ClientError, BotoCoreError) as error:
            raise ArchiveError(f"Athena: {error}") from error

    def _token(self, search: str, sql: str) -> str:
        """By this Athena knows a statement of a search again: it answers as before, and starts nothing."""
        parts = (search or uuid4().hex, self.workgroup, self.database, sql)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _finished(self, identifier: str, coverage: "Coverage") -> int:
        """Waits for the end of a query. How many bytes it has scanned."""
        for attempt in range(1_000_000):
            execution = self.client.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            state = execution["Status"]["State"]
            if state == "SUCCEEDED":
                return int(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
            if state in ("FAILED", "CANCELLED"):
                raise ArchiveError(f"Athena: {execution['Status'].get('StateChangeReason', state)}")
            if not coverage.may_go_on():
                if coverage.search:
                    raise StillRunningError
                self.client.stop_query_execution(QueryExecutionId=identifier)
                raise OutOfTimeError
            self.sleep(_WAITS[min(attempt, len(_WAITS) - 1)])
        raise AssertionError("a query never ends")

    def _rows(self, identifier: str) -> Iterator[tuple[Any, ...]]:
        pages = self.client.get_paginator("get_query_results").paginate(QueryExecutionId=identifier)
        for number, page in enumerate(pages):
            result = page["ResultSet"]
            kinds = [column["Type"] for column in result["ResultSetMetadata"]["ColumnInfo"]]
            # The first row of a SELECT has the names of the columns.
            for row in result["Rows"][1 if number == 0 else 0 :]:
                values = [each.get("VarCharValue") for each in row["Data"]]
                yield tuple(
                    int(value) if value is not None and kind in _NUMBERS else value
                    for value, kind in zip(values, kinds, strict=True)
                )


def athena_literal(value: str | int) -> str:
    """A value in Athena's SQL. Texts with anything but printable ASCII are written by their code points."""
    if isinstance(value, int):
        return str(value)
    if value.isascii() and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    written = (
        each if each.isascii() and each.isprintable() and each not in "\\'" else f"\\+{ord(each):06x}" for each in value
    )
    return "U&'" + "".join(written) + "'"


def filled_in(sql: str, parameters: "tuple[str | int, ...]") -> str:
    """A statement with its parameters in place of the question marks, none of which stands in a text."""
    parts = sql.split("?")
    if len(parts) != len(parameters) + 1:
        raise ValueError(f"{len(parameters)} parameters for {sql}")
    values = [athena_literal(each) for each in parameters]
    return "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))
