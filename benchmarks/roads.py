"""What the road of an event costs: the same events as an API server, clouds and shippers send them.

    .venv/bin/python benchmarks/roads.py

Prints a Markdown table: processor time of reading the events of a batch of 400, as a ratio to that of an EventList, and
how many requests a million events are.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import orjson
from timing import side_by_side
from traffic import batches

from auditwire.events import decode, read
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Deliverer, Shape
from auditwire_cli.send.wrapped import wrapped

_BATCHES: Final = 8
_SIZE: Final = 400
_ROUNDS: Final = 5


def _records(items: list[bytes]) -> bytes:
    """A request of Firehose: compressed payloads of a subscription filter."""
    payload = orjson.loads(wrapped(items, Deliverer.EKS))["awslogs"]["data"]
    return orjson.dumps({"requestId": "r", "timestamp": 1, "records": [{"data": payload}]})


def _otlp(items: list[bytes]) -> bytes:
    records = [{"body": {"stringValue": item.decode()}} for item in items]
    return orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})


ROADS: Final[Mapping[str, tuple[Callable[[list[bytes]], bytes], int]]] = {
    "EventList of kube-apiserver": (partial(body, shape=Shape.EVENT_LIST), _SIZE),
    "JSON lines": (partial(body, shape=Shape.JSONL), _SIZE),
    "fluent-bit, parsed": (partial(body, shape=Shape.ARRAY), _SIZE),
    "fluent-bit, text in `log`": (partial(wrapped, deliverer=Deliverer.FLUENT_BIT), _SIZE),
    "OpenTelemetry, JSON": (_otlp, _SIZE),
    "EKS, subscription filter": (partial(wrapped, deliverer=Deliverer.EKS), _SIZE),
    "EKS, Firehose": (_records, _SIZE),
    "AKS, Event Hub": (partial(wrapped, deliverer=Deliverer.AKS), _SIZE),
    "GKE, one entry a push": (partial(wrapped, deliverer=Deliverer.GKE), 1),
}


def _take(bodies: list[bytes]) -> None:
    for one in bodies:
        read(one, list, lambda _taker, _event: None)


def main() -> None:
    """Measures every road and prints the table."""
    given = [[event.raw for event in decode(one).events] for one in batches(_BATCHES, _SIZE)]
    sent = {
        name: [[make(items[at : at + size]) for at in range(0, len(items), size)] for items in given]
        for name, (make, size) in ROADS.items()
    }
    seconds = side_by_side(
        range(_BATCHES),
        {name: lambda at, bodies=bodies: _take(bodies[at]) for name, bodies in sent.items()},  # type: ignore[misc]
        _ROUNDS,
    )
    plain = seconds["EventList of kube-apiserver"]
    events = sum(map(len, given))
    print("| road | reading / that of an EventList | µs an event | bytes an event | requests a million events |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (_, size) in ROADS.items():
        size_of = sum(len(one) for bodies in sent[name] for one in bodies) / events
        print(
            f"| {name} | {seconds[name] / plain:.1f} | {seconds[name] / events * 1e6:.1f} | {size_of:,.0f} "
            f"| {1_000_000 // size:,} |"
        )


if __name__ == "__main__":
    main()
