"""Publishing what the outbox holds, oldest first, and letting go of it once SNS has taken it.

Two runs at once do no harm: an object goes only when every message in it was taken, and is rewritten only over the
version that was read. A message may be published twice, which Alertmanager knows by its labels to be one alert.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from auditwire.alerts.counting import Counts, count, message_counted_under
from auditwire.alerts.errors import OutboxError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.alerts.message import Message
    from auditwire.alerts.outbox import Contents, HeldMessages, OutboxEntry
    from auditwire.alerts.sns import Published

PATIENCE_SECONDS: Final = 5.0
"""How long one object's messages are repeated: a throttled topic takes them in the end, and others wait too."""

_MAX_PROBLEMS: Final = 10


class MessagePublisher(Protocol):
    """Where messages are published that were made before."""

    def publish_messages(self, messages: "Sequence[Message]", deadline: float) -> "Published[Message]":
        """Publishes messages until ``deadline``, in seconds since the epoch; the first request is always made."""


@dataclass(slots=True)
class OutboxRun:
    """One look at the outbox: what was published (messages) and refused for good, what still waits (objects, and the
    age of the oldest in seconds), and how many objects of refused messages are kept aside.

    ``by_cluster`` says the first two as metrics of each cluster: OutboxPublished and OutboxRefused."""

    published: int = 0
    refused: int = 0
    waiting: int = 0
    age_seconds: float = 0.0
    kept_aside: int = 0
    by_cluster: Counts = field(default_factory=dict, compare=False)
    problems: list[str] = field(default_factory=list)

    def log_fields(self) -> dict[str, object]:
        """Every number of the run as a plain value, for one structured log line; of many problems the first ten."""
        numbers = {name: value for name, value in asdict(self).items() if name != "by_cluster"}
        return {**numbers, "problems": self.problems[:_MAX_PROBLEMS]}


def publish_outbox(
    outbox: "HeldMessages", publisher: MessagePublisher, *, now: Callable[[], datetime], deadline: float
) -> OutboxRun:
    """Publish what waits until ``deadline``, in seconds since the epoch.

    Raises OutboxError where the outbox cannot be listed; what fails with one object is a problem of the run, and the
    others go on.
    """
    listing = outbox.listing()
    run = OutboxRun(kept_aside=listing.refused)
    left: dict[str, datetime] = {}
    patience = PATIENCE_SECONDS
    for entry in listing.waiting:
        left[entry.key] = entry.written
        moment = now().timestamp()
        if moment >= deadline:
            continue
        try:
            contents = outbox.read(entry)
            if contents is None:
                del left[entry.key]
                continue
            left[entry.key] = contents.since
            published = publisher.publish_messages(contents.messages, min(deadline, moment + patience))
            run.published += published.sent
            _count_published(run.by_cluster, contents.messages, published)
            # A topic that took nothing at all is asked once for each of the others, in case it was these messages.
            patience = PATIENCE_SECONDS if published.sent or published.refused else 0.0
            if _settle(outbox, entry, contents, published, run):
                del left[entry.key]
        except OutboxError as error:
            run.problems.append(str(error))
    run.waiting = len(left)
    moment = now().timestamp()
    run.age_seconds = max((moment - since.timestamp() for since in left.values()), default=0.0)
    return run


def _settle(
    outbox: "HeldMessages", entry: "OutboxEntry", seen: "Contents", published: "Published[Message]", run: OutboxRun
) -> bool:
    """Put refused messages aside and keep in the object what still has to be published; whether nothing has."""
    if published.refused:
        outbox.set_aside(published.refused)
        run.refused += len(published.refused)
        count(run.by_cluster, "OutboxRefused", map(message_counted_under, published.refused))
        run.kept_aside += 1
    if not published.failed:
        outbox.remove(entry)
        return True
    if len(published.failed) < len(seen.messages):
        outbox.replace(entry, seen, published.failed)
    return False


def _count_published(counts: Counts, messages: "Sequence[Message]", published: "Published[Message]") -> None:
    """What of the messages was published, by cluster: all but those reported back."""
    others = Counter(map(message_counted_under, (*published.failed, *published.refused)))
    count(counts, "OutboxPublished", (Counter(map(message_counted_under, messages)) - others).elements())
