"""An engine with a price, for tests of what asks before it spends."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from auditwire.search import Engine, Summary
from auditwire.search.price import Price


@dataclass
class Paid:
    """An engine that has its price for each time that its index is read, and notes what it was asked."""

    engine: Engine
    name: str
    dollars: float
    asked: list[Any] = field(default_factory=list)
    priced: list[Any] = field(default_factory=list)

    def price(self, query: Any, statements: int = 1, within: Any = None) -> Price:
        self.priced.append((query, statements))
        return Price(7, 5_000_000 * statements, self.dollars * statements)

    def rows(self, query: Any, page: Any, coverage: Any) -> Iterator[Any]:
        self.asked.append(query)
        return self.engine.rows(query, page, coverage)

    def summarise(self, query: Any, wanted: Any, coverage: Any) -> Summary:
        self.asked.append(query)
        return self.engine.summarise(query, wanted, coverage)
