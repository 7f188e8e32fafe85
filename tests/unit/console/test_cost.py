"""What a search costs is told before it runs, and nothing runs that costs more than may be spent."""

import pytest

from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.scan import Scan
from auditwire_console import Grant, Limits, Viewer
from auditwire_console.cost import Costs
from console_client import Console
from local_road import exec_event
from paid import Paid
from searched import Archive

SHOP = Viewer("shop", (Grant(None, frozenset({"shop"})),))
NOBODY = Viewer("nobody")


def console(limit: float, *dollars: float) -> tuple[Console, list[Paid]]:
    """A console whose engines cost so much, the preferred one first."""
    archive = Archive()
    archive.take([exec_event(1), exec_event(2)])
    names = ("duckdb", "athena")
    engines = [Paid(Scan(archive.store), name, each) for name, each in zip(names, dollars, strict=False)]
    return Console(archive.store, SHOP, NOBODY, costs=Costs(tuple(engines), limit)), engines


PATHS = ("rows", "summary", "export", "clusters", "rules", "rule", "alerts")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_read_that_costs_more_than_may_be_spent(path: str) -> None:
    asked, (engine,) = console(0.5, 1.0)

    response = asked.get(f"/api/{path}", {"interval": "1h"})

    assert response.status_code == 402
    price = response.json()["price"]
    assert (price["engine"], price["limit"], price["objects"]) == ("duckdb", 0.5, 7)
    assert price["dollars"] >= 1
    assert engine.asked == []


@pytest.mark.parametrize("path", PATHS)
def test_what_was_agreed_to_is_read(path: str) -> None:
    asked, (engine,) = console(0.5, 1.0)

    assert asked.get(f"/api/{path}", {"interval": "1h", "pay": "50"}).status_code == 200
    assert engine.asked


def test_agreeing_to_less_than_it_costs_does_not_do() -> None:
    asked, (engine,) = console(0.0, 1.0)

    assert asked.get("/api/rows", {"pay": "0.99"}).status_code == 402
    assert asked.get("/api/rows", {"pay": "1.0"}).status_code == 200
    assert len(engine.asked) == 1


def test_the_first_engine_that_is_cheap_enough_answers() -> None:
    both_cheap, (duckdb, athena) = console(1.0, 0.5, 0.1)
    both_cheap.ask("/api/rows")
    assert (len(duckdb.asked), len(athena.asked)) == (1, 0)

    one_cheap, (duckdb, athena) = console(1.0, 5.0, 0.1)
    one_cheap.ask("/api/rows")
    assert (len(duckdb.asked), len(athena.asked)) == (0, 1)

    neither, _ = console(1.0, 9.0, 5.0)
    assert neither.get("/api/rows").json()["price"]["engine"] == "athena"


@pytest.mark.parametrize(("reach", "answering"), [(4_999_999, "athena"), (5_000_000, "duckdb")])
def test_what_the_first_engine_does_not_read_in_time_the_last_one_answers(reach: int, answering: str) -> None:
    archive = Archive()
    engines = [Paid(Scan(archive.store), name, 0.0) for name in ("duckdb", "athena")]
    asked = Console(archive.store, SHOP, costs=Costs(tuple(engines), 1.0, reach))
    alone = Console(archive.store, SHOP, costs=Costs((engines[0],), 1.0, reach))

    asked.ask("/api/rows")
    assert [engine.name for engine in engines if engine.asked] == [answering]
    # Better a part than nothing, where there is nobody else.
    alone.ask("/api/rows")
    assert engines[0].asked


def test_the_price_is_that_of_the_rows_and_of_every_count_beside_them() -> None:
    asked, (engine,) = console(100, 1.0)

    found = asked.ask("/api/price", [("interval", "1h"), ("facet", "verb"), ("facet", "user")])

    assert found["price"]["dollars"] == 1 + 1 + 1 + 2  # rows, the number, the histogram, two facets
    assert engine.asked == []


def test_a_viewer_pays_for_what_is_granted_alone() -> None:
    asked, (engine,) = console(0.5, 1.0)

    asked.get("/api/price", viewer="shop")
    asked.get("/api/rows", viewer="shop")
    assert all(SHOP.predicate in query.where.parts for query, _ in engine.priced)

    assert asked.ask("/api/rows", viewer="nobody")["rows"] == []
    assert asked.ask("/api/price", viewer="nobody") == {"price": None}


def test_a_viewer_of_a_part_agrees_to_nothing() -> None:
    asked, (engine,) = console(0.5, 1.0)

    response = asked.get("/api/rows", {"pay": "50"}, viewer="shop")

    assert (response.status_code, response.json()["price"]["mayAgree"]) == (402, False)
    assert asked.ask("/api/price", viewer="shop")["price"]["mayAgree"] is False
    assert engine.asked == []
    assert asked.get("/api/rows").json()["price"]["mayAgree"] is True


def test_kubesphere_s_api_is_asked_nothing_and_spends_nothing() -> None:
    asked, (engine,) = console(0.5, 1.0)

    for operation in ("query", "statistics", "histogram", "export"):
        response = asked.get("/kapis/tenant.kubesphere.io/v1alpha2/auditing/events", {"operation": operation})
        assert response.status_code == 500
        assert "may cost $" in response.text
    assert engine.asked == []


def test_where_nothing_is_paid_for_there_is_no_price() -> None:
    archive = Archive()
    archive.take([exec_event(1)])

    assert Console(archive.store).ask("/api/price") == {"price": None}
    assert Console(archive.store).ask("/api/about")["priced"] is False


@pytest.mark.parametrize("pay", ["much", "-1", "nan", "inf", "1e9"])
def test_an_amount_that_is_none_is_400(pay: str) -> None:
    asked, _ = console(1.0, 0.1)

    assert asked.get("/api/rows", {"pay": pay}).status_code == 400


def test_a_search_whose_objects_cannot_be_listed_in_time_is_not_answered_in_part() -> None:
    archive = Archive()
    archive.index(archive.take([exec_event(1)]))
    costs = Costs((DuckDBEngine(archive.store),), 1.0)
    asked = Console(archive.store, costs=costs, limits=Limits(seconds=-1, export_seconds=-1))

    for path in ("price", *PATHS):
        answer = asked.get(f"/api/{path}", {"interval": "1h"})
        assert answer.status_code == 413
        assert "narrow its time range" in answer.json()["problem"]
    assert asked.get("/kapis/logging.kubesphere.io/v1alpha2/auditing").status_code == 500
