"""Judging what waits in the outbox because it could not be judged against a threshold in time.

The alerts of what reaches its threshold are put into the outbox like any that SNS did not take, before the matches are
removed. So whenever this ends early, the next run does the same again: members count once, and the alerts have the same
labels.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.alerts.counting import Counts, count, message_counted_under
from auditwire.alerts.errors import OutboxError
from auditwire.thresholds.windows import Key

if TYPE_CHECKING:
    from auditwire.alerts.outbox import HeldMessages, OutboxEntry, UnjudgedContents
    from auditwire.thresholds.store import ThresholdStore

GROUPS_AT_ONCE: Final = 50

_PATIENCE: Final = 3
"""After so many objects in a row of which nothing could be judged the table is taken to be in trouble. One alone may be
at fault itself, and must not keep the others waiting."""


@dataclass(slots=True)
class JudgingRun:
    """The result of one run: how many groups were judged, how many alerts that gave, and since when each object waits
    that still does."""

    judged: int = 0
    outboxed: int = 0
    left: dict[str, datetime] = field(default_factory=dict)
    by_cluster: Counts = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def judge_outbox(
    outbox: "HeldMessages",
    entries: "tuple[OutboxEntry, ...]",
    thresholds: "ThresholdStore",
    *,
    now: Callable[[], datetime],
    deadline: float,
) -> JudgingRun:
    """Judges what these entries hold, until ``deadline`` in seconds since the epoch and as long as the table works. If
    one object fails, that is a problem of the run, and the others are still tried."""
    run = JudgingRun(left={entry.key: entry.written for entry in entries})
    told: set[Key] = set()
    in_vain = 0
    for entry in entries:
        if now().timestamp() >= deadline or in_vain == _PATIENCE:
            break
        before = run.judged
        try:
            seen = outbox.read_unjudged(entry)
            if seen is None:
                del run.left[entry.key]
                continue
            run.left[entry.key] = seen.since
            if _judge(outbox, entry, seen, thresholds, deadline, run, told):
                del run.left[entry.key]
            in_vain = 0 if run.judged > before else in_vain + 1
        except OutboxError as error:
            run.problems.append(str(error))
    return run


def _judge(
    outbox: "HeldMessages",
    entry: "OutboxEntry",
    seen: "UnjudgedContents",
    thresholds: "ThresholdStore",
    deadline: float,
    run: JudgingRun,
    told: set[Key],
) -> bool:
    """Judges one object. Returns whether nothing of it is left."""
    judged, messages, left = [], [], []
    keys: set[Key] = set()
    for at in range(0, len(seen.facts), GROUPS_AT_ONCE):
        some = seen.facts[at : at + GROUPS_AT_ONCE]
        added = thresholds.add([one.addition for one in some], deadline)
        if added.problem:
            run.problems.append(added.problem)
        for one, number in zip(some, added.counts, strict=True):
            if number is None:
                left.append(one)
                continue
            judged.append(one)
            key = one.addition.group, one.addition.window
            if number >= one.addition.at_least and one.message is not None and key not in told | keys:
                messages.append(one.message)
                keys.add(key)
        if len(left) > len(some) // 2:  # the table is in trouble
            left += seen.facts[at + GROUPS_AT_ONCE :]
            break
    if messages and outbox.hold(messages):
        run.outboxed += len(messages)
        count(run.by_cluster, "AlertsOutboxed", map(message_counted_under, messages))
    told |= keys
    if not left:
        outbox.remove(entry)
    elif judged:
        outbox.replace_unjudged(entry, seen, left)
    run.judged += len(judged)
    count(run.by_cluster, "ThresholdsJudged", (one.cluster for one in judged))
    return not left
