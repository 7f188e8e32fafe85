"""The part of the sample traffic that comes by way of clouds: four clusters whose events are wrapped on their road."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Final

import orjson

from auditwire.senders.kind import SenderKind
from auditwire_cli.samples.cast import DEPLOYER, INTRUDER, MIRA, Recorder, Sample, Target
from auditwire_cli.samples.cluster import development
from auditwire_cli.samples.traffic import LENGTH, Delivery, story
from auditwire_cli.send.shape import Deliverer
from auditwire_cli.send.wrapped import wrapped

CHAPTER: Final = "clusters of managed clouds, and one behind a log shipper"

_SEED = 20_261_122
_BATCH = 12
# Shortly after the pipeline has begun to roll out.
_SECOND: Final = 200
_CUT: Final = b"[Truncated...]"


def everything(now: datetime) -> list[Delivery]:
    """The story, and what comes by way of clouds, in the order they would arrive."""
    return sorted([*story(now), *of_clouds(now)], key=lambda delivery: delivery.at)


def of_clouds(now: datetime) -> list[Delivery]:
    """The deliveries of the clouds, for a story that ends at ``now`` (UTC)."""
    start = now - timedelta(seconds=LENGTH)
    deliveries = []
    for number, deliverer in enumerate(Deliverer):
        recorder = Recorder(start, Random(_SEED + number))  # noqa: S311 (sample data, always the same)
        samples = sorted(_samples(recorder), key=lambda sample: sample.at)
        items = [orjson.dumps(sample.event) for sample in samples]
        if deliverer is Deliverer.EKS:
            items.append(_cut_off(recorder))
        size = 1 if deliverer.delivers_one else len(items)
        for first in range(0, len(items), size):
            batch = items[first : first + size]
            at = start + timedelta(seconds=_SECOND + first)
            body = wrapped(batch, deliverer)
            deliveries.append(Delivery(at, SenderKind.ANY, body, len(batch), CHAPTER, deliverer))
    return deliveries


def _samples(recorder: Recorder) -> Iterator[Sample]:
    yield from islice(development(recorder), _BATCH)
    pod = Target("pods", "shop", "checkout-7d9c5b6f4-x2k8w", subresource="exec")
    command = {"command": "sh", "container": "app", "stdin": "true", "tty": "true"}
    yield recorder.write(160, MIRA, "get", pod, code=101, stage="ResponseStarted", query=command)


def _cut_off(recorder: Recorder) -> bytes:
    """Somebody creates a pod so large that CloudWatch Logs cuts its event: what it asked for is gone."""
    who = DEPLOYER.at(INTRUDER, "kubectl/v1.32.0 (linux/amd64) kubernetes/70d3cc9")
    padded = {"metadata": {"annotations": {"note": "x" * 4_000}}, "spec": {"hostNetwork": True}}
    sample = recorder.write(170, who, "create", Target("pods", "shop", "padded"), code=201, body=padded)
    return orjson.dumps(sample.event).partition(b'"note":"xxx')[0] + b'"note":"xxx' + _CUT
