"""DuckDB on the index: on this machine, without a service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from auditwire.search.dialects import DuckDBDialect
from auditwire.search.index_reader import IndexReader
from auditwire.search.indexed import IndexedEngine, Selector

if TYPE_CHECKING:
    from auditwire.search.answer import Coverage
    from auditwire.search.index_files import Split
    from auditwire.search.place import Objects
    from auditwire.search.sql import Condition


class DuckDBEngine(IndexedEngine):
    """An Engine that needs no more memory than ``memory``, beside a few objects."""

    name = "duckdb"
    dialect = DuckDBDialect()
    has_events: ClassVar[bool] = True

    def __init__(self, place: "Objects", *, memory: str = "1GB", threads: int = 2, within_aws: bool = False) -> None:
        self._reader = IndexReader(place, memory=memory, threads=threads)
        super().__init__(place, self._reader, within_aws=within_aws)

    @contextmanager
    def selected(
        self, parts: "Split", condition: "Condition", coverage: "Coverage", *, newest: bool = False
    ) -> Iterator[Selector]:
        """See IndexedEngine.selected."""
        del newest
        with self._reader.source(parts, condition, coverage) as source:
            yield source
