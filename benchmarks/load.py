"""Load on one machine: many senders at once, one body in twenty wrong, and the books balanced to the last event.

    make load
    .venv/bin/python benchmarks/load.py --senders 64 --bodies 10 --seed 7 --format json

Deploys the template as `auditwire dev` does and sends to it over HTTP, each sender one body after the other, as
clusters do. Ends with 1 and says what is wrong where an event, a body or an alert got lost, came twice or was not
counted.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from books import Sent, StoredEvents, archived_events, counted, differences, keys_below
from senders import MAX_EVENTS, REFUSED, RULES, Delivery, Sender

from auditwire_local import ClusterCredential, LocalSystem, Options
from auditwire_local.receiver import AlertReceiver

PATIENCE: Final = 120.0
"""Seconds until alerts that do not arrive are taken for lost."""


class Alertmanager(AlertReceiver):
    """Refuses some alerts, and remembers all others for good."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def post(self, body: bytes) -> tuple[int, bytes]:
        """As Alertmanager does with a request that is not to its schema."""
        labels = [alert["labels"] for alert in orjson.loads(body)]
        if any(each.get("name", "").endswith(REFUSED) for each in labels):
            return 400, b'"refused"'
        self.names |= {each["name"] for each in labels if each["alertname"] == "LoadExec"}
        return super().post(body)


@dataclass(slots=True)
class Times:
    """How long answers took, in seconds."""

    each: list[float] = field(default_factory=list)

    def quantile(self, part: float) -> float:
        """The time that this part of the answers did not exceed."""
        ordered = sorted(self.each) or [0.0]
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@contextmanager
def deployed(senders: Sequence[Sender], environments: int) -> Iterator[tuple[LocalSystem, Alertmanager, Path]]:
    """The system with these senders registered and the rules they count on, its Alertmanager, and its log file, which
    is only whole afterwards."""
    manager = Alertmanager()
    manager.start()
    with TemporaryDirectory(prefix="auditwire-load-") as folder:
        rules = Path(folder, "rules")
        rules.mkdir()
        for name, text in RULES.items():
            (rules / name).write_text(text, encoding="utf-8")
        log = Path(folder, "functions.log")
        options = Options(
            clusters={each.cluster: ClusterCredential(each.credential, each.kind) for each in senders},
            environments=environments,
            log_file=log,
            schedules=False,
        )
        try:
            with LocalSystem.start(rules=rules, alertmanagers=[manager.url], options=options) as system:
                yield system, manager, log
        finally:
            manager.stop()


def post_all(url: str, deliveries: Sequence[Delivery], sent: Sent, times: Times) -> None:
    """Send one after the other over one connection, as webhooks do."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    for delivery in deliveries:
        began = time.monotonic()
        try:
            connection.request("POST", delivery.path, delivery.body, delivery.headers)
            answer = connection.getresponse()
            empty, status = not answer.read(), answer.status
            sent.add(delivery, status if empty or status != 200 else "200 with a body")
        except (HTTPException, OSError) as error:
            connection.close()
            sent.add(delivery, type(error).__name__)
        times.each.append(time.monotonic() - began)
    connection.close()


def settle(system: LocalSystem) -> None:
    """Wait until every alert is where it stays, publishing what waits in the outbox as the schedule would."""
    sqs, deadline = system.client("sqs"), time.monotonic() + PATIENCE
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while time.monotonic() < deadline:
        waiting = system.function("publish_outbox").invoke({})["waiting"]
        queue = sqs.get_queue_attributes(QueueUrl=system.outputs["AlertsQueueUrl"], AttributeNames=names)["Attributes"]
        if not waiting and not any(int(queue[name]) for name in names):
            return
        time.sleep(0.1)


def stored(system: LocalSystem, manager: Alertmanager) -> StoredEvents:
    """What lies where; takes the dead letters out of their queue."""
    s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
    sqs, queue = system.client("sqs"), system.outputs["DeadLetterQueueUrl"]
    dead: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        dead |= {orjson.loads(message["Body"])["labels"]["name"] for message in messages}
    return StoredEvents(
        archived=archived_events(s3, bucket),
        quarantined=keys_below(s3, bucket, "quarantine/"),
        outboxed=keys_below(s3, bucket, "outbox/"),
        delivered=frozenset(manager.names),
        dead=frozenset(dead),
    )


def run(senders: Sequence[Sender], bodies: int, environments: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Send, wait, balance; the figures, with ``differences`` as the list of what is wrong."""
    say(f"making {bodies} bodies of 1 to {MAX_EVENTS} events for each of {len(senders)} senders")
    planned = [list(sender.deliveries(bodies)) for sender in senders]
    due = sum(map(len, planned))
    sent, times = Sent(), Times()
    with deployed(senders, environments) as (system, manager, log):
        threads = [threading.Thread(target=post_all, args=(system.url, each, sent, times)) for each in planned]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(0.1)
            time.sleep(0.1)
            say(f"{sent.totals['deliveries']} of {due} bodies, {sent.totals['received']} events")
        seconds = time.monotonic() - began
        say("waiting for the alerts")
        settle(system)
        found = stored(system, manager)
        failures = dict(system.status().failures)
        system.stop()
        counts = counted(log)
    wrong = differences(sent, counts, found)
    wrong += [f"{name} failed {times} times" for name, times in failures.items()]
    return summary(sent, counts, times, seconds) | {"senders": len(senders), "differences": wrong}


def summary(sent: Sent, counts: Counter[str], times: Times, seconds: float) -> dict[str, Any]:
    """The figures of a run."""
    totals = sent.totals
    return {
        "bodies": totals["deliveries"],
        "megabytes": round(totals["bytes"] / 1e6, 1),
        "faults": dict(sorted(sent.faults.items())),
        "events": {name: totals[name] for name in ("received", "ignored", "archived", "quarantined")},
        "unauthorized": totals["unauthorized"],
        "repeated": counts["batch.stored_before"],
        "alerts": {
            "published": counts["batch.published"] + counts["outbox.published"],
            "through_outbox": counts["outbox.published"],
            "delivered": counts["relay.delivered"],
            "dead_lettered": counts["relay.dead_lettered"],
        },
        "seconds": round(seconds, 1),
        "events_per_second": round(totals["received"] / max(seconds, 0.001)),
        "answer_seconds": {"median": round(times.quantile(0.5), 3), "p99": round(times.quantile(0.99), 3)},
    }


def for_people(figures: dict[str, Any]) -> str:
    """The figures as a few lines."""
    events, alerts, took = figures["events"], figures["alerts"], figures["answer_seconds"]
    faults = ", ".join(f"{count} {name}" for name, count in figures["faults"].items()) or "none"
    wrong = figures["differences"]
    return f"""\
{figures["senders"]} senders, {figures["bodies"]} bodies ({figures["megabytes"]} MB), bad ones: {faults}
events   {events["received"]}: {events["ignored"]} ignored, {events["archived"]} archived, \
{events["quarantined"]} in quarantine; {figures["repeated"]} bodies came again
alerts   {alerts["published"]} ({alerts["through_outbox"]} through the outbox): \
{alerts["delivered"]} delivered, {alerts["dead_lettered"]} dead letters
answers  median {took["median"]} s, 99 % within {took["p99"]} s; {figures["unauthorized"]} were 401
speed    {figures["seconds"]} s, {figures["events_per_second"]} events/s, all of it on this machine
{"".join(f"WRONG    {sentence}{chr(10)}" for sentence in wrong[:20])}\
{f"{len(wrong)} differences" if wrong else "balanced to the last event"}"""


def progress(text: str) -> None:
    """Over the last line on a terminal, otherwise nothing."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--senders", type=int, default=64)
    parser.add_argument("--bodies", type=int, default=10, help="of each sender")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--environments", type=int, default=8, help="of each function")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    given = parser.parse_args()
    senders = [Sender(number, given.seed) for number in range(given.senders)]
    figures = run(senders, given.bodies, given.environments, progress)
    progress("")
    print(orjson.dumps(figures).decode() if given.format == "json" else for_people(figures))
    return 1 if figures["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
