"""The load test in short, and that its books would tell of anything lost: `make load` is the long version."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from books import Sent, StoredEvents, differences
from senders import BAD, REFUSED, Sender

from auditwire_cli.send.shape import Shape

LOAD = Path(__file__).parents[2] / "benchmarks/load.py"
SEED = 5


def test_what_many_senders_sent_is_there_to_the_last_event() -> None:
    command = [sys.executable, str(LOAD), "--senders", "24", "--bodies", "3", "--seed", str(SEED), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    figures = json.loads(done.stdout)
    assert figures["differences"] == []
    assert done.returncode == 0, done.stderr
    assert figures["events"]["received"] == sum(
        figures["events"][name] for name in ("ignored", "archived", "quarantined")
    )
    assert min(*figures["events"].values(), figures["alerts"]["delivered"], figures["alerts"]["dead_lettered"]) > 0
    assert figures["faults"]


def books() -> tuple[Sent, Counter[str], StoredEvents]:
    """The books of a run in which everything went well."""
    sent = Sent()
    for number in range(12):
        for delivery in Sender(number, SEED, most=20).deliveries(12):
            sent.add(delivery, delivery.status)
    counts = Counter(
        {f"batch.{name}": sent.totals[name] for name in ("received", "ignored", "archived", "quarantined")}
    )
    refused = {name for name in sent.alerts if name.endswith(REFUSED)}
    counts["unauthorized lines"] = sent.totals["unauthorized"]
    counts["batch.published"] = len(sent.alerts)
    counts["relay.delivered"], counts["relay.dead_lettered"] = len(sent.alerts - refused), len(refused)
    delivered, dead = frozenset(sent.alerts - refused), frozenset(refused)
    return sent, counts, StoredEvents(Counter(sent.archived), sent.totals["quarantined"], 0, delivered, dead)


def test_senders_send_every_shape_and_every_fault_and_know_what_becomes_of_it() -> None:
    deliveries = [one for number in range(24) for one in Sender(number, SEED, most=20).deliveries(40)]
    bad = [one for one in deliveries if one.fault]

    assert {Sender(number, SEED).shape for number in range(24)} == set(Shape)
    assert {one.fault for one in bad} == {"items", "broken", "gzip", "nan", "truncated", "credential"}
    assert BAD / 2 < len(bad) / len(deliveries) < BAD * 2
    assert {one.status for one in deliveries} == {200, 401}
    again = [one for number in range(24) for one in Sender(number, SEED, most=20).deliveries(40)]
    assert again == deliveries


def test_books_that_agree_say_nothing() -> None:
    assert differences(*books()) == []


@pytest.mark.parametrize("lost", ["batch.received", "batch.ignored", "batch.archived", "batch.quarantined"])
def test_a_count_that_is_one_off_is_told(lost: str) -> None:
    sent, counts, stored = books()
    counts[lost] -= 1

    assert len(differences(sent, counts, stored)) == 1


def test_whatever_is_missing_strange_or_double_is_told() -> None:
    sent, counts, stored = books()
    event, alert = min(sent.archived), min(stored.delivered)

    def told(**otherwise: Any) -> str:
        (sentence,) = differences(sent, counts, replace(stored, **otherwise))
        return sentence

    assert f"are missing, such as {event}" in told(archived=stored.archived - Counter([event]))
    assert "1 that nobody sent" in told(archived=stored.archived + Counter([("load-0", "forged")]))
    assert "lies in the archive 2 times" in told(archived=stored.archived + Counter([event]))
    assert "objects in quarantine" in told(quarantined=stored.quarantined - 1)
    assert "delivered alerts: 1 of" in told(delivered=stored.delivered - {alert})
    assert "dead letters: 1 that nobody sent" in told(dead=stored.dead | {"forged"})
    assert "objects of the outbox" in told(outboxed=1)


def test_an_answer_that_was_not_due_is_told() -> None:
    sent, counts, stored = books()
    delivery = next(Sender(0, SEED).deliveries(1))
    sent.add(delivery, 503)

    assert "load-0: 503 where 200 was due" in differences(sent, counts, stored)
