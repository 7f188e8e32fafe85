"""Soak: 200,000 events through the deployed template; nothing gets lost, and the memory of ingest stays flat.

    make soak
    .venv/bin/python benchmarks/soak.py --events 20000 --format json

Whose memory: the AWS of this machine keeps every object in memory, so it grows with what is stored. Ingest therefore
runs as in Lambda, in a process of its own that reaches AWS over HTTP and handles one request after the other; its
resident memory is what the operating system says, after a garbage collection, thirty times a run. It must not grow by
more than `MAX_GROWTH` from the second quarter of the run, when every cache is warm, to the last.
Ends with 1 where it grew, or where an event or an alert got lost (`books.py`).
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import orjson
from books import Sent, counted, differences
from load import Times, deployed, progress, settle, stored, summary
from senders import Delivery, Sender

from auditwire_local import LocalSystem

SENDERS: Final = 12
SAMPLES: Final = 30
MAX_GROWTH: Final = 0.05


class Process:
    """Ingest in a process of its own."""

    def __init__(self, system: LocalSystem) -> None:
        function = system.function("ingest").configuration
        command = [sys.executable, str(Path(__file__).with_name("function_process.py")), str(function.code / "app.py")]
        environment = {**os.environ, **function.variables, "AWS_ENDPOINT_URL": system.aws_endpoint_url}
        self._process = subprocess.Popen(  # noqa: S603 - our own file
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._logbook = system.logbook

    def post(self, delivery: Delivery) -> int:
        """The status that API Gateway would answer with."""
        done = self._call(gateway_event(delivery))
        self._logbook.add("ingest", done["printed"].splitlines())
        return int(done["answer"]["statusCode"])

    def megabytes(self) -> float:
        """Its resident memory after a collection."""
        self._call(None)
        command = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
        return int(subprocess.run(command, capture_output=True, check=True).stdout) / 1024  # noqa: S603 - a number

    def end(self) -> None:
        """Let it go."""
        self._process.communicate()

    def _call(self, event: dict[str, Any] | None) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise BrokenPipeError
        self._process.stdin.write(orjson.dumps(event) + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        return answer


def gateway_event(delivery: Delivery) -> dict[str, Any]:
    """What API Gateway calls ingest with, payload format 2.0: text as it is, all else as base64."""
    is_text = "Content-Encoding" not in delivery.headers
    return {
        "version": "2.0",
        "rawPath": delivery.path,
        "headers": {name.lower(): value for name, value in delivery.headers.items()},
        "body": delivery.body.decode() if is_text else b64encode(delivery.body).decode(),
        "isBase64Encoded": not is_text,
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": int(time.time() * 1000)},
    }


def traffic(seed: int) -> Iterator[Delivery]:
    """What all senders send, a body of each in turn, without end; made when it is asked for."""
    roads = [Sender(number, seed).deliveries() for number in range(SENDERS)]
    for turn in count():
        yield next(roads[turn % SENDERS])


def run(events: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Send at least so many events, balance, and look at the memory; the figures."""
    sent, times = Sent(), Times()
    samples: list[tuple[int, float]] = []
    with deployed([Sender(number, seed) for number in range(SENDERS)], 1) as (system, manager, log):
        process = Process(system)
        began = time.monotonic()
        for delivery in traffic(seed):
            before = time.monotonic()
            sent.add(delivery, process.post(delivery))
            times.each.append(time.monotonic() - before)
            done = sent.totals["received"]
            if done >= len(samples) * events / SAMPLES:
                samples.append((done, process.megabytes()))
                say(f"{done} of {events} events, {samples[-1][1]:.1f} MB")
            if done >= events:
                break
        seconds = time.monotonic() - began
        process.end()
        settle(system)
        found = stored(system, manager)
        system.stop()
        counts = counted(log)
    wrong = differences(sent, counts, found)
    early, late = quarter(samples, 1), quarter(samples, 3)
    growth = late / early - 1
    if growth > MAX_GROWTH:
        wrong.append(f"ingest grew by {growth:.1%}, from {early:.1f} to {late:.1f} MB")
    memory = {"second_quarter": round(early, 1), "last_quarter": round(late, 1), "growth": round(growth, 4)}
    each = [round(megabytes, 1) for _, megabytes in samples]
    return summary(sent, counts, times, seconds) | {"memory": memory, "samples": each, "differences": wrong}


def quarter(samples: list[tuple[int, float]], number: int) -> float:
    """The median of the samples of one quarter of the run, from 0."""
    end = samples[-1][0] + 1
    return statistics.median(megabytes for done, megabytes in samples if done * 4 // end == number)


def for_people(figures: dict[str, Any]) -> str:
    """The figures as a few lines."""
    memory, events, alerts, wrong = (figures[name] for name in ("memory", "events", "alerts", "differences"))
    return f"""\
events   {events["received"]}: {events["ignored"]} ignored, {events["archived"]} archived, \
{events["quarantined"]} in quarantine; {figures["repeated"]} bodies came again
alerts   {alerts["published"]}: {alerts["delivered"]} delivered, {alerts["dead_lettered"]} dead letters
memory   {memory["second_quarter"]} MB in the second quarter, {memory["last_quarter"]} MB in the last: \
{memory["growth"]:+.1%}
speed    {figures["bodies"]} bodies one after the other in {figures["seconds"]} s, \
{figures["events_per_second"]} events/s
{"".join(f"WRONG    {sentence}{chr(10)}" for sentence in wrong[:20])}\
{f"{len(wrong)} differences" if wrong else "balanced to the last event"}"""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    given = parser.parse_args()
    figures = run(given.events, given.seed, progress)
    progress("")
    print(orjson.dumps(figures).decode() if given.format == "json" else for_people(figures))
    return 1 if figures["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
