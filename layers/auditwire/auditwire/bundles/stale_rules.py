"""Whether the rules in force are those in the bucket, as far as the bucket shows.

They can differ for two reasons, and neither shows in the traffic: the bundle that active.json names cannot be loaded,
so functions stay with older rules; or compile_rules does not run any more. If only one environment of ingest cannot
reach the bucket, that does not show here; the environment measures it itself (``ActiveRules.ages``).
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
"""compile_rules runs after every change and every five minutes, and records each run in status.json."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Why the rules are stale, as a word and as a sentence, and since when if that is known."""

    reason: Literal["not_taken", "not_looked_at"]
    why: str
    since: datetime | None = None


def stale_rules(bucket: "RulesBucket", now: datetime) -> Stale | None:
    """Why the rules of the bucket are not in force at ``now``; None if they are.

    Raises RulesBucketError if the bucket cannot be read.
    """
    # Tried twice: while compile_rules writes, the bundle is for a moment not the file that active.json names.
    problem = _problem(bucket) and _problem(bucket)
    seen = _looked_at(bucket)
    if problem is not None:
        return Stale("not_taken", problem.message)
    if seen is not None and now - seen > MAX_UNSEEN:
        return Stale("not_looked_at", f"nobody has looked at the documents since {seen:%Y-%m-%d %H:%M} UTC", seen)
    return None


def _problem(bucket: "RulesBucket") -> RulesProblem | None:
    """The problem that an environment of ingest would have if it started now. This runs the same code."""
    problems: list[RulesProblem] = []
    ActiveRules(bucket, on_problem=problems.append).current()
    return problems[-1] if problems else None


def _looked_at(bucket: "RulesBucket") -> datetime | None:
    """When the documents were last read. If they never were, since when they have been waiting; None if there are
    none."""
    stored = bucket.read(STATUS_KEY)
    if stored is not None:
        try:
            return Status.decode(stored.data).time
        except StateError:
            # The next run writes it anew.
            pass
    return min((one.modified for one in bucket.entries() if document_path(one.key) is not None), default=None)
