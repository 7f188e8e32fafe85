"""Alerts about a batch in which something went wrong: what was quarantined, and which rules could not judge it.

They contain nothing that a sender chose, and no time that would differ if the batch came again. Their number is small
whatever the batch contains. So a repeated batch gives the same alerts, and Alertmanager recognises them by their
labels.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from auditwire.alerts.self_alerts import self_alert
from auditwire.alerts.text import listed

if TYPE_CHECKING:
    from auditwire.alerts.alert import Alert
    from auditwire.events import Reject

BODIES_QUARANTINED: Final = "auditwire.BodiesQuarantined"
EVALUATION_ERRORS: Final = "auditwire.EvaluationErrors"
THRESHOLD_NOT_JUDGED: Final = "auditwire.ThresholdNotJudged"

_SMALLER_BATCHES: Final = (
    "put fewer events into a body: --audit-webhook-batch-max-size of kube-apiserver, eventBatchSize of KubeSphere, the"
    " batch or chunk size of a log shipper"
)
ADVICE: Final[Mapping[str, str]] = {
    "too_many_items": f"Let the sender {_SMALLER_BATCHES}. `auditwire quarantine retry` takes this one up in slices.",
    "too_large": f"Let the sender {_SMALLER_BATCHES}; and --audit-webhook-truncate-max-event-size of kube-apiserver"
    " bounds one event. `auditwire quarantine retry` takes this one up in slices.",
    "too_many_values": f"Let the sender {_SMALLER_BATCHES}. `auditwire quarantine retry` takes this one up in slices.",
    "too_many_keys": "No sender writes an event with so many keys: see in the quarantine what is sent to this address.",
    "gzip_as_text": "API Gateway handed over compressed bytes as text, which destroys them, because their type is"
    " application/json. Let the shipper send another type (fluent-bit: Format json_lines; Vector:"
    " framing.method newline_delimited) or no compression.",
    "unknown_log_group": "Register the log group: `auditwire cluster add NAME --from eks`. Then `auditwire quarantine"
    " retry --all --cluster unregistered` takes up what came before.",
    "bad_encoding": "Let the shipper compress with gzip, deflate or zstd, or not at all.",
}
"""What to change at the sender, by the reason of a reject."""

CUT_BEFORE_VERB: Final = "cut_before_verb"
"""The reason with an alert of its own; see body_missing."""

_MAX_KEYS: Final = 5
_MAX_RULES: Final = 10


def bodies_quarantined(quarantined: "Sequence[tuple[Reject, str]]", *, cluster: str, bundle: str) -> "list[Alert]":
    """One alert per reason, ordered by reason. ``quarantined`` are the rejects with their keys in quarantine.

    Reasons are the library's own words, about a dozen.
    """
    of_reason: dict[str, list[tuple[Reject, str]]] = {}
    for reject, key in quarantined:
        if reject.reason != CUT_BEFORE_VERB:
            of_reason.setdefault(reject.reason, []).append((reject, key))
    return [_quarantined(reason, of_reason[reason], cluster, bundle) for reason in sorted(of_reason)]


def evaluation_errors(
    errors: Mapping[str, int], documents: Mapping[str, str], *, cluster: str, bundle: str
) -> "list[Alert]":
    """One alert per rule that could not judge events of a batch, the most frequent first.

    ``errors`` counts events by ``document.rule``, ``documents`` names the document of each rule. If there are more than
    ten rules, the tenth alert covers the rest and has no labels of a rule.
    """
    ranked = sorted(errors.items(), key=lambda rule: (-rule[1], rule[0]))
    alone = ranked if len(ranked) <= _MAX_RULES else ranked[: _MAX_RULES - 1]
    alerts = []
    for rule, count in alone:
        document = documents.get(rule, "")
        labels = {"rule": rule.removeprefix(f"{document}."), "document": document}
        alerts.append(_not_judged(f"Rule {rule}", count, labels, cluster, bundle))
    if rest := Counter(dict(ranked[len(alone) :])):
        alerts.append(_not_judged(f"{len(rest)} more rules", rest.total(), {}, cluster, bundle, listed(rest, 20)))
    return alerts


def thresholds_not_judged(matches: Mapping[str, int], *, cluster: str, bundle: str) -> "list[Alert]":
    """One alert per rule whose matches of a batch are in no count: they could neither be judged nor kept for later.

    ``matches`` counts them by ``document.rule``. If there are more than ten rules, the tenth alert covers the rest.
    """
    ranked = sorted(matches.items(), key=lambda rule: (-rule[1], rule[0]))
    alone = ranked if len(ranked) <= _MAX_RULES else ranked[: _MAX_RULES - 1]
    rest = Counter(dict(ranked[len(alone) :]))
    alerts = [_uncounted(f"Rule {rule}", count, {"rule": rule}, cluster, bundle) for rule, count in alone]
    if rest:
        alerts.append(_uncounted(f"{len(rest)} more rules", rest.total(), {}, cluster, bundle, listed(rest, 20)))
    return alerts


def _uncounted(who: str, count: int, labels: Mapping[str, str], cluster: str, bundle: str, rules: str = "") -> "Alert":
    matches = "1 match" if count == 1 else f"{count} matches"
    annotations = {
        "summary": f"Matches of {who} in cluster {cluster} are in no count",
        "message": f"{who} has a threshold, and {matches} in cluster {cluster} could not be counted.",
        "description": "Neither the table of thresholds nor the outbox took them. The events are archived. If they were"
        " enough, the alert of the rule is missing. Look at them:"
        f" auditwire query --cluster {cluster} --rule {labels.get('rule', 'RULE')}",
        "count": str(count),
        "rules": rules,
    }
    labels = {"cluster": cluster, **labels}
    return self_alert(
        THRESHOLD_NOT_JUDGED, time=None, annotations=annotations, labels=labels, bundle=bundle, count=count
    )


def _quarantined(reason: str, kept: "Sequence[tuple[Reject, str]]", cluster: str, bundle: str) -> "Alert":
    kinds = Counter(reject.kind for reject, _ in kept)
    words = {"body": ("body", "bodies"), "item": ("item of a body", "items of a body")}
    what = " and ".join(f"{number} {words[kind][number > 1]}" for kind, number in sorted(kinds.items()))
    is_in = "is in" if len(kept) == 1 else "are in"
    annotations = {
        "summary": f"What cluster {cluster} sends cannot be read",
        "message": f"{what} of cluster {cluster} {is_in} quarantine: {reason}.",
        "description": "The bytes are kept as they were received, and the answer was 200."
        " The rest of the batch was processed."
        f" Look: auditwire quarantine list --cluster {cluster} --reason {reason}",
        "advice": ADVICE.get(reason, ""),
        "count": str(len(kept)),
        "quarantine_keys": listed((key for _, key in kept), _MAX_KEYS),
    }
    labels = {"cluster": cluster, "reason": reason}
    return self_alert(
        BODIES_QUARANTINED, time=None, annotations=annotations, labels=labels, bundle=bundle, count=len(kept)
    )


def _not_judged(who: str, count: int, labels: Mapping[str, str], cluster: str, bundle: str, rules: str = "") -> "Alert":
    events = "1 event" if count == 1 else f"{count} events"
    annotations = {
        "summary": f"{who} cannot judge events of cluster {cluster}",
        "message": f"{who} could not judge {events} of cluster {cluster}, so did not match them.",
        "description": "A value had another type than the condition needs, such as a text where it compares numbers."
        " The other rules decided as usual. Try the rule: auditwire rules eval --rules rules --events FILE",
        "count": str(count),
        "rules": rules,
    }
    labels = {"cluster": cluster, **labels}
    return self_alert(EVALUATION_ERRORS, time=None, annotations=annotations, labels=labels, bundle=bundle, count=count)
