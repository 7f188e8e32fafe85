"""Settling an event: setting its cluster, which a body may not decide, and its times, which it may write in many
ways."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from auditwire.events import timestamps
from auditwire.events.level import LEVELS
from auditwire.events.model import Event, Flag, json_value

_MAX_AHEAD: Final = timedelta(days=1)


def settle(event: Event, *, cluster: str, received: datetime) -> None:
    """Sets the cluster, the level's flag and the times of an event that was just read.

    ``cluster`` is the credential's; another name in the body, or in the envelope around it, is kept as
    ``reportedCluster``. Timestamps get six digits and ``Z``; an unreadable one is replaced by ``received``. Without a
    stageTimestamp the next time the event itself gives counts (request received; then the two fields of 2017), so that
    a repeated event gets the same time; only then ``received``. A time more than a day after ``received`` stays, and
    the event is flagged: clocks differ, but not so much. Times long past are plausible: logs are sent after the fact.
    """
    event.receipt = received
    if event.cluster or event.reportedCluster:
        # What the event itself says comes before what the envelope around it says.
        named = event.reportedCluster if event.cluster in ("", cluster) else event.cluster
        event.reportedCluster = "" if named == cluster else named
        if event.reportedCluster:
            event.flag(Flag.CLUSTER_DIFFERS)
    event.cluster = cluster
    if event.level not in LEVELS:
        event.flag(Flag.LEVEL_UNKNOWN)
    asked, stage = event.requestReceivedTimestamp, event.stageTimestamp
    if not (stage and timestamps.is_normal(stage) and (asked is None or timestamps.is_normal(asked))):
        _settle_times(event, asked, stage, received)
    if (event.stageTimestamp or "") > _latest(received):
        event.flag(Flag.TIME_IMPLAUSIBLE)


# All events of a body have the same.
@lru_cache(maxsize=8)
def _latest(received: datetime) -> str:
    """The latest time that an event can have, in normal form."""
    return timestamps.as_text(received + _MAX_AHEAD)


def _settle_times(event: Event, asked: str | None, stage: str | None, received: datetime) -> None:
    asked_time = timestamps.normalise(asked) if asked else None
    if stage:
        stage_time = timestamps.normalise(stage)
        if stage_time is None:
            event.flag(Flag.STAGE_TIME_UNREADABLE)
    else:
        stage_time = asked_time or _time_of_2017(event)
        if stage_time is None:
            event.flag(Flag.STAGE_TIME_MISSING)
    if asked and asked_time is None:
        event.flag(Flag.RECEIVED_TIME_UNREADABLE)
        asked_time = timestamps.as_text(received)
    if asked_time != asked:
        event.requestReceivedTimestamp = asked_time
        event.edited |= {"requestReceivedTimestamp"}
    if stage_time != stage or stage_time is None:
        event.stageTimestamp = stage_time or timestamps.as_text(received)
        event.edited |= {"stageTimestamp"}


def _time_of_2017(event: Event) -> str | None:
    """The time in the form of audit.k8s.io/v1alpha1 and v1beta1: ``timestamp``, or ``metadata.creationTimestamp``."""
    metadata = json_value(event.unknown.get("metadata"))
    candidates = [json_value(event.unknown.get("timestamp"))]
    if isinstance(metadata, dict):
        candidates.append(metadata.get("creationTimestamp"))
    for candidate in candidates:
        normal = timestamps.normalise(candidate) if isinstance(candidate, str) else None
        if normal:
            return normal
    return None
