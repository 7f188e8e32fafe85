"""The ledger at the command line: which hours, which counts of CloudWatch, and what is said about them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditwire.ledger import SOURCES, Waiting, ledger
from auditwire.ledger.reading import clusters_measured
from auditwire.ledger.report import as_json, findings
from auditwire.measured import CountsWithheldError, counts_measured
from auditwire_cli.errors import UsageError
from auditwire_cli.ledger.ledger import _shown
from auditwire_cli.ledger.text import as_text
from auditwire_local.embedded_metrics import mended_metrics

Given = tuple[str | None, str | None, int | None]
NOW = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
HOUR = datetime(2026, 11, 22, 3, tzinfo=UTC)
NAMESPACE = "auditwire/test"
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("given", "first", "behind"),
    [
        ((None, None, None), "2026-11-21T04", "2026-11-22T04"),
        ((None, None, 1), "2026-11-22T03", "2026-11-22T04"),
        (("2026-11-20", None, None), "2026-11-20T00", "2026-11-22T04"),
        (("2h", "1h", None), "2026-11-22T01", "2026-11-22T03"),
        ((None, "2026-11-21", 2), "2026-11-20T22", "2026-11-21T00"),
        ((None, "2026-11-21T10:30:00Z", 1), "2026-11-21T10", "2026-11-21T11"),
    ],
)
def test_hours_are_whole_and_the_last_is_the_running_one(given: Given, first: str, behind: str) -> None:
    assert [moment.isoformat()[:13] for moment in _shown(*given, NOW)] == [first, behind]


@pytest.mark.parametrize(
    "given", [("1h", None, 2), ("1h", "2h", None), ("2026-11-23", None, None), ("noon", None, None)]
)
def test_hours_that_cannot_be_are_a_wrong_call(given: Given) -> None:
    with pytest.raises(UsageError):
        _shown(*given, NOW)


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with mock_aws(), mended_metrics():
        yield boto3.client("cloudwatch", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


def put(cloudwatch: Any, metric: str, service: str, cluster: str, value: float, when: datetime = HOUR) -> None:
    dimensions = [{"Name": "service", "Value": service}, {"Name": "cluster", "Value": cluster}]
    datum = {"MetricName": metric, "Dimensions": dimensions, "Value": value, "Timestamp": when}
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def test_counts_of_all_services_are_summed_by_cluster_and_hour(cloudwatch: Any) -> None:
    for minutes, value in ((0, 3), (59, 4), (60, 5)):
        put(cloudwatch, "AlertsPublished", "ingest", "prod", value, HOUR + timedelta(minutes=minutes))
    put(cloudwatch, "AlertsPublished", "watch", "prod", 1)
    put(cloudwatch, "AlertsDelivered", "relay", "_system", 2)
    put(cloudwatch, "EventsAlerted", "ingest", "dev", 9)

    clusters = clusters_measured(cloudwatch, NAMESPACE)
    counts = counts_measured(cloudwatch, NAMESPACE, clusters, SOURCES, HOUR, HOUR + timedelta(hours=2))

    assert clusters == {"prod", "dev", "_system"}
    assert counts == {
        ("prod", HOUR): {"AlertsPublished": 8},
        ("prod", HOUR + timedelta(hours=1)): {"AlertsPublished": 5},
        ("_system", HOUR): {"AlertsDelivered": 2},
    }


def test_more_clusters_than_one_request_may_ask_for(cloudwatch: Any) -> None:
    names = [f"c{number}" for number in range(90)]
    asked: list[int] = []
    cloudwatch.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: asked.append(len(params["MetricDataQueries"])),
    )
    for name in (names[0], names[-1]):
        put(cloudwatch, "EventsReceived", "ingest", name, 1)

    counts = counts_measured(cloudwatch, NAMESPACE, names, SOURCES, HOUR, HOUR + timedelta(hours=1))

    assert set(counts) == {("c0", HOUR), ("c89", HOUR)}
    assert max(asked) == 500
    assert sum(asked) == 90 * sum(map(len, SOURCES.values()))


def test_counts_that_are_kept_back_are_not_taken_for_none() -> None:
    class Short:
        def get_paginator(self, name: str) -> Any:
            return self

        def paginate(self, **request: Any) -> Any:
            return [
                {"MetricDataResults": [{"Id": "m0", "StatusCode": "InternalError", "Timestamps": [], "Values": []}]}
            ]

    with pytest.raises(CountsWithheldError, match="InternalError"):
        counts_measured(Short(), NAMESPACE, ["prod"], SOURCES, HOUR, HOUR + timedelta(hours=1))


def rows(waiting: Waiting | None = None, *, settled: bool = True, **counts: int) -> Any:
    return rows_of(counts, waiting, settled=settled)


def rows_of(counts: dict[str, int], waiting: Waiting | None = None, *, settled: bool = True) -> Any:
    before = HOUR + timedelta(hours=1 if settled else 0)
    return ledger({("prod", HOUR): counts}, waiting or Waiting(), settled_before=before)


@pytest.mark.parametrize(
    ("counts", "code", "loss"),
    [
        ({"EventsReceived": 3, "EventsArchived": 2}, "events_missing", True),
        ({"EventsReceived": 3, "EventsArchived": 4}, "events_twice", True),
        ({"AlertsOutboxed": 1}, "outbox_missing", True),
        ({"AlertsPublished": 1}, "alerts_missing", True),
        ({"EventsReceived": 3, "EventsNotStored": 3}, "not_stored", False),
        ({"AlertsUnpublished": 2}, "not_published", False),
        ({"AlertsRefused": 1}, "refused", False),
        ({"AlertsOutboxed": 1, "OutboxRefused": 1}, "refused", False),
        ({"AlertsDelivered": 1}, "repeated", False),
    ],
)
def test_each_finding_has_a_sentence_and_a_section_to_read(counts: dict[str, int], code: str, loss: bool) -> None:
    found = rows_of(counts)
    (finding,) = findings(found[0])
    page, _, section = finding.read.partition("#")
    text = as_text(found, Waiting())

    assert (finding.code, finding.is_loss) == (code, loss)
    assert page == "docs/ledger.md"
    headings = re.findall(r"^### (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert section in {heading.lower().replace(" ", "-") for heading in headings}
    assert f"prod 2026-11-22 03:00: {finding.sentence}; see docs/ledger.md#{section}\n" in text
    assert text.endswith("1 of 1 settled hour does not balance" if loss else "1 settled hour balances")
    assert as_json(found, Waiting())["balances"] is not loss


def test_an_hour_that_is_not_over_is_not_judged() -> None:
    found = rows(settled=False, AlertsPublished=2, AlertsDelivered=1)
    text = as_text(found, Waiting())

    assert "1 of 2 alerts published" in text
    assert "(counts of this hour may still come)" in text
    assert text.endswith("no hour is settled yet; 1 may still change")
    assert as_json(found, Waiting())["balances"] is True


def test_what_waits_is_shown_and_nothing_is_said_about_it() -> None:
    waiting = Waiting(queue=2, outbox={"prod": 1})
    found = rows(waiting, AlertsOutboxed=3, OutboxPublished=2, AlertsPublished=1, AlertsDelivered=1)

    assert list(findings(found[0])) == []
    lines = as_text(found, waiting).splitlines()
    assert lines[1].split()[-3:] == ["0", "3", "yes"]
    assert lines[2] == "waiting now: 2 in the alerts queue, 1 in the outbox"


def test_no_counts_at_all_are_said() -> None:
    assert as_text([], Waiting()) == "nothing was counted in these hours"
