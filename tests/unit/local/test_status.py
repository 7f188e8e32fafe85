"""Counters come from the lines the functions log."""

import json
from pathlib import Path

import pytest

from auditwire_cli.dev.summary import alert_lines, headline
from auditwire_local.status import ArchivePlace, Logbook, alert_in

PLACE = ArchivePlace("b", "aws s3 ls")


def _batch(**fields: object) -> str:
    entry = {"level": "INFO", "message": "batch", "received": 0, "archived": 0, "alerted": 0, **fields}
    return json.dumps(entry)


def test_batches_are_summed_up() -> None:
    logbook = Logbook()
    first = _batch(received=5, archived=3, alerted=1, ignored={"no_rule": 2}, alerts={"d.r": 1})
    second = _batch(received=2, archived=0, ignored={"no_rule": 1}, quarantined={"bad_item": 1}, stored_before=True)
    logbook.add("ingest", [first, second, _batch(empty=True)])

    status = logbook.status(PLACE)

    assert status.balance == "balance received=7 ignored=3 archived=3 alerted=1 quarantined=1"
    assert (status.requests, status.empty, status.repeated) == (3, 1, 1)
    assert (status.ignored, status.quarantined, status.alerts) == ({"no_rule": 3}, {"bad_item": 1}, {"d.r": 1})


def test_what_was_not_stored_is_part_of_the_balance() -> None:
    logbook = Logbook()
    logbook.add("ingest", [_batch(received=5, not_stored=5), _batch(received=5, archived=5)])

    status = logbook.status(PLACE)

    assert status.not_stored == 5
    assert status.balance == "balance received=10 ignored=0 archived=5 alerted=0 quarantined=0 not_stored=5"


def test_the_logbook_says_at_once_what_went_into_the_outbox() -> None:
    logbook = Logbook()

    assert logbook.add("ingest", [_batch(outboxed=3), _batch(), _batch(outboxed=1)]) == 4
    assert logbook.add("ingest", [_batch(received=1)]) == 0


def test_the_relay_and_refusals_and_failures_are_counted() -> None:
    logbook = Logbook()
    relay = {"message": "relay", "delivered": 2, "failed": 1, "dead_lettered": 1, "peers": {"http://a": "ok"}}
    logbook.add("relay", [json.dumps(relay)])
    logbook.add("ingest", [json.dumps({"message": "unauthorized"}), "Traceback", "{broken", '["list"]'])
    logbook.add_failure("ingest")
    logbook.add_alert({"labels": {}})

    status = logbook.status(PLACE)

    assert (status.delivered, status.undelivered, status.dead_lettered) == (2, 1, 1)
    assert (status.unauthorized, status.failures, status.peers) == (1, {"ingest": 1}, {"http://a": "ok"})
    assert status.latest_alerts == ({"labels": {}},)
    assert logbook.lines("relay") == [json.dumps(relay)]
    assert logbook.lines()[2:] == ["Traceback", "{broken", '["list"]']


def test_lines_also_go_to_a_file(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path / "log")
    logbook.add("ingest", ["one", "two"])
    logbook.close()

    assert (tmp_path / "log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    "body",
    ["[]", "null", "7", '"text"', "{", "", "{}", '{"labels": []}', '{"labels": {"alertname": ["x"]}}',
     '{"labels": {"alertname": "x"}, "annotations": "y"}'],
)  # fmt: skip
def test_what_is_no_alert_is_not_shown(body: str) -> None:
    assert alert_in(body) is None


@pytest.mark.parametrize(
    "body",
    [
        {"labels": {"alertname": "x"}, "auditwire": []},
        {"labels": {"alertname": "x"}, "auditwire": {"rule": 5, "count": "many"}},
        {"labels": {"alertname": "x", "number": 5}, "annotations": None, "generatorURL": ["x"]},
        {"labels": {"alertname": "x"}, "annotations": {"message": "m"}, "auditwire": {"rule": "d.r", "count": 2}},
    ],
)
def test_whatever_somebody_publishes_can_be_shown(body: object) -> None:
    alert = alert_in(json.dumps(body))
    assert alert is not None
    assert headline(alert)
    assert list(alert_lines(alert))
