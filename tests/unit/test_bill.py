"""The bill: what a month costs, storage included, and that the page has the fixed costs of this template."""

import re

import bill
import evidence_bill
import pytest
from cost import Prices, Setting, Traffic, cost_of_a_million, fixed_month, flood_day, month

from pages import ROOT
from template import of_type, source

PAGE = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
TRAFFIC = Traffic(batch=25, body=1_600, line=350, item=1_090, archived=0.5, alerts=0.001, cpu=0.002)


def test_storage_grows_with_what_is_kept_and_the_rest_with_what_comes() -> None:
    for store in ("s3", "dynamodb"):
        cost = cost_of_a_million(TRAFFIC, store)
        assert month(cost, 1, 0) == pytest.approx(cost.total)
        assert month(cost, 10, 12) == pytest.approx(10 * (cost.total + 12 * cost.storage_month))


def test_recovery_and_indexes_are_paid_for() -> None:
    cost = cost_of_a_million(TRAFFIC, "dynamodb")
    size, entries = 1_090 + Setting().item_overhead, 3 * Setting().item_overhead
    assert cost.storage_month == pytest.approx(0.5 * (size * (0.25 + 0.20) + entries * 0.25) / 1_000)


def test_the_class_for_infrequent_access_pays_when_events_are_kept_for_long() -> None:
    figures = {"Request body": 1_600.0, "Request line": 350.0, "Request item": 1_090.0, "kept": 0.46}
    figures["Request batch 25"] = 500.0
    usual, rare = bill.table_classes(figures, 1)
    assert usual < rare
    usual, rare = bill.table_classes(figures, 12)
    assert rare < 0.8 * usual
    # So at the default retention it is the default.
    parameters = source()["Parameters"]
    assert parameters["ArchiveRetentionDays"]["Default"] == 365
    assert parameters["ArchiveTableClass"]["Default"] == "infrequent"


def test_the_page_has_the_fixed_costs_of_the_template() -> None:
    metrics, alarms, dollars = bill.fixed()
    said = " ".join(PAGE.split())
    found = re.search(r"about (\d+) dollars a month: (\d+) metrics .*?, (\d+) alarms", said)
    assert found
    assert abs(int(found[1]) - dollars) < 3
    assert abs(int(found[2]) - metrics) <= 5
    assert abs(int(found[3]) - alarms) <= 8
    assert dollars == fixed_month(metrics, alarms)


def test_the_pages_have_what_evidence_and_searches_cost() -> None:
    assert "\n".join(evidence_bill.evidence_rows(Prices())) in PAGE
    console = (ROOT / "docs/console.md").read_text(encoding="utf-8")
    assert "\n".join(evidence_bill.console_rows(Prices())) in console
    assert "\n".join(evidence_bill.deployed_rows(Prices())) in console


def test_evidence_costs_by_the_object_and_by_the_event() -> None:
    one, twice = (evidence_bill.evidence(gb, 400, Prices()) for gb in (1, 2))
    small = evidence_bill.evidence(1, 25, Prices())

    assert (twice.requests, twice.storage) == pytest.approx((2 * one.requests, 2 * one.storage))
    assert small.requests == pytest.approx(16 * one.requests)
    assert small.storage == one.storage
    assert evidence_bill.athena(0.001, 3, Prices()) == evidence_bill.athena(0.01, 3, Prices())


def test_the_page_has_the_flood_at_the_throttle() -> None:
    throttle = source()["Parameters"]["ThrottleRatePerSecond"]["Default"]
    assert f"costs about {flood_day(throttle):.0f} dollars" in " ".join(PAGE.split())
    assert flood_day(2 * throttle) == pytest.approx(2 * flood_day(throttle))


def test_the_archive_table_has_the_chosen_class() -> None:
    table = of_type(source(), "AWS::DynamoDB::Table")["ArchiveTable"]
    assert table["TableClass"]["Fn::If"] == ["StoresInfrequent", "STANDARD_INFREQUENT_ACCESS", "STANDARD"]
