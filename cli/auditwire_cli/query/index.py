"""``auditwire index``: build the index of what is in no file of it."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.query.engines import DEFAULT_MAX_COST, HAS_DUCKDB, MaxCost, Yes, agree
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import counted, show, tell
from auditwire_cli.terminal.progress import progress
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from auditwire.search import Query
    from auditwire.search.index_builder import IndexBuilder
    from auditwire.search.index_reader import IndexReader
    from auditwire.search.objects import Archived
    from auditwire.search.place import Objects


@on_stack
def index(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the index is what the lines say; reads all of them.")
    ] = False,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    max_cost: MaxCost = DEFAULT_MAX_COST,
    yes: Yes = False,
    where: Stack,
) -> None:
    """Build the index of objects that have none.

    Then they are found without being read.

    The function seal does this for what arrives. This is for an archive that is older than the index, and for files of
    the index that were deleted. Objects that the index cannot hold are left out, and scanned as before.

    \b
    Exit codes: 0 done, or the index matches, 1 it differs, or the archive cannot be read or written, 2 wrong usage.

    \b
    Examples:
      auditwire index --from 90d --profile prod
      auditwire index --cluster demo --state .auditwire/dev.json
      auditwire index --check --from 7d --profile prod
    """
    check_cluster_name(cluster)
    if not HAS_DUCKDB:
        raise UsageError("DuckDB is not installed", "pip install 'auditwire[search]'")
    now = datetime.now(UTC)
    from auditwire.search import Coverage, Query
    from auditwire.search.bucket import BucketObjects
    from auditwire.search.index_builder import IndexBuilder
    from auditwire.search.index_reader import IndexReader
    from auditwire.search.price import of_reading

    found = where.find()
    s3, bucket = found.client("s3"), found.output("ArchiveBucket")
    place = BucketObjects(s3, bucket)
    clusters = None if cluster is None else frozenset({cluster})
    asked = Query(start=read_time("--from", start, now), end=read_time("--to", end, now), clusters=clusters)
    reader = IndexReader(place, memory="1GB", threads=2)
    parts = reader.split(asked, (), Coverage())
    if check:
        agree(of_reading(len(parts.listed), sum(one.size for one in parts.listed.values())), max_cost, yes=yes)
        _check(place, reader, asked)
        return
    hours = parts.unindexed
    objects = [one for _, several in sorted(hours.items()) for one in several]
    agree(of_reading(len(objects), sum(one.size for one in objects)), max_cost, yes=yes)

    def put(key: str, content: bytes) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=content)

    taken = files = 0
    with progress(len(objects)) as advance, IndexBuilder(put) as builder:
        for hour, several in sorted(hours.items()):
            advance(taken, f"indexing {hour}")
            keys = [one.key for one in several if _add(builder, place, one)]
            files += len(builder.write(keys))
            taken += len(keys)
    left = f"; {counted(len(objects) - taken, 'object')} cannot be indexed" if taken < len(objects) else ""
    tell(f"{counted(taken, 'object')} in {counted(files, 'new file')} of the index{left}")


def _check(place: "Objects", reader: "IndexReader", asked: "Query") -> None:
    from auditwire.search.index_check import check_index

    states: Counter[str] = Counter()
    for one in check_index(place, reader, asked):
        states[one.state] += 1
        if one.state == "differs":
            show(f"{one.key}: {one.reason}")
    tell(", ".join(f"{state}: {counted(count, 'file')}" for state, count in sorted(states.items())) or "no index")
    if states["differs"]:
        raise CommandError("the index is not what the lines say", "delete these files, then `auditwire index`")


def _add(builder: "IndexBuilder", place: "Objects", one: "Archived") -> bool:
    from auditwire.archive.errors import UnreadableError
    from auditwire.archive.stored_lines import inflated

    if one.modified is None:
        raise CommandError(f"nobody knows when {one.key} arrived")
    try:
        content = inflated(b"".join(place.read(one.key)), place.name(one.key))
    except UnreadableError as error:
        tell(str(error))
        return False
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    return builder.add(one.key, one.size, int(one.modified.timestamp()), lines)
