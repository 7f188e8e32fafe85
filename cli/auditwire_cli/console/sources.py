"""What `auditwire console` shows: a stack, or folders with archive files."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire_cli.errors import UsageError
from auditwire_cli.query.engines import DEFAULT_MAX_COST, EngineName, athena_engine
from auditwire_cli.stack import Deployment, Stack

if TYPE_CHECKING:
    from auditwire.evidence.store import Reader
    from auditwire.evidence.walk import Keys
    from auditwire.search.duckdb_engine import DuckDBEngine
    from auditwire.search.place import Objects
    from auditwire_console import Source
    from auditwire_console.cost import Costs
    from auditwire_console.stack import StackFacts


def now() -> datetime:
    """The clock of the console."""
    return datetime.now(UTC)


def source_of_folders(folders: Sequence[Path], keys: "Keys") -> "Source":
    """Copies of an archive bucket, or of parts of it, as one. Raises UsageError for what is none."""
    from auditwire.evidence.folder import FolderReader
    from auditwire.evidence.joined import JoinedReader
    from auditwire.evidence.verify import clusters_in
    from auditwire_console import Source

    readers = [FolderReader(folder) for folder in folders]
    for folder, each in zip(folders, readers, strict=True):
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}", "give a copy of the archive bucket")
        if not clusters_in(each):
            raise UsageError(f"{folder} is not a copy of an archive", "one has events/cluster=…")
    reader: Reader = readers[0] if len(readers) == 1 else JoinedReader(readers)
    title = f"folder {folders[0]}" if len(folders) == 1 else f"{len(folders)} folders: {', '.join(map(str, folders))}"
    return Source(title=title, engine=_engine(reader), reader=reader, keys=keys, now=now)


def source_of_stack(
    stack: Stack, keys: "Keys", engine: EngineName = EngineName.AUTO, max_cost: float = DEFAULT_MAX_COST
) -> "Source":
    """A stack, and what a search may cost. Raises UsageError for an archive in DynamoDB, and errors of botocore."""
    from auditwire.evidence.s3 import S3Store
    from auditwire_console import Source

    found = stack.find()
    if found.outputs.get("ArchiveTable"):
        raise UsageError(
            "this stack archives events in DynamoDB, which the console does not search",
            "`auditwire query` does; docs/console.md says what the console reads",
        )
    reader = S3Store(found.client("s3"), found.output("ArchiveBucket"))
    facts = _facts(found)
    title = f"dev ({stack.state_file})" if stack.state_file else f"stack {found.name}"
    costs = _costs(found, engine, max_cost, is_local=stack.state_file is not None)
    return Source(
        title=title,
        engine=costs.engines[0] if costs.engines else _engine(reader),
        costs=costs,
        reader=reader,
        keys=keys or _own_key(found),
        now=now,
        live=True,
        rules=facts.rules,
        clusters=facts.clusters,
        rules_of=facts.rules_of,
        ledger=facts.ledger,
    )


def _facts(found: Deployment) -> "StackFacts":
    from auditwire.bundles.rules_bucket import S3RulesBucket
    from auditwire.clusters import ClustersTable
    from auditwire_cli.ledger.ledger import counters_of
    from auditwire_console.stack import StackFacts

    bucket = S3RulesBucket(found.client("s3"), found.output("RulesBucket"))
    table = ClustersTable(found.client("dynamodb"), found.output("ClustersTable"))
    return StackFacts(bucket, table, counters_of(found), now)


def _engine(reader: "Objects") -> "DuckDBEngine":
    from auditwire.search.duckdb_engine import DuckDBEngine

    return DuckDBEngine(reader)


def _costs(found: Deployment, name: EngineName, max_cost: float, *, is_local: bool) -> "Costs":
    """What searching a stack costs, and by which engines. One machine asks for no money."""
    from auditwire.search.bucket import BucketObjects
    from auditwire_console.cost import FREE, Costs

    place = BucketObjects(found.client("s3"), found.output("ArchiveBucket"))
    if name is EngineName.ATHENA:
        return Costs((athena_engine(found, place),), max_cost)
    if is_local:
        return FREE
    has_athena = name is EngineName.AUTO and "AthenaWorkGroup" in found.outputs
    return Costs((_engine(place), *((athena_engine(found, place),) if has_athena else ())), max_cost)


def _own_key(found: Deployment) -> "Keys":
    """The key that the stack signs with; none where there is none, or it may not be read."""
    from botocore.exceptions import BotoCoreError, ClientError

    from auditwire_cli.evidence.pem import by_fingerprint, key_in_kms

    arn = found.outputs.get("SealKeyArn")
    if arn is None:
        return {}
    try:
        return by_fingerprint([key_in_kms(found.client("kms"), arn)])
    except (BotoCoreError, ClientError):
        return {}
