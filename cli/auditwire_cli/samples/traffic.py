"""The sample traffic of the demo: ten minutes of an invented cluster, as the bodies that its senders would post.

It is always the same story. Only its timestamps move, so that it ends now. It also has two things that every endpoint
must expect: an item in the middle of a batch that is not an event, and a body that is not JSON.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import orjson

from auditwire.senders.kind import SenderKind
from auditwire_cli.samples.cast import Recorder, Sample
from auditwire_cli.samples.cluster import development, idle
from auditwire_cli.samples.intrusion import intrusion
from auditwire_cli.samples.kubesphere import console_3, console_4
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Deliverer, Shape

LENGTH = 600
"""The seconds that the story takes."""

_SEED = 20_261_121
# What the README recommends for --audit-webhook-batch-max-size, and what ks-apiserver gathers in its 3 s.
_KUBERNETES_BATCH = 25
_KUBESPHERE_BATCH = 8
_NO_EVENT = b'{"kind":"Event","level":"Metadata","note":"cut off by the log shipper"}'
_NO_JSON = b"<html><head><title>504 Gateway Time-out</title></head></html>\n"
_CHAPTERS = (
    (0, "an idle cluster; KubeSphere users set up a workspace"),
    (120, "a pipeline rolls out four services"),
    (240, "somebody outside knocks at the API"),
    (300, "a stolen token lists permissions and secrets"),
    (360, "a shell in a running pod"),
    (420, "pods that reach for the nodes"),
    (540, "traces are removed"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body of the sample traffic, the sender kind that posts it, and what happens in the story by then.

    ``count`` is what the endpoint counts as received: its items, or 1 for a body that is not JSON. ``deliverer`` is the
    cloud or shipper on its road, if there is one.
    """

    at: datetime
    sender: SenderKind
    body: bytes
    count: int
    chapter: str
    deliverer: Deliverer | None = None

    @property
    def cluster(self) -> str:
        """The cluster of a local system that it comes from."""
        if self.deliverer is not None:
            return f"demo-{self.deliverer}"
        return "demo-ks" if self.sender is SenderKind.KUBESPHERE else "demo"


def story(now: datetime) -> list[Delivery]:
    """All bodies in the order they would arrive, for a story that ends at ``now`` (UTC)."""
    start = now - timedelta(seconds=LENGTH)
    recorder = Recorder(start, Random(_SEED))  # noqa: S311 (sample data, always the same)
    cluster = [*idle(recorder, LENGTH), *development(recorder), *intrusion(recorder)]
    deliveries = [
        *_bodies(start, cluster, SenderKind.KUBERNETES, Shape.EVENT_LIST, _KUBERNETES_BATCH, mend=_with_a_bad_item),
        *_bodies(start, console_3(recorder), SenderKind.KUBESPHERE, Shape.KS3, _KUBESPHERE_BATCH),
        *_bodies(start, console_4(recorder), SenderKind.KUBESPHERE, Shape.KS4, _KUBESPHERE_BATCH),
    ]
    half = start + timedelta(seconds=LENGTH / 2)
    deliveries.append(Delivery(half, SenderKind.KUBERNETES, _NO_JSON, 1, _chapter(half - start)))
    return sorted(deliveries, key=lambda delivery: delivery.at)


def _bodies(
    start: datetime,
    samples: Iterable[Sample],
    sender: SenderKind,
    shape: Shape,
    size: int,
    *,
    mend: Callable[[list[list[bytes]]], None] | None = None,
) -> Iterator[Delivery]:
    """Deliveries of at most ``size`` events each; ``mend`` may change the batches' items before they are shaped."""
    ordered = sorted(samples, key=lambda sample: sample.at)
    groups = [ordered[first : first + size] for first in range(0, len(ordered), size)]
    batches = [[orjson.dumps(sample.event) for sample in group] for group in groups]
    if mend:
        mend(batches)
    for group, items in zip(groups, batches, strict=True):
        last = group[-1].at
        yield Delivery(last, sender, body(items, shape), len(items), _chapter(last - start))


def _with_a_bad_item(batches: list[list[bytes]]) -> None:
    middle = batches[len(batches) // 2]
    middle.insert(len(middle) // 2, _NO_EVENT)


def _chapter(elapsed: timedelta) -> str:
    return [title for second, title in _CHAPTERS if second <= elapsed.total_seconds()][-1]
