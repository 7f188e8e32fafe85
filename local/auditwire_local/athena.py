"""A stand-in for Athena: runs the product's own SQL on DuckDB, over the objects of moto's buckets and Glue's tables.

moto runs no query. sqlglot turns a statement of Athena into one of DuckDB, and refuses what it cannot say exactly. So
this proves what a statement selects. It proves nothing about Athena itself: neither its speed nor its price, nor that
it reads these files. What AWS documents is refused as there: no equality on an injected partition, more bytes than the
workgroup's cutoff, lines of more than 32 MB, more than 1,000 rows a page, another statement under a request token that
was used. Values come as text, the names of the columns first. The same statement under the same token is not run again.
"""

import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import boto3
from moto.athena import models, responses

from auditwire_local.runtime import outside_of_functions

MAX_LINE_BYTES: Final = 32 * 1024 * 1024
MAX_ROWS_A_PAGE: Final = 1000

_PARTITION: Final = re.compile(r"(\w+)=([^/]*)/")
_TEXT_INPUT: Final = "org.apache.hadoop.mapred.TextInputFormat"


class QueryRefused(Exception):  # noqa: N818 - what Athena does
    """Athena would not run this query, or not to its end; the message is its reason."""


class _Table:
    """A table of Glue: where its files are, and which of its partitions must be named."""

    def __init__(self, given: dict[str, Any]) -> None:
        storage, parameters = given["StorageDescriptor"], given.get("Parameters", {})
        self.name: str = given["Name"]
        self.bucket, _, self.prefix = storage["Location"].removeprefix("s3://").partition("/")
        self.is_text = storage["InputFormat"] == _TEXT_INPUT
        self.columns = [column["Name"] for column in storage["Columns"]]
        self.partitions = [key["Name"] for key in given["PartitionKeys"]]
        self.injected = [name for name in self.partitions if parameters.get(f"projection.{name}.type") == "injected"]

    def objects(self, s3: Any, values: dict[str, set[str]]) -> list[Any]:
        """The files, as S3 lists them, that lie in a partition with these values."""
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return [each for page in pages for each in page.get("Contents", ()) if self._is_in(each["Key"], values)]

    def rows(self, files: list[tuple[str, Path]]) -> str:
        """All rows of the files, each of which lies under a key and is on disk as Parquet."""
        selects = []
        for key, file in files:
            partitions = [f"{_text(value)} AS {_name(name)}" for name, value in _PARTITION.findall(key)]
            place = f'{_text(f"s3://{self.bucket}/{key}")} AS "$path"'
            columns = [*map(_name, self.columns), *partitions, place]
            selects.append(f"SELECT {', '.join(columns)} FROM read_parquet({_text(str(file))})")  # noqa: S608
        return " UNION ALL ".join(selects) or self._nothing()

    def _is_in(self, key: str, values: dict[str, set[str]]) -> bool:
        found = dict(_PARTITION.findall(key))
        hidden = key.rpartition("/")[2].startswith(("_", "."))
        return (
            set(found) == set(self.partitions)
            and not hidden
            and all(found[name] in wanted for name, wanted in values.items())
        )

    def _nothing(self) -> str:
        names = [*self.columns, *self.partitions, "$path"]
        return f"SELECT {', '.join(f'NULL AS {_name(name)}' for name in names)} WHERE FALSE"


class Engine:
    """Runs queries. Keeps files that were read before in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clients: dict[str, Any] = {}
        self._files: dict[tuple[str, str, str], Path] = {}

    def run(
        self, sql: str, database: str, cutoff: int | None
    ) -> tuple[list[list[str | None]], list[tuple[str, str]], int]:
        """Runs a query: rows as texts, names and types of the columns, and how many bytes were scanned.

        Raises QueryRefused.
        """
        import duckdb
        import sqlglot
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        try:
            tree = sqlglot.parse_one(sql, read="athena")
            statement = tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
        except SqlglotError as error:
            raise QueryRefused(f"SYNTAX_ERROR: {error}") from error
        names = {table.name for table in tree.find_all(exp.Table)}
        found = self._client("glue").get_tables(DatabaseName=database)["TableList"] if names else []
        tables = [_Table(each) for each in found if each["Name"] in names]
        scanned = 0
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for table in tables:
                objects = table.objects(self._client("s3"), _wanted(tree, table))
                scanned += sum(each["Size"] for each in objects)
                if cutoff is not None and scanned > cutoff:
                    raise QueryRefused("Query cancelled! : Bytes scanned limit was exceeded")
                files = [(each["Key"], self._file(connection, table, each)) for each in objects]
                connection.execute(f"CREATE VIEW {_name(table.name)} AS {table.rows(files)}")
            try:
                done = connection.execute(statement)
                columns = [(name, _kind(str(kind))) for name, kind, *_ in done.description or ()]
                rows = [[None if value is None else str(value) for value in row] for row in done.fetchall()]
            except duckdb.Error as error:
                raise QueryRefused(f"SYNTAX_ERROR: {error}") from error
        return rows, columns, scanned

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service)  # type: ignore[call-overload]
        return self._clients[service]

    def _file(self, connection: Any, table: _Table, listed: Any) -> Path:
        """An object on disk as Parquet; lines become one column of it."""
        known = (table.bucket, listed["Key"], listed["ETag"])
        if known not in self._files:
            content = self._client("s3").get_object(Bucket=table.bucket, Key=listed["Key"])["Body"].read()
            file = self._folder / f"{len(self._files)}.parquet"
            if table.is_text:
                _write_lines(connection, content, file)
            else:
                file.write_bytes(content)
            self._files[known] = file
        return self._files[known]


def _wanted(tree: Any, table: _Table) -> dict[str, set[str]]:
    """The values of the partitions that must be named. Raises QueryRefused where they are not."""
    values = {name: _named(tree, name) for name in table.injected}
    for name, wanted in values.items():
        if not wanted:
            raise QueryRefused(
                f"CONSTRAINT_VIOLATION: For the injected projected partition column {name}, the WHERE clause must "
                "contain only static equality conditions, and at least one such condition must be present."
            )
    return values


def _named(tree: Any, column: str) -> set[str]:
    """The values with which a partition is said to be equal."""
    from sqlglot import exp

    found: set[str] = set()
    for test in tree.find_all(exp.EQ, exp.In):
        if isinstance(test.this, exp.Column) and test.this.name == column:
            values = test.expressions if isinstance(test, exp.In) else [test.expression]
            found.update(value.this for value in values if isinstance(value, exp.Literal))
    return found


def _write_lines(connection: Any, content: bytes, file: Path) -> None:
    """Writes the lines of a gzipped object as a file with one column."""
    import gzip

    lines = [line.removesuffix(b"\n") for line in io.BytesIO(gzip.decompress(content))]
    if any(len(line) > MAX_LINE_BYTES for line in lines):
        raise QueryRefused("HIVE_CURSOR_ERROR: a row is longer than 32 MB")
    source = file.with_suffix(".json")
    source.write_text("".join(json.dumps({"line": line.decode()}) + "\n" for line in lines), encoding="ascii")
    connection.execute(
        f"COPY (SELECT * FROM read_json({_text(str(source))}, format = 'newline_delimited', "  # noqa: S608
        f"columns = {{'line': 'VARCHAR'}}, maximum_object_size = {8 * MAX_LINE_BYTES})) TO {_text(str(file))}"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _kind(duckdb_type: str) -> str:
    return {"BIGINT": "bigint", "HUGEINT": "bigint", "INTEGER": "integer", "VARCHAR": "varchar"}.get(
        duckdb_type, duckdb_type.lower()
    )


class _Results:
    """What became of each query, by its identifier, and what each request token was used for."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[list[list[str | None]], list[tuple[str, str]], int]] = {}
        self.refused: dict[str, str] = {}
        self._by_token: dict[str, tuple[tuple[Any, ...], str]] = {}

    def tell(self, identifier: str, execution: dict[str, Any]) -> None:
        """Writes how a query stands into what moto says of it."""
        status = execution["Status"]
        if identifier in self.refused:
            status.update(State="FAILED", StateChangeReason=self.refused[identifier])
        elif identifier in self.found:
            status["State"] = "SUCCEEDED"
            execution["Statistics"]["DataScannedInBytes"] = self.found[identifier][2]

    def started(self, token: str, given: tuple[Any, ...], identifier: str) -> None:
        """Notes what a request token was used for."""
        self._by_token[token] = (given, identifier)

    def again(self, token: str, given: tuple[Any, ...]) -> str | None:
        """The query that this token started, None if it is new. Raises QueryRefused if it started another."""
        before, identifier = self._by_token.get(token, (given, None))
        if before != given:
            raise QueryRefused("Idempotent parameters do not match")
        return identifier


@contextmanager
def mended_athena() -> Iterator[None]:
    """Inside, queries of Athena are run, and have ended when they are first asked about."""
    results = _Results()
    stack = ExitStack()
    engine = Engine(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="auditwire-athena-"))))
    moto_start = models.AthenaBackend.start_query_execution
    moto_answer = responses.AthenaResponse.start_query_execution
    moto_execution = responses.AthenaResponse.get_query_execution

    def start(self: Any, query: str, **given: Any) -> str:
        identifier = str(moto_start(self, query, **given))
        group = self.work_groups.get(given["workgroup"])
        cutoff = group.configuration.get("BytesScannedCutoffPerQuery") if group else None
        database = (given["context"] or {}).get("Database", "default")
        try:
            with outside_of_functions():
                results.found[identifier] = engine.run(query, database, cutoff)
        except QueryRefused as error:
            results.refused[identifier] = str(error)
        return identifier

    def start_once(self: Any) -> Any:
        token = self._get_param("ClientRequestToken")
        given = tuple(self._get_param(name) for name in ("QueryString", "QueryExecutionContext", "WorkGroup"))
        try:
            identifier = results.again(token, given)
        except QueryRefused as error:
            return self.error(str(error), 400)
        if identifier is not None:
            return json.dumps({"QueryExecutionId": identifier})
        answer = moto_answer(self)
        if isinstance(answer, str):
            results.started(token, given, json.loads(answer)["QueryExecutionId"])
        return answer

    def execution(self: Any) -> Any:
        answer = json.loads(moto_execution(self))
        results.tell(self._get_param("QueryExecutionId"), answer["QueryExecution"])
        return json.dumps(answer)

    def page(self: Any) -> Any:
        rows, columns, _ = results.found[self._get_param("QueryExecutionId")]
        size = int(self._get_param("MaxResults") or MAX_ROWS_A_PAGE)
        if size > MAX_ROWS_A_PAGE:
            return self.error(f"MaxResults is more than {MAX_ROWS_A_PAGE}", 400)
        start = int(self._get_param("NextToken") or 0)
        everything: list[list[str | None]] = [[name for name, _ in columns], *rows]
        shown = everything[start : start + size]
        data = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in shown]
        info = [{"Name": name, "Type": kind} for name, kind in columns]
        answer: dict[str, Any] = {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": info}}}
        if start + size < len(everything):
            answer["NextToken"] = str(start + size)
        return json.dumps(answer)

    with stack:
        stack.enter_context(patch.object(models.AthenaBackend, "start_query_execution", start))
        stack.enter_context(patch.object(responses.AthenaResponse, "start_query_execution", start_once))
        stack.enter_context(patch.object(responses.AthenaResponse, "get_query_execution", execution))
        stack.enter_context(patch.object(responses.AthenaResponse, "get_query_results", page))
        yield
