"""The relay against real Alertmanagers: both get the alert, one may be down, both may be down for long, one is bad."""

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from auditwire.alerts import (
    AlertmanagerPeer,
    MemoryDeadLetters,
    MemoryPublisher,
    PeerSource,
    Relay,
    Relayed,
    encode_message,
    fold,
)
from auditwire.alerts import deliver as post_to_all
from auditwire.alerts.relay import relay
from auditwire.events import User
from occurrences import event, occurrence, rule_of
from waiting import HANG_SECONDS, until

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

pytestmark = pytest.mark.skipif(
    BINARY is None, reason="Alertmanager is missing: apt-get install prometheus-alertmanager"
)

CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
TTL = timedelta(minutes=15)


class Alertmanager:
    """One Alertmanager process on a free loopback port; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "alertmanager.yml").write_text(CONFIGURATION)
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{self._address}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Alertmanager":
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    BINARY or "",
                    f"--config.file={self._folder / 'alertmanager.yml'}",
                    f"--storage.path={self._folder / 'data'}",
                    f"--web.listen-address={self._address}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
            )
        until(self._ready)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(HANG_SECONDS)
            self._process = None

    def alerts(self) -> dict[str, dict[str, Any]]:
        """What GET /api/v2/alerts gives, by alertname and user."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=HANG_SECONDS) as response:
            found = json.load(response)
        return {f"{alert['labels']['alertname']} {alert['labels'].get('user', '')}".strip(): alert for alert in found}

    def received(self) -> float:
        """How many alerts it has ever been sent."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=HANG_SECONDS) as response:
            lines = response.read().decode().splitlines()
        name = "alertmanager_alerts_received_total{"
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=HANG_SECONDS) as response:
                return bool(response.status == 200)
        except OSError:
            return False


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Alertmanager, Alertmanager]]:
    with ExitStack() as stack:
        both = Alertmanager(tmp_path / "one"), Alertmanager(tmp_path / "two")
        for each in both:
            stack.callback(each.stop)
            each.start()
        yield both


def queue_event(*users: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """An SQS event with one alert per user, as the topic hands them over, and other bodies after them."""
    alerts = fold(
        [occurrence(number, user=User(username=user)) for number, user in enumerate(users)],
        cluster="prod",
        bundle="b" * 64,
        archive_url="https://console/o?prefix=",
    )
    bodies = [encode_message(alert).decode() for alert in alerts] + list(more)
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def deliver(
    batch: dict[str, Any],
    *peers: Alertmanager,
    letters: MemoryDeadLetters | None = None,
    ttl: timedelta = TTL,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Relayed:
    made = [AlertmanagerPeer(peer.url) for peer in peers]
    return relay(batch, peers=made, dead_letters=letters or MemoryDeadLetters(), ttl=ttl, seconds=10, now=now)


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_both_get_the_alert_with_everything_it_says(two: tuple[Alertmanager, Alertmanager]) -> None:
    one, other = two
    before = datetime.now(UTC)
    done = deliver(queue_event("alice", "bob"), one, other)
    assert done.as_response() == {"batchItemFailures": []}
    assert done.peers == {one.url: "ok", other.url: "ok"}
    for peer in two:
        found = peer.alerts()
        assert set(found) == {"CreatePod alice", "CreatePod bob"}
        alert = found["CreatePod alice"]
        (sent,) = fold([occurrence(0)], cluster="prod", bundle="b" * 64)
        assert alert["labels"] == sent.labels
        assert alert["annotations"] == sent.annotations
        assert alert["generatorURL"].startswith("https://console/o?prefix=events/cluster=prod/")
        assert alert["status"]["state"] == "active"
        assert time_of(alert["startsAt"]) == time_of(event(0).stageTimestamp or "")
        # Alertmanager keeps milliseconds.
        assert timedelta(milliseconds=-1) <= time_of(alert["endsAt"]) - before - TTL < timedelta(minutes=1)


def test_one_is_down_and_the_other_gets_the_alert(two: tuple[Alertmanager, Alertmanager]) -> None:
    one, other = two
    one.stop()
    done = deliver(queue_event("alice"), one, other)
    assert done.as_response() == {"batchItemFailures": []}
    assert done.peers[other.url] == "ok"
    assert done.peers[one.url].startswith("ConnectionRefusedError")
    assert other.alerts()["CreatePod alice"]["status"]["state"] == "active"


def test_both_are_down_for_longer_than_the_alert_lives_and_it_still_arrives_active(
    two: tuple[Alertmanager, Alertmanager],
) -> None:
    for peer in two:
        peer.stop()
    batch = queue_event("alice", "bob")
    ttl = timedelta(minutes=10)
    hours_ago = datetime.now(UTC) - timedelta(hours=5)
    for attempt in range(3):
        moment = hours_ago + timedelta(hours=attempt)
        done = deliver(batch, *two, ttl=ttl, now=repeat(moment).__next__)
        assert [item["itemIdentifier"] for item in done.as_response()["batchItemFailures"]] == ["m0", "m1"]
        assert done.dead_lettered == 0
    for peer in two:
        peer.start()
    assert deliver(batch, *two, ttl=ttl).as_response() == {"batchItemFailures": []}
    for peer in two:
        found = peer.alerts()
        assert {name: alert["status"]["state"] for name, alert in found.items()} == {
            "CreatePod alice": "active",
            "CreatePod bob": "active",
        }
        assert all(time_of(alert["endsAt"]) > datetime.now(UTC) for alert in found.values())


def test_an_alert_ends_by_itself_when_nothing_repeats_it(two: tuple[Alertmanager, Alertmanager]) -> None:
    deliver(queue_event("alice"), *two, ttl=timedelta(seconds=2))
    assert two[0].received() == 1
    until(lambda: not two[0].alerts())


def test_one_bad_alert_among_good_ones_is_isolated(two: tuple[Alertmanager, Alertmanager]) -> None:
    # An address that looks like one and that Alertmanager refuses: 422, and nothing of the whole post is stored.
    bad = json.dumps({"labels": {"alertname": "Bad"}, "generatorURL": "http://a^b/"})
    odd = json.dumps({"labels": {"alert-name": "x", "alertname": "Odd"}, "generatorURL": "not a uri"})
    letters = MemoryDeadLetters()
    done = deliver(queue_event("alice", "bob", more=(bad, odd, "not json")), *two, letters=letters)
    assert done.as_response() == {"batchItemFailures": []}
    assert (done.delivered, done.dead_lettered) == (3, 2)
    assert done.peers == {peer.url: "ok" for peer in two}
    for peer in two:
        assert set(peer.alerts()) == {"CreatePod alice", "CreatePod bob", "Odd"}
    assert [(body, reason) for body, reason, _ in letters.letters] == [("not json", "malformed"), (bad, "refused")]
    assert "must be of type uri" in letters.letters[1][2]


def test_labels_that_alertmanager_refuses_are_found_too(two: tuple[Alertmanager, Alertmanager]) -> None:
    alerts = [json.dumps({"labels": {name: "x", "alertname": name}}).encode() for name in ("good", "bad-name", "fine")]
    done = post_to_all(alerts, [AlertmanagerPeer(peer.url) for peer in two], 10)
    assert done.taken == frozenset((0, 2))
    assert done.bad[1].startswith("400 ")
    assert set(two[0].alerts()) == {"good", "fine"}


def test_a_bad_alert_is_kept_in_the_queue_while_no_healthy_peer_can_judge_it(
    two: tuple[Alertmanager, Alertmanager],
) -> None:
    for peer in two:
        peer.stop()
    letters = MemoryDeadLetters()
    bad = json.dumps({"labels": {"alertname": "Bad"}, "generatorURL": "http://a^b/"})
    assert deliver(queue_event(more=(bad,)), *two, letters=letters).failed_ids == ("m0",)
    two[1].start()
    assert deliver(queue_event(more=(bad,)), *two, letters=letters).failed_ids == ()
    assert [reason for _, reason, _ in letters.letters] == ["refused"]


def test_hostile_values_arrive_as_one_bounded_line(two: tuple[Alertmanager, Alertmanager]) -> None:
    rule = rule_of(labels={"a.b/c-d": "x", "9": "y"}, annotations={"run-book": "z\ufffe"})
    hostile = occurrence(0, rule=rule, user=User(username="eve\n\u202e\x00" + "x" * 65_000))
    (alert,) = fold([hostile], cluster="prod", bundle="b")
    batch = {"Records": [{"messageId": "m", "body": encode_message(alert).decode()}]}
    assert deliver(batch, *two).delivered == 1
    (found,) = two[1].alerts().values()
    assert found["labels"] == alert.labels
    assert found["labels"]["user"].startswith(r"eve\n\u202e\u0000xxx")
    assert found["annotations"] == alert.annotations


def test_repeating_a_delivery_changes_nothing(two: tuple[Alertmanager, Alertmanager]) -> None:
    for _ in range(3):
        deliver(queue_event("alice", "bob"), *two)
    assert len(two[0].alerts()) == len(two[1].alerts()) == 2


def test_a_wrong_address_is_the_peers_fault_and_not_the_alerts(two: tuple[Alertmanager, Alertmanager]) -> None:
    source = PeerSource([f"{two[0].url}/wrong"])
    letters = MemoryDeadLetters()
    done = Relay(source, letters, TTL).handle(queue_event("alice"), 10)
    assert [item["itemIdentifier"] for item in done.as_response()["batchItemFailures"]] == ["m0"]
    assert done.peers[f"{two[0].url}/wrong"].startswith("404")
    assert letters.letters == []


def test_hundreds_of_alerts_reach_both(two: tuple[Alertmanager, Alertmanager]) -> None:
    publisher = MemoryPublisher()
    batch = [occurrence(number, user=User(username=f"user-{number}")) for number in range(400)]
    publisher.publish(fold(batch, cluster="prod", bundle="b"), 0)
    bodies = [encode_message(alert).decode() for alert in publisher.alerts]
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    assert deliver({"Records": records}, *two).delivered == 400
    assert len(two[0].alerts()) == len(two[1].alerts()) == 400
