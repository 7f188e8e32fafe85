"""Judging and publishing what the outbox holds, oldest first, and removing it once that is done.

Two runs at the same time do no harm. An object is removed only when every message in it was taken, and is only
rewritten if it is still the version that was read. A message may be published twice; Alertmanager recognises it by its
labels.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from auditwire.alerts.counting import Counts, count, message_counted_under
from auditwire.alerts.errors import OutboxError
from auditwire.alerts.judge_outbox import judge_outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.alerts.message import Message
    from auditwire.alerts.outbox import Contents, HeldMessages, OutboxEntry
    from auditwire.alerts.sns import Published
    from auditwire.thresholds.store import ThresholdStore

PATIENCE_SECONDS: Final = 5.0
"""How long the messages of one object are retried. A throttled topic takes them in the end, and other objects wait
too."""

_MAX_PROBLEMS: Final = 10


class MessagePublisher(Protocol):
    """Publishes finished messages."""

    def publish_messages(self, messages: "Sequence[Message]", deadline: float) -> "Published[Message]":
        """Publishes messages until ``deadline``, in seconds since the epoch. The first request is always made."""


@dataclass(slots=True)
class OutboxRun:
    """The result of one run: messages published and refused, groups judged against their thresholds and the alerts that
    gave, objects that still wait, the age of the oldest of them in seconds, and the number of objects with refused
    messages.

    ``by_cluster`` has the metrics of each cluster: OutboxPublished, OutboxRefused, ThresholdsJudged, and AlertsOutboxed
    for alerts of thresholds that were reached.
    """

    published: int = 0
    refused: int = 0
    judged: int = 0
    outboxed: int = 0
    waiting: int = 0
    age_seconds: float = 0.0
    kept_aside: int = 0
    by_cluster: Counts = field(default_factory=dict, compare=False)
    problems: list[str] = field(default_factory=list)

    def log_fields(self) -> dict[str, object]:
        """All numbers of the run as plain values, for one structured log line, and at most ten of its problems."""
        numbers = {name: value for name, value in asdict(self).items() if name != "by_cluster"}
        return {**numbers, "problems": self.problems[:_MAX_PROBLEMS]}


def publish_outbox(
    outbox: "HeldMessages",
    publisher: MessagePublisher,
    thresholds: "ThresholdStore",
    *,
    now: Callable[[], datetime],
    deadline: float,
) -> OutboxRun:
    """Publishes what waits until ``deadline``, in seconds since the epoch. What waits to be judged gets at most half of
    the time, and what reaches its threshold is published in the same run.

    Raises OutboxError if the outbox cannot be listed. If one object fails, that is a problem of the run, and the others
    are still tried.
    """
    listing = outbox.listing()
    left: dict[str, datetime] = {}
    run = OutboxRun()
    if listing.unjudged:
        half = (now().timestamp() + deadline) / 2
        judging = judge_outbox(outbox, listing.unjudged, thresholds, now=now, deadline=half)
        run.judged, run.outboxed = judging.judged, judging.outboxed
        run.by_cluster, left = judging.by_cluster, judging.left
        run.problems += judging.problems
        listing = outbox.listing()
    run.kept_aside = listing.refused
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
            # If the topic took nothing at all, it gets only one request for each of the other objects, in case only
            # these messages were at fault.
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
    """Sets refused messages aside and leaves in the object what still has to be published. Returns whether nothing
    has."""
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
    """Counts by cluster what was published: all messages except those reported back."""
    others = Counter(map(message_counted_under, (*published.failed, *published.refused)))
    count(counts, "OutboxPublished", (Counter(map(message_counted_under, messages)) - others).elements())
