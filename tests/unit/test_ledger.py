"""What the ledger makes of counts: a loss stays where it happened, and nothing else is taken for one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.ledger import SET_ASIDE, Counts, Row, Waiting, ledger, total

START = datetime(2026, 11, 22, tzinfo=UTC)
FAR = START + timedelta(days=30)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def of(*hours: dict[str, int], cluster: str = "prod") -> Counts:
    """The counts of one cluster, hour by hour; an empty one is no hour at all."""
    return {(cluster, hour(number)): counts for number, counts in enumerate(hours) if counts}


def rows(counts: Counts, waiting: Waiting | None = None, settled_before: datetime = FAR) -> list[Row]:
    return ledger(counts, waiting or Waiting(), settled_before=settled_before)


def alerts(into: int, out: int) -> dict[str, int]:
    return {"AlertsPublished": into, "AlertsDelivered": out}


def missing(found: list[Row]) -> list[int]:
    return [row.queue.missing for row in found]


def test_events_balance_by_the_hour() -> None:
    parts = {"EventsIgnored": 334, "EventsArchived": 324, "EventsQuarantined": 2, "EventsNotStored": 40}
    (row,) = rows(of({"EventsReceived": 700, **parts}))
    assert (row.unaccounted, row.balances, row.settled) == (0, True, True)


@pytest.mark.parametrize(("archived", "unaccounted"), [(9, 1), (11, -1)])
def test_events_lost_or_counted_twice_do_not_balance(archived: int, unaccounted: int) -> None:
    first, second = rows(
        of({"EventsReceived": 10, "EventsArchived": archived}, {"EventsReceived": 1, "EventsIgnored": 1})
    )
    assert (first.unaccounted, first.balances) == (unaccounted, False)
    assert second.balances


def test_without_a_relay_alerts_end_on_the_topic() -> None:
    (row,) = ledger(of(alerts(3, 0)), Waiting(), settled_before=FAR, has_relay=False)
    assert (row.balances, row.queue.missing) == (True, 0)


def test_a_lost_alert_is_missing_in_its_hour_whatever_comes_after() -> None:
    found = rows(of(alerts(10, 10), alerts(10, 9), alerts(7, 7), alerts(5, 4), alerts(0, 1)))
    assert missing(found) == [0, 1, 0, 0, 0]
    assert [row.balances for row in found] == [True, False, True, True, True]


@pytest.mark.parametrize("out", ["AlertsDelivered", "AlertsDeadLettered", SET_ASIDE])
def test_alerts_may_come_out_hours_later_and_by_any_way(out: str) -> None:
    found = rows(of(alerts(3, 0), alerts(4, 0), {}, {}, {out: 7}))
    assert all(row.balances and not row.queue.repeated for row in found)


def test_what_comes_out_twice_is_repeated_and_not_missing() -> None:
    (row,) = rows(of(alerts(3, 5)))
    assert (row.queue.repeated, row.queue.missing, row.balances) == (2, 0, True)


def test_a_delivery_counted_before_the_turn_of_the_hour_belongs_to_what_was_counted_behind_it() -> None:
    assert [row.queue for row in rows(of(alerts(2, 3), alerts(3, 2)))] == [rows(of(alerts(1, 1)))[0].queue] * 2
    # Only over one turn: a repeat does not pay for a loss of any later hour.
    assert missing(rows(of(alerts(2, 3), {}, alerts(3, 2)))) == [0, 1]


def test_what_waits_in_the_queue_is_not_missing_and_taken_for_the_newest() -> None:
    both = {**of(alerts(3, 2), {}, alerts(5, 1)), **of({}, alerts(2, 0), cluster="dev")}
    found = rows(both, Waiting(queue=5))
    assert {(row.cluster, row.hour.hour): (row.queue.waiting, row.queue.missing) for row in found} == {
        ("dev", 1): (1, 1),
        ("prod", 0): (0, 1),
        ("prod", 2): (4, 0),
    }


def test_the_outbox_is_a_hop_of_its_own() -> None:
    counts = of(
        {"AlertsOutboxed": 5},
        {"OutboxPublished": 2, "OutboxRefused": 1, "AlertsDelivered": 2},
        {"AlertsOutboxed": 2},
    )
    lost, _, late = rows(counts, Waiting(outbox={"prod": 2, "dev": 9}))
    assert (lost.outbox.missing, lost.outbox.waiting, lost.balances) == (2, 0, False)
    assert (late.outbox.missing, late.outbox.waiting, late.balances) == (0, 2, True)
    assert lost.queue.missing == late.queue.missing == 0


def test_an_hour_is_settled_once_it_is_over() -> None:
    found = rows(of(alerts(1, 1), alerts(1, 1), alerts(1, 1)), settled_before=hour(2))
    assert [row.settled for row in found] == [True, True, False]


def test_rows_come_by_cluster_and_hour_and_their_sums_are_those_of_the_counts() -> None:
    found = rows({**of(alerts(1, 1), alerts(2, 3)), **of(alerts(4, 4), cluster="_system")})
    assert [(row.cluster, row.hour.hour) for row in found] == [("_system", 0), ("prod", 0), ("prod", 1)]
    assert total(found) == {"AlertsPublished": 7, "AlertsDelivered": 8}
    assert rows({}) == []


counted = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)


@given(counted, st.integers(0, 20))
def test_nothing_is_made_up(series: list[tuple[int, int]], queue: int) -> None:
    found = rows(of(*(alerts(into, out) for into, out in series)), Waiting(queue=queue))
    into, out = (sum(values) for values in zip(*series, strict=True)) if series else (0, 0)
    owed = sum(row.queue.missing + row.queue.waiting for row in found)
    repeated = sum(row.queue.repeated for row in found)
    assert owed - repeated == into - out
    assert sum(row.queue.waiting for row in found) == min(queue, owed)
    for row in found:
        assert 0 <= row.queue.missing + row.queue.waiting <= row.count("AlertsPublished")
        assert 0 <= row.queue.repeated <= row.count("AlertsDelivered")


@given(st.data())
def test_any_delivery_in_time_balances(data: Any) -> None:
    into = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=8))
    out = [0] * (len(into) + 4)
    for number, many in enumerate(into):
        for _ in range(many):
            out[number + data.draw(st.integers(0, 4))] += 1
    found = rows(of(*({"AlertsPublished": a, "AlertsDelivered": b} for a, b in zip(into + [0] * 4, out, strict=True))))
    assert all(row.balances and not row.queue.repeated for row in found)
