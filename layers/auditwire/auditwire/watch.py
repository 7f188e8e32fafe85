"""Looking for what would not raise an alarm by itself: silent clusters, stale rules, and why there are dead letters.

Every run reports everything. An alert ends by itself some time after its last delivery. So a lasting problem is
reported by each run, and a solved one is not reported any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.dead_letter_counts import DeadLetterCounts
from auditwire.alerts.errors import DeadLetterError
from auditwire.alerts.self_alerts import self_alert
from auditwire.bundles.rules_bucket import RulesBucketError
from auditwire.bundles.stale_rules import Stale, stale_rules
from auditwire.clusters.silence import Silence, duration, silences

if TYPE_CHECKING:
    from auditwire.alerts import Alert
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.clusters import Listing

CLUSTER_SILENT: Final = "auditwire.ClusterSilent"
RULES_STALE: Final = "auditwire.RulesStale"


class WatchError(Exception):
    """Something could not be checked, or an alert could not be published."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The result of one run: the alerts to publish, and a sentence for each thing that could not be checked.

    ``dead_letters`` is None if they could not be counted.
    """

    silent: int
    stale: bool
    alerts: "Sequence[Alert]"
    problems: Sequence[str]
    dead_letters: DeadLetterCounts | None = field(default_factory=DeadLetterCounts)


def watch(
    clusters: "Callable[[], Listing]",
    rules: "RulesBucket",
    *,
    rules_bucket: str,
    now: datetime,
    dead_letters: Callable[[], DeadLetterCounts] = DeadLetterCounts,
) -> Watched:
    """Checks the clusters table, the rules bucket with the name ``rules_bucket``, and the dead letters, at the time
    ``now``.

    If one of them fails, that is a problem of the run, and the others are still checked.
    """
    problems: list[str] = []
    silent: list[Silence] = []
    stale: Stale | None = None
    try:
        listing = clusters()
        silent = silences(listing.registrations, now)
        # A request with such a credential is answered 503, and nobody knows whose silence that is.
        problems += dict.fromkeys(listing.broken.values())
    except (BotoCoreError, ClientError) as error:
        problems.append(f"the clusters table could not be read: {error}")
    try:
        stale = stale_rules(rules, now)
    except RulesBucketError as error:
        problems.append(f"the rules bucket could not be read: {error}")
    counted: DeadLetterCounts | None = None
    try:
        counted = dead_letters()
    except DeadLetterError as error:
        problems.append(str(error))
    alerts = [cluster_silent(one, now) for one in silent]
    if stale is not None:
        alerts.append(rules_stale(stale, rules_bucket, now))
    return Watched(len(silent), stale is not None, alerts, problems, counted)


def cluster_silent(silence: Silence, now: datetime) -> "Alert":
    """The alert about a silent cluster. Every run gives the same alert until the cluster sends."""
    name, since, use = silence.cluster, silence.since, silence.use
    limit = f"it counts as silent after {duration(silence.seconds)}"
    when = "" if since is None else _text(since)
    if use is not None:
        summary, message = f"Cluster {name} has fallen silent", f"Nothing has come from cluster {name} since {when}"
    else:
        begun = f"has been valid since {when}" if when else "has been valid for an unknown time"
        summary = f"Cluster {name} has never sent anything"
        message = f"Nothing has ever come from cluster {name}; its credential {begun}"
    annotations = {
        "summary": summary,
        "message": f"{message}; {limit}.",
        "description": _what_to_do(silence),
        "last_seen": when if use is not None else "never",
        "version": use.version if use is not None else "",
        "user_agent": use.user_agent if use is not None else "",
        "credential_expired": "" if silence.expired is None else _text(silence.expired),
    }
    began = now if since is None else since + timedelta(seconds=silence.seconds)
    return self_alert(CLUSTER_SILENT, time=began, annotations=annotations, labels={"cluster": name}, bundle="")


def rules_stale(stale: Stale, bucket: str, now: datetime) -> "Alert":
    """The alert about rules in the bucket that are not in force, or that compile_rules does not read."""
    what = {
        "not_taken": "Functions cannot load the rules that active.json names, and stay with those they have.",
        "not_looked_at": "Changes to the rules do not come into force.",
    }
    annotations = {
        "summary": f"The rules of s3://{bucket} are stale",
        "message": f"{what[stale.reason]} Why: {stale.why}.",
        "description": "Look: auditwire rules status. To have the documents compiled now, invoke compile_rules. To go"
        " back to the set before, run auditwire rules rollback.",
        "status": f"s3://{bucket}/status.json",
    }
    labels = {"bucket": bucket, "reason": stale.reason}
    return self_alert(RULES_STALE, time=stale.since or now, annotations=annotations, labels=labels, bundle="")


def _what_to_do(silence: Silence) -> str:
    name = silence.cluster
    if silence.expired is not None:
        return (
            f"It has no valid credential: the last one expired at {_text(silence.expired)}, and whatever it sends"
            f" is answered 401. Give it another: auditwire cluster rotate {name}"
        )
    if silence.use is None:
        return f"Is its webhook configured? Look: auditwire cluster list, auditwire cluster kubeconfig {name}."
    return (
        "Does it run, does it reach the endpoint, has its audit policy or webhook changed, are requests refused (4xx)"
        " or failing (5xx)? Look: auditwire cluster list. If it was shut down on purpose:"
        f" auditwire cluster revoke {name}"
    )


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
