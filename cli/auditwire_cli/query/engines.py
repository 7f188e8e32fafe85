"""Which engine answers: the one that is asked for, or the best that there is."""

import importlib.util
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from auditwire_cli.errors import UsageError
from auditwire_cli.query.store import Store
from auditwire_cli.stack import Deployment
from auditwire_cli.terminal.output import tell

if TYPE_CHECKING:
    from auditwire.archive.search import Search
    from auditwire.search import Engine

# How far back to look where every hour has to be read.
_HOURS = 24


class EngineName(StrEnum):
    """How to search a bucket."""

    AUTO = "auto"
    SCAN = "scan"
    DUCKDB = "duckdb"


def engine_of(
    found: Deployment, store: Store | None, name: EngineName, search: "Search", now: datetime
) -> "tuple[Engine, Search]":
    """What answers a search, and the search; it has a start where every hour has to be read."""
    table, bucket = found.outputs.get("ArchiveTable", ""), found.output("ArchiveBucket")
    if store is Store.S3 or (store is None and not table):
        return _of_bucket(found, bucket, name), _since_yesterday(search, now)
    if name is not EngineName.AUTO:
        raise UsageError(f"--engine {name} searches a bucket", "leave it out, or give --store s3")
    from auditwire.archive.search_table import TableReader
    from auditwire.search.table import TableEngine

    if not TableReader.is_indexed(search):
        if search.cluster is None:
            raise UsageError("it is not clear what to look for", "give --audit-id, --object, --user or --cluster")
        search = _since_yesterday(search, now)
    reader = TableReader(found.client("dynamodb"), found.output("ArchiveTable"), found.client("s3"), bucket)
    return TableEngine(reader, search), search


def _of_bucket(found: Deployment, bucket: str, name: EngineName) -> "Engine":
    from auditwire.search.bucket import BucketObjects
    from auditwire.search.scan import Scan

    place = BucketObjects(found.client("s3"), bucket)
    is_there = importlib.util.find_spec("duckdb") is not None and importlib.util.find_spec("fsspec") is not None
    if name is EngineName.DUCKDB and not is_there:
        raise UsageError("DuckDB is not installed", "pip install 'auditwire[search]', or use --engine scan")
    if name is EngineName.SCAN or not is_there:
        return Scan(place)
    from auditwire.search.duckdb_engine import DuckDBEngine

    return DuckDBEngine(place)


def _since_yesterday(search: "Search", now: datetime) -> "Search":
    if search.start is not None:
        return search
    latest = min(now, search.end or now)
    tell(f"looking at the last {_HOURS} hours; --from looks further back")
    return replace(search, start=latest - timedelta(hours=_HOURS))
