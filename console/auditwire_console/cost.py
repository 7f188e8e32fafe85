"""What a search costs, told before it runs: none costs more than may be spent without a question."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from auditwire.search.price import Price

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.search import Coverage, Engine, Page, Query, Summary, Wanted
    from auditwire.search.engine import Hit


class PricedEngine(Protocol):
    """An Engine that says what an answer costs at most. One that counts reads the index several times."""

    name: str

    def price(self, query: "Query", statements: int = 1, within: "Coverage | None" = None) -> Price:
        """See IndexedEngine.price."""

    def rows(self, query: "Query", page: "Page", coverage: "Coverage") -> "Iterator[Hit]":
        """See Engine.rows."""

    def summarise(self, query: "Query", wanted: "Wanted", coverage: "Coverage") -> "Summary":
        """See Engine.summarise."""


class TooExpensiveError(Exception):
    """A search that costs more than may be spent without a question, ``limit``. ``engine`` is the cheapest of those
    that there are, and ``may_agree`` says whether whoever asks may spend more."""

    def __init__(self, price: Price, engine: str, limit: float, *, may_agree: bool) -> None:
        super().__init__(f"this search may cost ${price.dollars:,.2f}: more than may be spent without a question")
        self.price, self.engine, self.limit, self.may_agree = price, engine, limit, may_agree

    def as_json(self) -> dict[str, Any]:
        """The price for the page."""
        return price_as_json(self.price, self.engine, self.limit, may_agree=self.may_agree)


@dataclass(frozen=True, slots=True)
class Costs:
    """The engines that may answer, the preferred one first, and what an answer may cost in dollars without a question.

    Without engines nothing is paid for, and nobody is asked. The last engine answers whatever it is asked; those before
    it only what reads at most ``reach`` bytes, for more they do not read in time.
    """

    engines: tuple[PricedEngine, ...] = ()
    limit: float = 0.0
    reach: float = math.inf

    def choose(self, query: "Query", statements: int, agreed: float, within: "Coverage") -> tuple[PricedEngine, Price]:
        """The first engine that costs no more than the limit, or than what was agreed to, and reaches far enough. If
        there is none, the cheapest that does. Raises OutOfTimeError."""
        prices: list[tuple[float, int, PricedEngine, Price]] = []
        for number, engine in enumerate(self.engines):
            price = engine.price(query, statements, within)
            if price.bytes > self.reach and number + 1 < len(self.engines):
                continue
            if price.dollars <= max(self.limit, agreed):
                return engine, price
            prices.append((price.dollars, number, engine, price))
        return min(prices, key=lambda one: one[:2])[2:]


class Costed:
    """An Engine that answers by the engine that Costs chooses, and raises TooExpensiveError before it costs more than
    the limit or than ``agreed``."""

    def __init__(self, costs: Costs, agreed: float, *, may_agree: bool) -> None:
        self._costs, self._agreed, self._may_agree = costs, agreed, may_agree
        self.name = costs.engines[0].name

    def rows(self, query: "Query", page: "Page", coverage: "Coverage") -> "Iterator[Hit]":
        """See Engine.rows."""
        return self._engine(query, 1, coverage).rows(query, page, coverage)

    def summarise(self, query: "Query", wanted: "Wanted", coverage: "Coverage") -> "Summary":
        """See Engine.summarise."""
        return self._engine(query, statements_of(wanted), coverage).summarise(query, wanted, coverage)

    def _engine(self, query: "Query", statements: int, within: "Coverage") -> "Engine":
        engine, price = self._costs.choose(query, statements, self._agreed, within)
        if price.dollars > max(self._costs.limit, self._agreed):
            raise TooExpensiveError(price, engine.name, self._costs.limit, may_agree=self._may_agree)
        return engine


FREE: Final = Costs()
"""Nothing is paid for."""


def statements_of(wanted: "Wanted") -> int:
    """How many times the index is read for counts."""
    return 1 + bool(wanted.groups) + bool(wanted.histogram) + len(wanted.facets) + len(wanted.distinct)


def price_as_json(price: Price, engine: str, limit: float, *, may_agree: bool) -> dict[str, Any]:
    """A price for the page, and whether whoever asks may spend more than the limit."""
    return {
        "mayAgree": may_agree,
        "objects": price.objects,
        "bytes": price.bytes,
        "dollars": price.dollars,
        "engine": engine,
        "limit": limit,
    }
