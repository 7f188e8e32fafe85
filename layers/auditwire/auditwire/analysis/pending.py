"""Matches of rules with thresholds in a replay: noted by whoever counts, and judged together at the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from auditwire.analysis.example import Example
from auditwire.thresholds.match import Match
from auditwire.thresholds.windows import Key, Windows


@dataclass(frozen=True, slots=True)
class Pending:
    """What a rule makes of an event on both sides, where it has a threshold on at least one of them.

    ``old`` and ``new`` are the match that is counted, or whether the rule alerts without a threshold. ``order`` is the
    time of receipt. ``before`` and ``after`` are the messages, and ``differs`` says whether the alerts look different.
    """

    order: float
    rule: str
    old: Match | bool
    new: Match | bool
    user: str
    namespace: str
    example: Example
    before: str = ""
    after: str = ""
    differs: bool = False


class Alerted(NamedTuple):
    """An alert of a side, or of both: the match with which a threshold was reached, or that alerts by itself."""

    match: Pending
    old: bool
    new: bool


def alerts_of(pending: Iterable[Pending]) -> Iterator[Alerted]:
    """The alerts of both sides, each once for a group and window. A group that reaches both thresholds in a window is
    one alert of both, whichever came first."""
    old, new = Windows(), Windows()
    reached: dict[Key, Alerted] = {}
    for one in sorted(pending, key=lambda each: each.order):
        was = one.old if isinstance(one.old, bool) else old.reach(one.old)
        now = one.new if isinstance(one.new, bool) else new.reach(one.new)
        if not was and not now:
            continue
        if isinstance(one.old, bool) or isinstance(one.new, bool):
            yield Alerted(one, was, now)
            continue
        for match, has, is_old in ((one.old, was, True), (one.new, now, False)):
            if has:
                key = match.group, match.window
                before = reached.get(key, Alerted(one, old=False, new=False))
                reached[key] = Alerted(before.match, before.old or is_old, before.new or not is_old)
    yield from reached.values()
