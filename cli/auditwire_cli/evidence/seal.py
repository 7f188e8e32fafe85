"""``auditwire seal``: seal now what would be sealed in the next hour."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json
from auditwire_cli.terminal.progress import Occasionally

if TYPE_CHECKING:
    from auditwire.evidence.chain import Signed

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True, slots=True)
class _Done:
    cluster: str
    newest: "Signed"

    def as_json(self) -> dict[str, Any]:
        seal = self.newest.seal
        return {
            "cluster": self.cluster,
            "number": seal.number,
            "sha256": self.newest.file.text_sha256,
            "to": seal.reached,
            "objects": seal.objects.count,
            "events": seal.objects.events,
        }

    def as_text(self) -> str:
        seal = self.newest.seal
        objects = counted(seal.objects.count, "object")
        return (
            f"{self.cluster}: sealed up to {seal.reached}; seal {seal.number} names {objects} with"
            f" {counted(seal.objects.events, 'event')}; head {self.cluster}:{seal.number}:"
            f"{self.newest.file.text_sha256}"
        )


@on_stack
def seal(
    *,
    wait: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the seals.")] = 900,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Seal what has arrived, without waiting for the next hour.

    On AWS this is what is older than SealGraceSeconds, with `auditwire dev` everything. Afterwards the archive is
    searched for what no seal names. The output is the last seal of each cluster and the head of its chain, as
    `auditwire verify --head` takes it. The command invokes the function that the output SealFunction names.

    \b
    Exit codes: 0 sealed, 1 not sealed, 2 wrong usage.

    \b
    Examples:
      auditwire seal --state .auditwire/dev.json
      auditwire seal --profile prod --format json
    """
    found = where.find()
    if "SealFunction" not in found.outputs:
        raise CommandError(f"the stack {found.name} makes no seals", "its parameter SealKeyArn is none")
    orders = {one["cluster"]: datetime.fromisoformat(one["to"]) for one in _invoke(found)["orders"]}
    done = []
    for one in _await(found, orders, time.monotonic() + wait):
        done.append(one.as_json())
        if output is Output.TEXT:
            show(one.as_text())
    if output is Output.JSON:
        show_json(done)
    elif not done:
        show("nothing has arrived yet")


def _invoke(found: Deployment) -> Any:
    answer = found.client("lambda").invoke(
        FunctionName=found.output("SealFunction"), Payload=json.dumps({"at_once": True}).encode()
    )
    content = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise CommandError(
            f"the seal function failed: {content.get('errorMessage', '')[:300]}", "its log says more; docs/runbooks.md"
        )
    return content


def _await(found: Deployment, orders: dict[str, datetime], until: float) -> Iterator[_Done]:
    """Each cluster as soon as it is sealed up to its time. In the end, raises CommandError for the others."""
    from auditwire.evidence.chain import newest_of
    from auditwire.evidence.s3 import S3Store

    store = S3Store(found.client("s3"), found.output("ArchiveBucket"))
    left = dict(orders)
    occasionally = Occasionally()
    while left or _is_busy(found):
        for cluster, to in list(left.items()):
            newest = newest_of(store, cluster)
            if newest is not None and newest.reached >= to:
                del left[cluster]
                yield _Done(cluster, newest)
        if time.monotonic() > until:
            what = f"not sealed in time: {', '.join(left)}" if left else "the archive was not searched in time"
            raise CommandError(what, "the log of the seal function says why; docs/runbooks.md")
        occasionally(f"waiting for the seals of {', '.join(left)}" if left else "looking for what no seal names")
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _is_busy(found: Deployment) -> bool:
    """Whether an order is still being worked on: after its seals comes the search for what no seal names."""
    attributes = found.client("sqs").get_queue_attributes(
        QueueUrl=found.output("OrdersQueueUrl"),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return any(int(value) for value in attributes.values())
