"""Whether the rules in force are those that lie in the bucket, as far as the bucket tells.

Two things can part them, and neither shows in the traffic: the bundle that active.json names cannot be taken, so that
functions stay with older rules, or nobody looks at the documents any more. What cannot be seen from here is that one
environment of ingest alone does not get at the bucket; it measures that itself (``ActiveRules.ages``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from auditwire.bundles.active_rules import ActiveRules, RulesProblem
from auditwire.bundles.rules_bucket import STATUS_KEY, document_path
from auditwire.bundles.rules_state import StateError, Status

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket

MAX_UNSEEN: Final = timedelta(minutes=20)
"""compile_rules looks at every change and every five minutes, and says so in status.json each time."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Why the rules are stale, as a word and as a sentence, and since when where that is known."""

    reason: Literal["not_taken", "not_looked_at"]
    why: str
    since: datetime | None = None


def stale_rules(bucket: "RulesBucket", now: datetime) -> Stale | None:
    """What keeps the rules of the bucket out of force at ``now``; None where nothing does.

    Raises RulesBucketError where the bucket cannot be read.
    """
    # Asked twice: while compile_rules writes, the bundle is for a moment not the file that active.json names.
    problem = _problem(bucket) and _problem(bucket)
    seen = _looked_at(bucket)
    if problem is not None:
        return Stale("not_taken", problem.message)
    if seen is not None and now - seen > MAX_UNSEEN:
        return Stale("not_looked_at", f"nobody has looked at the documents since {seen:%Y-%m-%d %H:%M} UTC", seen)
    return None


def _problem(bucket: "RulesBucket") -> RulesProblem | None:
    """What an environment of ingest would meet that starts now: this is the very code that it runs."""
    problems: list[RulesProblem] = []
    ActiveRules(bucket, on_problem=problems.append).current()
    return problems[-1] if problems else None


def _looked_at(bucket: "RulesBucket") -> datetime | None:
    """When the documents were last looked at; if never, since when they have been waiting; None where there is none."""
    stored = bucket.read(STATUS_KEY)
    if stored is not None:
        try:
            return Status.decode(stored.data).time
        except StateError:
            # The next look writes it anew.
            pass
    return min((one.modified for one in bucket.entries() if document_path(one.key) is not None), default=None)
