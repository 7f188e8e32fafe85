"""Which engine answers: the one that is asked for, or the best that there is."""

import importlib.util
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auditwire_cli.errors import UsageError
from auditwire_cli.query.store import Store
from auditwire_cli.stack import Deployment
from auditwire_cli.terminal.output import confirm, counted, tell

if TYPE_CHECKING:
    from auditwire.archive.search import Search
    from auditwire.search import Engine, Query
    from auditwire.search.athena_engine import AthenaEngine
    from auditwire.search.bucket import BucketObjects
    from auditwire.search.price import Price

DEFAULT_MAX_COST: Final = 1.0
"""Dollars that a search may cost without a question."""

MaxCost = Annotated[
    float, typer.Option(min=0, metavar="USD", help="Ask before it costs more than this, as far as can be told.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

HAS_DUCKDB: Final = all(importlib.util.find_spec(name) is not None for name in ("duckdb", "fsspec"))
"""Whether the index can be read and written here."""

# How far back to look where every hour has to be read.
_HOURS = 24


class EngineName(StrEnum):
    """How to search a bucket."""

    AUTO = "auto"
    SCAN = "scan"
    DUCKDB = "duckdb"
    ATHENA = "athena"


@dataclass(frozen=True, slots=True)
class Choice:
    """What may answer: the store, None for that of the stack, the engine, and how many dollars it may cost."""

    store: Store | None = None
    engine: EngineName = EngineName.AUTO
    max_cost: float = DEFAULT_MAX_COST
    yes: bool = False


def engine_of(
    found: Deployment, choice: Choice, search: "Search", now: datetime, texts: tuple[str, ...] = ()
) -> "tuple[Engine, Search]":
    """What answers a search, and the search; it has a start where every hour has to be read.

    Asks before it costs more than it may. Raises UsageError where nobody can be asked.
    """
    table, bucket, name = found.outputs.get("ArchiveTable", ""), found.output("ArchiveBucket"), choice.engine
    if choice.store is Store.S3 or (choice.store is None and not table):
        search = _since_yesterday(search, now)
        return _of_bucket(found, bucket, choice, search, texts), search
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


def _of_bucket(found: Deployment, bucket: str, choice: Choice, search: "Search", texts: tuple[str, ...]) -> "Engine":
    from auditwire.search import Query
    from auditwire.search.bucket import BucketObjects
    from auditwire.search.scan import Scan

    place, asked, name = BucketObjects(found.client("s3"), bucket), Query.of(search, texts), choice.engine
    if name in (EngineName.DUCKDB, EngineName.ATHENA) and not HAS_DUCKDB:
        raise UsageError("DuckDB is not installed", "pip install 'auditwire[search]', or use --engine scan")
    if name is EngineName.SCAN or not HAS_DUCKDB:
        scan = Scan(place)
        agree(scan.price(asked), choice.max_cost, yes=choice.yes)
        return scan
    from auditwire.search.duckdb_engine import DuckDBEngine

    if name is EngineName.ATHENA:
        return _agreed_athena(found, place, asked, choice)
    engine = DuckDBEngine(place)
    price = engine.price(asked)
    if name is EngineName.AUTO and price.dollars > choice.max_cost and "AthenaWorkGroup" in found.outputs:
        return _agreed_athena(found, place, asked, choice)
    agree(price, choice.max_cost, yes=choice.yes)
    return engine


def _agreed_athena(found: Deployment, place: "BucketObjects", asked: "Query", choice: Choice) -> "Engine":
    engine = athena_engine(found, place)
    agree(engine.price(asked), choice.max_cost, yes=choice.yes)
    return engine


def athena_engine(found: Deployment, place: "BucketObjects") -> "AthenaEngine":
    """Athena on the tables of a stack. Raises UsageError for a stack that has none."""
    from auditwire.search.athena import Athena
    from auditwire.search.athena_engine import AthenaEngine

    if "AthenaWorkGroup" not in found.outputs:
        raise UsageError(f"the stack {found.name} has no tables for Athena", "deploy it with AthenaSearch=on")
    athena = Athena(found.client("athena"), found.output("AthenaWorkGroup"), found.output("SearchDatabase"))
    return AthenaEngine(place, athena)


def agree(price: "Price", max_cost: float, *, yes: bool) -> None:
    """Asks before more is spent than may be. Raises UsageError where nobody can be asked."""
    if price.dollars > max_cost:
        size = f"{price.bytes / 1e9:,.1f} GB in {counted(price.objects, 'object')}"
        confirm(f"this reads up to {size}, for about ${price.dollars:,.2f}. Go on?", yes=yes)


def _since_yesterday(search: "Search", now: datetime) -> "Search":
    if search.start is not None:
        return search
    latest = min(now, search.end or now)
    tell(f"looking at the last {_HOURS} hours; --from looks further back")
    return replace(search, start=latest - timedelta(hours=_HOURS))
