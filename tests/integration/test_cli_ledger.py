"""The ledger of a running local system: it balances, through repeats and outages, until something is really lost."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alertmanagers import Fake, alertmanager
from dev_process import Dev, dev
from local_road import body_of, exec_event
from waiting import until

Ledger = dict[str, Any]


class Desk:
    """Somebody at a terminal with a running system, whose Alertmanager does what ``moods`` says."""

    def __init__(self, system: Dev, fake: Fake, moods: set[str]) -> None:
        self.system, self.fake, self.moods = system, fake, moods
        self.sqs = system.client("sqs")

    def ledger(self, *words: str) -> Ledger:
        return dict(self.system.json("ledger", "--judge-all", *words))

    def until(self, holds: Callable[[Ledger], bool]) -> Ledger:
        """The ledger once this holds: metrics take a second to arrive."""
        seen: list[Ledger] = []

        def check() -> bool:
            seen.append(self.ledger())
            return holds(seen[-1])

        until(check)
        return seen[-1]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    moods: set[str] = set()

    def respond(alerts: list[Any]) -> tuple[int, str]:
        if "down" in moods:
            return 503, "down"
        return (400, '"invalid"') if any(one["labels"].get("name") == "web-66" for one in alerts) else (200, "")

    with alertmanager(respond) as fake, dev(tmp_path_factory.mktemp("dev"), "--alertmanager", fake.url) as system:
        yield Desk(system, fake, moods)


def sums(ledger: Ledger, cluster: str | None = None) -> Counter[str]:
    """Each count, over the rows of one cluster or of all; 0 while there is no row yet."""
    rows = [row for row in ledger["rows"] if cluster in (None, row["cluster"])]
    return Counter(
        {name: sum(row[name] for row in rows) for name in rows[0] if type(rows[0][name]) is int} if rows else {}
    )


def findings(ledger: Ledger) -> list[str]:
    return [finding["code"] for row in ledger["rows"] for finding in row["findings"]]


def test_traffic_balances_and_so_do_repeats(desk: Desk) -> None:
    twice = body_of(exec_event(1), exec_event(2), exec_event(3, verb="list", objectRef={"resource": "pods"}))
    for body in (twice, twice, body_of(exec_event(66))):
        desk.system.send(body)
    desk.system.send(b'{"kind": "Ev', "demo-ks")

    found = desk.until(
        lambda ledger: sums(ledger, "demo")["dead_lettered"] == 1 and sums(ledger, "demo")["delivered"] == 4
    )

    demo = sums(found, "demo")
    assert (demo["received"], demo["ignored"], demo["archived"], demo["not_stored"]) == (7, 2, 5, 0)
    assert (demo["published"], demo["outboxed"], demo["waiting"]) == (5, 0, 0)
    assert sums(found, "demo-ks")["quarantined"] == sums(found, "demo-ks")["received"] == 1
    found = desk.until(lambda ledger: sums(ledger)["published"] == sums(ledger)["delivered"] + 1)
    assert (found["balances"], findings(found)) == (True, [])
    text = desk.system.run("ledger", "--judge-all", "--cluster", "demo")
    assert text.exit_code == 0
    assert "demo-ks" not in text.stdout
    assert re.search(r"settled hours? balances?$", text.stdout.splitlines()[-1])


def test_an_alert_about_the_system_balances_under_its_own_word(desk: Desk) -> None:
    broken = b"apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Rule\nmetadata: {name: x}\nspec: 7\n"
    desk.system.client("s3").put_object(Bucket=desk.system.outputs["RulesBucket"], Key="rules/x.yaml", Body=broken)

    found = desk.until(lambda ledger: sums(ledger, "_system")["delivered"] == 1)

    assert sums(found, "_system")["published"] == 1
    desk.system.client("s3").delete_object(Bucket=desk.system.outputs["RulesBucket"], Key="rules/x.yaml")


def test_what_waits_is_not_missing_and_what_was_deleted_is_until_it_is_found_dead(desk: Desk) -> None:
    desk.moods.add("down")
    desk.system.send(body_of(exec_event(101)))
    waiting = desk.until(lambda ledger: sums(ledger, "demo")["waiting"] == 1)
    assert waiting["balances"]

    desk.sqs.purge_queue(QueueUrl=desk.system.outputs["AlertsQueueUrl"])
    lost = desk.until(lambda ledger: not ledger["balances"])
    desk.moods.clear()

    assert findings(lost) == ["alerts_missing"]
    assert sums(lost, "demo")["missing_alerts"] == 1
    said = desk.system.run("ledger", "--judge-all")
    assert said.exit_code == 1
    assert "was neither delivered nor moved to the dead letters" in said.stdout
    assert said.stdout.splitlines()[-1].endswith("does not balance")

    # As SQS puts it there after too many receipts, seen by no function.
    body = json.dumps({"labels": {"alertname": "AttachOrExecPod", "cluster": "demo", "name": "web-101"}})
    desk.sqs.send_message(QueueUrl=desk.system.outputs["DeadLetterQueueUrl"], MessageBody=body)
    found = desk.until(lambda ledger: bool(ledger["balances"]))
    assert sums(found, "demo")["dead_lettered"] == sums(lost, "demo")["dead_lettered"] + 1


@pytest.mark.parametrize("words", [("--cluster", "../x"), ("--from", "noon"), ("--from", "1h", "--hours", "2")])
def test_what_cannot_be_is_a_wrong_call(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.system.run("ledger", *words).exit_code == 2
