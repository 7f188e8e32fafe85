"""A match of a rule with a threshold as what is counted: which group, which window of time, which member."""

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from auditwire.events import Event
    from auditwire.rules import Rule

BELIEVED_SECONDS: Final = 3_600
"""How far from its receipt an event may say that it happened. Farther away the receipt counts: a sender cannot spread
events over windows of its choice."""

_BYTES: Final = 12


class Match(NamedTuple):
    """A match, as it is counted. Matches of one ``group`` and ``window`` are counted together, equal members once.

    ``group`` is a digest of cluster, rule, fields and values. A window is ``within`` seconds long; ``window`` is its
    number since the epoch.
    """

    rule: str
    at_least: int
    within: int
    group: str
    window: int
    member: str


def match_of(rule: "Rule", event: "Event", cluster: str, received: datetime | None) -> Match | None:
    """The match of a rule on an event as it is stored; None if the rule has no threshold, or nothing to count.

    ``received`` is the time of receipt, None where nobody has received the event.
    """
    threshold = rule.threshold
    if threshold is None:
        return None
    counted = threshold.counted(event)
    if not counted:
        return None
    text = threshold.text
    what = "" if text.distinct is None else text.distinct.text
    group = _digest([cluster, rule.qualified, text.within, what, *threshold.group(event).items()])
    moment = happened(event, received)
    member = urlsafe_b64encode(bytes.fromhex(counted)[:_BYTES]).decode() if not what else _digest([group, counted])
    return Match(rule.qualified, text.at_least, text.within, group, int(moment // text.within), member)


def replayed_match(rule: "Rule", event: "Event", *, is_recorded: bool) -> tuple[float, Match | None]:
    """The match of an event of the past, and by what such matches are put in order: the time of receipt, if the archive
    recorded the event, else the time that the event says."""
    received = event.receipt if is_recorded else None
    order = happened(event, None) if received is None else received.timestamp()
    return order, match_of(rule, event, event.cluster, received)


def happened(event: "Event", received: datetime | None) -> float:
    """When an event happened, in seconds since the epoch: as it says itself, or its receipt if that is more than an
    hour away or it does not say. 0 if neither is known."""
    said = datetime.fromisoformat(event.stageTimestamp).timestamp() if event.stageTimestamp else None
    if received is None:
        return said or 0.0
    receipt = received.astimezone(UTC).timestamp()
    return receipt if said is None or abs(said - receipt) > BELIEVED_SECONDS else said


def _digest(parts: list[object]) -> str:
    # JSON keeps apart what joined texts would not, and escapes what is not UTF-8.
    return urlsafe_b64encode(hashlib.sha256(json.dumps(parts).encode()).digest()[:_BYTES]).decode()
