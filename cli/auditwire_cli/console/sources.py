"""What `auditwire console` shows: a stack, or folders with archive files."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.query.engines import DEFAULT_MAX_COST, EngineName, athena_engine
from auditwire_cli.stack import Deployment, Stack

if TYPE_CHECKING:
    from auditwire.evidence.store import Reader
    from auditwire.evidence.walk import Keys
    from auditwire.rules import RuleSet
    from auditwire.search.duckdb_engine import DuckDBEngine
    from auditwire.search.place import Objects
    from auditwire_console import Source
    from auditwire_console.cost import Costs

_HOUR: Final = timedelta(hours=1)
_HOURS_OF_LEDGER: Final = 24
_SETS_KEPT: Final = 16
_FRESH_SECONDS: Final = 5
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


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
    asked = _Asked(stack, found)
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
        rules=asked.rules,
        clusters=asked.clusters,
        rules_of=asked.rules_of,
        ledger=asked.ledger,
    )


class _Asked:
    """What a stack is asked beside its archive."""

    def __init__(self, stack: Stack, found: Deployment) -> None:
        self._stack, self._found = stack, found
        self._known: dict[str, RuleSet] = {}
        self._default: RuleSet | None = None
        self._in_force: RuleSet | None = None
        self._fresh_until = 0.0

    def rules(self) -> "RuleSet | None":
        """The rules in force, at most some seconds ago; None where they cannot be read."""
        moment = time.monotonic()
        if moment >= self._fresh_until:
            self._in_force, self._fresh_until = self._read_rules(), moment + _FRESH_SECONDS
        return self._in_force

    def _read_rules(self) -> "RuleSet | None":
        from auditwire_cli.rules.bundles import read_active

        try:
            active = read_active(self._stack.rules_bucket())
        except CommandError:
            return None
        return self._shipped() if active is None else self.rules_of(active.digest)

    def rules_of(self, digest: str) -> "RuleSet | None":
        """The rules of this digest; None where their bundle is gone, or cannot be read."""
        from auditwire_cli.rules.bundles import read_bundle

        if not _DIGEST.fullmatch(digest):
            return None
        if digest not in self._known:
            try:
                rules = read_bundle(self._stack.rules_bucket(), digest).rule_set
            except CommandError:
                # Shipped rules are in no bundle; those of another version are not known here.
                shipped = self._shipped()
                return shipped if shipped.digest == digest else None
            if len(self._known) >= _SETS_KEPT:
                self._known.clear()
            self._known[digest] = rules
        return self._known[digest]

    def _shipped(self) -> "RuleSet":
        """The rules that decide before any are published."""
        from auditwire.rules.pack import default_rule_set

        if self._default is None:
            self._default = default_rule_set()
        return self._default

    def clusters(self) -> Sequence[Mapping[str, Any]]:
        """What is registered."""
        from auditwire_cli.cluster.clusters import as_json, open_clusters

        listing = open_clusters(self._stack).table.list()
        return [as_json(one, now()) for one in listing.registrations]

    def ledger(self, around: datetime | None = None) -> Mapping[str, Any]:
        """The counts of the last day, or of the hour of a moment and the one after it."""
        from auditwire_cli.ledger.ledger import read_ledger
        from auditwire_cli.ledger.text import as_json

        moment = now()
        end = moment.replace(minute=0, second=0, microsecond=0) + _HOUR
        shown = (end - _HOURS_OF_LEDGER * _HOUR, end)
        if around is not None:
            first = around.replace(minute=0, second=0, microsecond=0)
            shown = (first, first + 2 * _HOUR)
        return as_json(*read_ledger(self._found, None, shown, moment, judge_all=False))


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
